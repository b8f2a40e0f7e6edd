// SPDX-License-Identifier: BSD-2-Clause
#include "replay/keepers.h"

#include <algorithm>

namespace waitclose::replay {

using timeline::kNowhere;

namespace {

/// Who shares a socket with ever new processes is followed so far.
constexpr std::size_t kMostSeen = 64;

}  // namespace

std::uint32_t HolderSets::of(std::vector<std::uint32_t>& processes) {
    std::ranges::sort(processes);
    const auto repeated = std::ranges::unique(processes);
    processes.erase(repeated.begin(), repeated.end());
    const auto [at, is_new] = known_.try_emplace(processes, static_cast<std::uint32_t>(sets_.size()));
    if (is_new) sets_.push_back(&at->first);
    return at->second;
}

void Keepers::see(std::uint64_t at_ns, std::uint32_t owner, std::uint32_t set, std::uint64_t handed_ns) {
    if (!seen_.empty()) {
        Seen& last = seen_.back();
        at_ns = std::max(at_ns, last.last_ns);
        const bool same = last.owner == owner && last.set == set;
        if (same || seen_.size() >= kMostSeen) {
            last.last_ns = at_ns;
            return;
        }
    }
    seen_.push_back({at_ns, at_ns, handed_ns, owner, set});
}

std::uint32_t Keepers::keeper_of(const HolderSets& sets, std::size_t index, std::uint32_t owner,
                                 std::optional<std::uint32_t> before) const {
    const Seen& seen = seen_[index];
    const auto& holders = sets[seen.set];
    if (owner == seen.owner || std::ranges::binary_search(holders, owner)) return owner;
    if (holders.size() == 1) return holders.front();
    if (!holders.empty() || seen.owner != kNowhere) return seen.owner;
    // In an accept queue that several share, or on its way from one to the other: it is nobody's yet.
    if (before) return *before;
    return index + 1 < seen_.size() ? keeper_of(sets, index + 1, owner, kNowhere) : kNowhere;
}

void Keepers::pass_on(std::vector<timeline::Tenure>& found, std::uint64_t at_ns, std::uint32_t keeper) {
    timeline::Tenure& last = found.back();
    const std::uint64_t end_ns = last.end_ns;
    // Times that cannot be: the one before had it for no time within the hold, or the next has.
    if (at_ns >= end_ns) return;
    if (at_ns <= last.begin_ns) {
        last.owner = keeper;
        if (found.size() > 1 && found[found.size() - 2].owner == keeper) {
            found.pop_back();
            found.back().end_ns = end_ns;
        }
        return;
    }
    last.end_ns = at_ns;
    found.push_back({at_ns, end_ns, keeper, {}});
}

std::uint64_t handed_over_ns(const model::Socket& socket, std::uint64_t after_ns) {
    if (!socket.touches) return 0;
    for (const auto& deed : {socket.touches->let_go, socket.touches->opened})
        if (deed && deed->at_ns > after_ns) return deed->at_ns;
    return 0;
}

}  // namespace waitclose::replay
