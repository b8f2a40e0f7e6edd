// SPDX-License-Identifier: BSD-2-Clause
// A hold by who had it: one part, or as many as there were owners one after the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

/// What one owner had of a hold, and of what lies around it.
struct Part {
    std::uint32_t owner = kNowhere;
    StringId cause = StringId::kNone;
    std::size_t number = 0;  // 0: the first
    bool is_owners = true;   // of Hold::owner, or the only one: what the diagnosis tells of
};

/// What of the phases lies between the two, in their order.
inline std::vector<Phase> phases_between(const std::vector<Phase>& phases, std::uint64_t from_ns,
                                         std::uint64_t to_ns) {
    std::vector<Phase> found;
    for (Phase phase : phases) {
        phase.begin_ns = std::max(phase.begin_ns, from_ns);
        phase.end_ns = std::min(phase.end_ns, to_ns);
        if (phase.begin_ns < phase.end_ns) found.push_back(phase);
    }
    return found;
}

/// Calls each(part, phases) in the order of time. What came before the hold is with the first part, what came
/// after it with the last.
template <typename Each>
void each_part(const Hold& hold, Each&& each) {
    if (hold.tenures.empty()) return each(Part{hold.owner, hold.diagnosis.cause, 0, true}, hold.phases);
    for (std::size_t i = 0; i < hold.tenures.size(); ++i) {
        const Tenure& tenure = hold.tenures[i];
        const std::uint64_t from_ns = i == 0 ? 0 : tenure.begin_ns;
        const std::uint64_t to_ns = i + 1 == hold.tenures.size() ? UINT64_MAX : tenure.end_ns;
        each(Part{tenure.owner, tenure.cause, i, tenure.owner == hold.owner},
             phases_between(hold.phases, from_ns, to_ns));
    }
}

}  // namespace waitclose::timeline
