// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/held_time.h"

#include <array>
#include <unordered_map>

namespace waitclose::timeline {

namespace {

using Key = std::array<std::uint32_t, 5>;

struct Hash {
    std::size_t operator()(const Key& key) const {
        std::uint64_t hash = 0;
        for (const std::uint32_t part : key) hash = (hash ^ part) * 0x9e3779b97f4a7c15 + (hash >> 29);
        return hash;
    }
};

HeldTime kind_of(const Timeline& timeline, const Hold& hold) {
    HeldTime kind;
    const auto& culprit = hold.diagnosis.culprit;
    if (const Process* owner = timeline.process_at(hold.owner)) {
        kind.process = owner->comm;
    } else if (!hold.holders.empty()) {
        kind.process = hold.holders.front().comm;
    }
    kind.cause = hold.diagnosis.cause;
    if (culprit && culprit->tid) kind.thread = culprit->comm;
    kind.wait_class = hold.wait_class;
    kind.stack = hold.stack;
    return kind;
}

}  // namespace

std::vector<HeldTime> held_time(const Timeline& timeline) {
    std::vector<HeldTime> kinds;
    std::unordered_map<Key, std::size_t, Hash> known;
    for (const Hold& hold : timeline.holds) {
        const HeldTime kind = kind_of(timeline, hold);
        const Key key{static_cast<std::uint32_t>(kind.process), static_cast<std::uint32_t>(kind.cause),
                      static_cast<std::uint32_t>(kind.thread), static_cast<std::uint32_t>(kind.wait_class),
                      static_cast<std::uint32_t>(kind.stack)};
        const auto [entry, fresh] = known.emplace(key, kinds.size());
        if (fresh) kinds.push_back(kind);
        HeldTime& sum = kinds[entry->second];
        sum.held_ns += hold.held_ns.value_or(0);
        ++sum.holds;
    }
    return kinds;
}

}  // namespace waitclose::timeline
