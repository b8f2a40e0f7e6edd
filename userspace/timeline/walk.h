// SPDX-License-Identifier: BSD-2-Clause
// Going through a socket's track the way viewers want it: every phase begins after what contains it and ends
// before.
#pragma once

#include <algorithm>
#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

/// Calls begin(phase, at_ns) and end(at_ns) in the order of time, properly nested whatever the phases are
/// like.
template <typename Begin, typename End>
void walk_phases(const std::vector<Phase>& phases, Begin&& begin, End&& end) {
    std::vector<std::uint64_t> ends;  // of what has begun, the innermost last
    std::uint64_t at = 0;
    const auto end_until = [&](std::uint64_t moment) {
        while (!ends.empty() && ends.back() <= moment) {
            at = std::max(at, ends.back());
            end(at);
            ends.pop_back();
        }
    };
    for (const Phase& phase : phases) {
        end_until(phase.begin_ns);
        at = std::max(at, phase.begin_ns);
        begin(phase, at);
        const std::uint64_t last = std::max(at, phase.end_ns);
        ends.push_back(ends.empty() ? last : std::min(last, ends.back()));
    }
    end_until(UINT64_MAX);
}

}  // namespace waitclose::timeline
