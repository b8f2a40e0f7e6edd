// SPDX-License-Identifier: BSD-2-Clause
#include "replay/groups.h"

#include <algorithm>
#include <tuple>

#include "model/wording.h"

namespace waitclose::replay {

namespace {

struct Key {
    std::uint32_t owner = timeline::kNowhere;
    diagnose::Cause cause = diagnose::Cause::kUnknown;
    bool client = false;
    model::Family family = model::Family::kIpv4;  // client side only, as the address
    std::array<std::uint8_t, 16> address{};
    std::uint16_t port = 0;

    auto operator<=>(const Key&) const = default;
};

Key key_of(const Fact& fact) {
    Key key{fact.owner, *fact.cause, fact.role == model::Role::kClient, {}, {}, fact.local.port};
    if (key.client) {
        key.family = fact.family;
        key.address = fact.remote.address;
        key.port = fact.remote.port;
    }
    return key;
}

/// How many holds each thread has a part in; by pid, tid and name.
using People = std::map<std::tuple<std::uint32_t, std::uint32_t, std::string>, std::uint64_t>;

struct Member {
    std::vector<std::uint32_t> holds;
    People culprits;
    People closers;
};

void describe(Group& group, const Key& key) {
    group.owner = key.owner;
    group.cause = key.cause;
    group.confidence = diagnose::Confidence::kProven;  // until a weaker member comes
    if (key.client)
        group.remote = model::endpoint_text(key.family, {key.address, key.port});
    else
        group.local_port = key.port;
}

void add(Group& group, const Fact& fact) {
    group.confidence = std::max(group.confidence, fact.confidence);
    ++group.by_confidence.at(static_cast<std::size_t>(fact.confidence));
    ++group.holds;
    group.begun += fact.is_older ? 0 : 1;
    group.open += fact.is_open() ? 1 : 0;
    group.held_ns += fact.held_ns();
    group.held_at_least |= fact.is_at_least();
    group.first_or_earlier |= fact.since_at_least;
    group.endings.add(fact);
    if (group.first_ns == 0 || fact.since_ns < group.first_ns) group.first_ns = fact.since_ns;
    if (group.first_diagnosed_ns == 0 || fact.diagnosed_ns < group.first_diagnosed_ns)
        group.first_diagnosed_ns = fact.diagnosed_ns;
}

void choose_members(Group& group, std::vector<std::uint32_t>& holds, const std::vector<Fact>& facts) {
    const auto shorter = [&](std::uint32_t one, std::uint32_t other) {
        return std::tuple(facts[one].held_ns(), other) < std::tuple(facts[other].held_ns(), one);
    };
    group.longest = *std::ranges::max_element(holds, shorter);
    group.longest_ns = facts[group.longest].held_ns();
    // Of any that may have lasted longer than is known this may be the true longest one.
    group.longest_at_least = group.held_at_least;
    const auto middle = holds.begin() + static_cast<std::ptrdiff_t>(holds.size() / 2);
    std::nth_element(holds.begin(), middle, holds.end(), shorter);
    group.typical = *middle;
    group.typical_ns = facts[group.typical].held_ns();
    // Those above the middle are above it however long they lasted in truth.
    group.typical_at_least = std::ranges::any_of(holds, [&](std::uint32_t hold) {
        return facts[hold].is_at_least() && facts[hold].held_ns() < group.typical_ns;
    });
    group.typical_at_least |= facts[group.typical].is_at_least();
}

/// Those with most holds.
std::vector<TopCulprit> top_of(const People& people) {
    constexpr std::size_t kTop = 3;
    std::vector<TopCulprit> top;
    for (const auto& [who, holds] : people) {
        const auto& [pid, tid, comm] = who;
        top.push_back({pid, tid, comm, holds});
    }
    std::ranges::stable_sort(top, std::greater<>(), &TopCulprit::holds);
    top.resize(std::min(kTop, top.size()));
    return top;
}

void choose_people(Group& group, const Member& member) {
    group.culprits = member.culprits.size();
    group.top_culprits = top_of(member.culprits);
    group.closers = member.closers.size();
    group.top_closers = top_of(member.closers);
}

bool comes_before(const Group& one, const Group& other) {
    return std::tie(other.holds, other.longest_ns, one.owner, one.cause, one.local_port, one.remote) <
           std::tie(one.holds, one.longest_ns, other.owner, other.cause, other.local_port, other.remote);
}

}  // namespace

void Brief::add(std::uint64_t ns) {
    ++holds;
    held_ns += ns;
    longest_ns = std::max(longest_ns, ns);
}

void Endings::add(const Fact& fact) {
    ++by_end.at(static_cast<std::size_t>(fact.ended));
    with_listener += fact.went_with_listener() ? 1 : 0;
    shut_down += fact.shut_down ? 1 : 0;
}

void gather(Incident& incident, const std::unordered_map<std::uint32_t, diagnose::FdOutlook>& outlooks) {
    std::map<Key, std::pair<Group, Member>> groups;
    for (std::uint32_t hold = 0; hold < incident.holds.size(); ++hold) {
        const Fact& fact = incident.holds[hold];
        incident.endings.add(fact);
        if (!fact.cause) {
            incident.unseen.push_back(hold);
            continue;
        }
        const Key key = key_of(fact);
        const auto [at, is_new] = groups.try_emplace(key);
        auto& [group, member] = at->second;
        if (is_new) describe(group, key);
        add(group, fact);
        member.holds.push_back(hold);
        const auto& culprit = incident.timeline.holds[hold].diagnosis.culprit;
        if (culprit && culprit->tid && diagnose::is_fault(*fact.cause))
            ++member.culprits[{culprit->pid, *culprit->tid,
                               std::string(incident.timeline.text(culprit->comm))}];
        if (fact.ended == Ended::kClosed && fact.closer)
            ++member.closers[{fact.closer->pid, fact.closer->tid, std::string(fact.closer->comm_text())}];
    }
    std::vector<std::pair<Group, const Member*>> sorted;
    for (auto& [key, both] : groups) {
        auto& [group, member] = both;
        choose_members(group, member.holds, incident.holds);
        choose_people(group, member);
        if (const auto found = outlooks.find(group.owner); found != outlooks.end()) group.fds = found->second;
        sorted.emplace_back(std::move(group), &member);
    }
    std::ranges::sort(
        sorted, [](const auto& one, const auto& other) { return comes_before(one.first, other.first); });
    incident.group_of.assign(incident.holds.size(), timeline::kNowhere);
    for (auto& [group, member] : sorted) {
        for (const std::uint32_t hold : member->holds)
            incident.group_of[hold] = static_cast<std::uint32_t>(incident.groups.size());
        incident.groups.push_back(std::move(group));
    }
}

}  // namespace waitclose::replay
