// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/held_time.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "timeline/labels.h"

namespace waitclose::timeline {

namespace {

using Key = std::array<std::uint32_t, 6>;

struct Hash {
    std::size_t operator()(const Key& key) const {
        std::uint64_t hash = 0;
        for (const std::uint32_t part : key) hash = (hash ^ part) * 0x9e3779b97f4a7c15 + (hash >> 29);
        return hash;
    }
};

/// Nobody is blamed for it: whatever some thread did meanwhile is not why it was held.
bool is_unexplained(const Timeline& timeline, StringId cause) {
    return timeline.text(cause) == "unknown";
}

HeldTime kind_of(const Timeline& timeline, const Hold& hold, std::uint32_t owner, StringId cause) {
    HeldTime kind;
    if (const Process* process = timeline.process_at(owner)) {
        kind.has_owner = true;
        kind.process = process->comm;
    }
    kind.cause = cause;
    // What the culprit did says nothing of the time in which another process had it.
    if (owner != hold.owner || is_unexplained(timeline, cause)) return kind;
    const auto& culprit = hold.diagnosis.culprit;
    if (culprit && culprit->tid) kind.thread = culprit->comm;
    kind.wait_class = hold.wait_class;
    kind.stack = hold.stack;
    return kind;
}

/// The sums of holds that look the same, in the order in which each was met first.
class Kinds {
public:
    HeldTime& of(const HeldTime& kind) {
        const Key key{static_cast<std::uint32_t>(kind.has_owner),  static_cast<std::uint32_t>(kind.process),
                      static_cast<std::uint32_t>(kind.cause),      static_cast<std::uint32_t>(kind.thread),
                      static_cast<std::uint32_t>(kind.wait_class), static_cast<std::uint32_t>(kind.stack)};
        const auto [entry, fresh] = known_.emplace(key, kinds_.size());
        if (fresh) kinds_.push_back(kind);
        return kinds_[entry->second];
    }
    std::vector<HeldTime> take() { return std::move(kinds_); }

private:
    std::vector<HeldTime> kinds_;
    std::unordered_map<Key, std::size_t, Hash> known_;
};

/// Which of its parts a hold that was passed on counts for.
std::size_t counted_part(const Hold& hold) {
    for (std::size_t i = 0; i < hold.tenures.size(); ++i)
        if (hold.tenures[i].owner == hold.owner) return i;
    return 0;
}

/// What a capture saw of it: all its time, divided by what the culprit did. It counts where most of it is.
void add_shares(const Timeline& timeline, const Hold& hold, Kinds& kinds) {
    const auto most = std::ranges::max_element(hold.shares, {}, &Share::ns);
    for (auto share = hold.shares.begin(); share != hold.shares.end(); ++share) {
        HeldTime kind = kind_of(timeline, hold, hold.owner, hold.diagnosis.cause);
        kind.wait_class = share->doing;
        kind.stack = share->stack;
        HeldTime& sum = kinds.of(kind);
        sum.held_ns += share->ns;
        if (share == most) ++sum.holds;
    }
}

}  // namespace

std::string_view owner_label(const Timeline& timeline, const HeldTime& kind) {
    return kind.has_owner ? known(timeline, kind.process) : kOwnerNotKnown;
}

std::vector<HeldTime> held_time(const Timeline& timeline) {
    Kinds kinds;
    for (const Hold& hold : timeline.holds) {
        const bool divides = !hold.shares.empty() && !is_unexplained(timeline, hold.diagnosis.cause);
        if (hold.tenures.empty() && divides) {
            add_shares(timeline, hold, kinds);
            continue;
        }
        if (hold.tenures.empty()) {
            HeldTime& sum = kinds.of(kind_of(timeline, hold, hold.owner, hold.diagnosis.cause));
            sum.held_ns += hold.held_ns.value_or(0);
            ++sum.holds;
            continue;
        }
        const std::size_t counted = counted_part(hold);
        for (std::size_t i = 0; i < hold.tenures.size(); ++i) {
            const Tenure& tenure = hold.tenures[i];
            HeldTime& sum = kinds.of(kind_of(timeline, hold, tenure.owner, tenure.cause));
            sum.held_ns += length(tenure.begin_ns, tenure.end_ns);
            if (i == counted) ++sum.holds;
        }
    }
    return kinds.take();
}

}  // namespace waitclose::timeline
