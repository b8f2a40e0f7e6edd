// SPDX-License-Identifier: BSD-2-Clause
// Who had a held socket when, from successive looks at it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/socket.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// Sets of processes (into Timeline::processes), each once: there are as many as there are ways to share.
class HolderSets {
public:
    /// `processes`: in any order, also several times. It is sorted.
    std::uint32_t of(std::vector<std::uint32_t>& processes);
    const std::vector<std::uint32_t>& operator[](std::uint32_t set) const { return *sets_[set]; }

private:
    std::map<std::vector<std::uint32_t>, std::uint32_t> known_;
    std::vector<const std::vector<std::uint32_t>*> sets_;
};

/// Of one hold.
class Keepers {
public:
    /// A look at `at_ns` found it with these, and `owner` named; nowhere: nobody. `handed_ns`: when the last
    /// holder before let go of it, or the first now got it, as far as that was seen.
    void see(std::uint64_t at_ns, std::uint32_t owner, std::uint32_t set, std::uint64_t handed_ns);

    /// One after the other, together the hold; empty where the one who is shown with it, `owner`, had it all
    /// the time. As long as that one is among the holders it is that one's.
    /// `gone_ns`: when a process was seen to have ended, or 0.
    template <typename GoneNs>
    std::vector<timeline::Tenure> tenures(const HolderSets& sets, std::uint32_t owner, std::uint64_t since_ns,
                                          std::uint64_t end_ns, GoneNs&& gone_ns) const {
        std::vector<timeline::Tenure> found;
        std::uint64_t last_ns = 0;  // the last look at the one before
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            const std::uint32_t keeper =
                keeper_of(sets, i, owner, found.empty() ? std::nullopt : std::optional(found.back().owner));
            if (found.empty()) {
                found.push_back({since_ns, end_ns, keeper, {}});
            } else if (found.back().owner != keeper) {
                const std::uint64_t exact =
                    seen_[i].handed_ns ? seen_[i].handed_ns : gone_ns(found.back().owner);
                const bool fits = exact > last_ns && exact <= seen_[i].first_ns;
                pass_on(found, fits ? exact : seen_[i].first_ns, keeper);
            }
            last_ns = seen_[i].last_ns;
        }
        if (found.size() < 2) found.clear();
        return found;
    }

private:
    struct Seen {
        std::uint64_t first_ns = 0;
        std::uint64_t last_ns = 0;
        std::uint64_t handed_ns = 0;
        std::uint32_t owner = timeline::kNowhere;
        std::uint32_t set = 0;
    };

    std::uint32_t keeper_of(const HolderSets& sets, std::size_t index, std::uint32_t owner,
                            std::optional<std::uint32_t> before) const;
    static void pass_on(std::vector<timeline::Tenure>& found, std::uint64_t at_ns, std::uint32_t keeper);

    std::vector<Seen> seen_;
};

/// When the socket last changed hands after `after_ns`, as far as its touches tell; 0: they do not.
std::uint64_t handed_over_ns(const model::Socket& socket, std::uint64_t after_ns);

}  // namespace waitclose::replay
