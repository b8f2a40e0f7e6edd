// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/group.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

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
    std::unordered_set<const model::Thread*> culprits;
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

void add(Member& member, const Verdict& verdict, std::size_t index, std::uint64_t held_ns) {
    Group& group = member.group;
    if (group.sockets++ == 0 || held_ns > group.oldest_held_ns) {
        group.oldest_held_ns = held_ns;
        group.oldest_socket = index;
    }
    group.confidence = std::max(group.confidence, verdict.confidence);
    if (verdict.who.thread) member.culprits.insert(verdict.who.thread);
}

// Largest first, then oldest; the rest only so that the same census gives the same order.
bool comes_before(const Group& one, const Group& other) {
    return std::tie(other.sockets, other.oldest_held_ns, one.owner_pid, one.cause, one.local_port,
                    one.remote) < std::tie(one.sockets, one.oldest_held_ns, other.owner_pid, other.cause,
                                           other.local_port, other.remote);
}

}  // namespace

std::vector<Group> group(const model::Census& census, const std::vector<std::uint32_t>& selected) {
    Diagnoser diagnoser(census);
    std::unordered_map<Key, Member, KeyHash> members;
    for (const std::uint32_t index : selected) {
        const Socket& socket = census.sockets[index];
        const auto decision = diagnoser.decide(socket);
        const Key key = key_of(decision, socket);
        const auto [at, is_new] = members.try_emplace(key);
        if (is_new) describe(at->second.group, key);
        add(at->second, decision.verdict, index, census.held_ns(socket));
    }
    std::vector<Group> groups;
    groups.reserve(members.size());
    for (auto& [key, member] : members) {
        member.group.culprits = member.culprits.size();
        groups.push_back(std::move(member.group));
    }
    std::ranges::sort(groups, comes_before);
    return groups;
}

}  // namespace waitclose::diagnose
