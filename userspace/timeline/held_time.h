// SPDX-License-Identifier: BSD-2-Clause
// Held time, or holds, added up by who held and why: what a flame graph draws.
#pragma once

#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

/// All holds that look the same in a flame graph.
struct HeldTime {
    StringId process = StringId::kNone;  // by name: a graph is not about one process of many
    StringId cause = StringId::kNone;
    StringId thread = StringId::kNone;  // the culprit's name
    StringId wait_class = StringId::kNone;
    StackId stack = StackId::kNone;
    std::uint64_t held_ns = 0;  // of those holds whose length is known
    std::uint64_t holds = 0;

    bool operator==(const HeldTime&) const = default;
};

/// In the order in which each was met first.
std::vector<HeldTime> held_time(const Timeline& timeline);

}  // namespace waitclose::timeline
