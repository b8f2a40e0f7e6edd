// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/group.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "diagnose/diagnoser.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;

namespace {

struct Key {
    const Process* owner = nullptr;
    Cause cause = Cause::kUnknown;
    bool client = false;
    model::Family family = model::Family::kIpv4;  // client side only, as the address
    model::Endpoint service;                      // server side: the local port alone

    bool operator==(const Key&) const = default;
};

struct KeyHash {
    std::size_t operator()(const Key& key) const {
        std::uint64_t hash = std::hash<const void*>{}(key.owner);
        const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL; };
        mix(static_cast<std::uint64_t>(key.cause) << 32 | static_cast<std::uint64_t>(key.client) << 16 |
            key.service.port);
        for (const std::uint8_t byte : key.service.address) mix(byte);
        return hash ^ hash >> 29;
    }
};

Key key_of(const Diagnoser::Decision& decision, const Socket& socket) {
    Key key{decision.owner, decision.verdict.cause, socket.role == model::Role::kClient, {}, {}};
    if (key.client) {
        key.family = socket.family;
        key.service = socket.remote;
    } else {
        key.service.port = socket.local.port;
    }
    return key;
}

struct Member {
    Group group;
    std::unordered_map<const model::Thread*, std::uint64_t> culprits;  // and how many sockets each has
    std::vector<std::uint32_t> sockets;
};

void describe(Group& group, const Key& key) {
    if (key.owner) {
        group.owner_pid = key.owner->pid;
        group.owner_comm = key.owner->comm;
    }
    group.cause = key.cause;
    group.confidence = Confidence::kProven;  // until a weaker member comes
    if (key.client)
        group.remote = endpoint_text(key.family, key.service);
    else
        group.local_port = key.service.port;
}

void add(Member& member, const Verdict& verdict, std::uint32_t index) {
    member.sockets.push_back(index);
    member.group.confidence = std::max(member.group.confidence, verdict.confidence);
    if (verdict.who.thread) ++member.culprits[verdict.who.thread];
}

void choose_members(Member& member, const model::Census& census, Members keep) {
    Group& group = member.group;
    auto& sockets = member.sockets;
    const auto held_longer = [&](std::uint32_t one, std::uint32_t other) {
        return std::pair(census.sockets[one].held_since_ns, one) <
               std::pair(census.sockets[other].held_since_ns, other);
    };
    const auto less_unread = [&](std::uint32_t one, std::uint32_t other) {
        return census.sockets[one].unread_bytes < census.sockets[other].unread_bytes;
    };
    group.sockets = sockets.size();
    group.most_unread_socket = *std::ranges::max_element(sockets, less_unread);
    const auto [oldest, youngest] = std::ranges::minmax_element(sockets, held_longer);
    group.oldest_socket = *oldest;
    group.youngest_socket = *youngest;
    group.oldest_held_ns = census.held_ns(census.sockets[group.oldest_socket]);
    const auto middle = sockets.begin() + static_cast<std::ptrdiff_t>(sockets.size() / 2);
    std::nth_element(sockets.begin(), middle, sockets.end(), held_longer);
    group.typical_socket = *middle;
    if (keep == Members::kForget) return;
    std::ranges::sort(sockets, held_longer);
    group.all = std::move(sockets);
}

void choose_culprits(Member& member, const Process* owner) {
    constexpr std::size_t kTop = 3;
    std::vector<TopCulprit> all;
    for (const auto& [thread, sockets] : member.culprits)
        all.push_back({owner ? owner->pid : 0, thread->tid, thread->comm, sockets});
    const std::size_t shown = std::min(kTop, all.size());
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown),
                              [](const auto& a, const auto& b) {
                                  return std::tuple(b.sockets, a.tid) < std::tuple(a.sockets, b.tid);
                              });
    all.resize(shown);
    member.group.culprits = member.culprits.size();
    member.group.top_culprits = std::move(all);
}

// Largest first, then oldest; the rest only so that the same census gives the same order.
bool comes_before(const Group& one, const Group& other) {
    return std::tie(other.sockets, other.oldest_held_ns, one.owner_pid, one.cause, one.local_port,
                    one.remote) < std::tie(one.sockets, one.oldest_held_ns, other.owner_pid, other.cause,
                                           other.local_port, other.remote);
}

}  // namespace

std::vector<Group> group(const model::Census& census, const std::vector<std::uint32_t>& selected,
                         Members keep) {
    Diagnoser diagnoser(census);
    std::unordered_map<Key, Member, KeyHash> members;
    for (const std::uint32_t index : selected) {
        const Socket& socket = census.sockets[index];
        const auto decision = diagnoser.decide(socket);
        const Key key = key_of(decision, socket);
        const auto [at, is_new] = members.try_emplace(key);
        if (is_new) describe(at->second.group, key);
        add(at->second, decision.verdict, index);
    }
    const FdOutlooks outlooks(census);
    std::vector<Group> groups;
    groups.reserve(members.size());
    for (auto& [key, member] : members) {
        choose_members(member, census, keep);
        choose_culprits(member, key.owner);
        if (key.owner) member.group.fds = outlooks.of(*key.owner);
        groups.push_back(std::move(member.group));
    }
    std::ranges::sort(groups, comes_before);
    return groups;
}

}  // namespace waitclose::diagnose
