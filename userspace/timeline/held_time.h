// SPDX-License-Identifier: BSD-2-Clause
// Held time, or holds, added up by who held and why: what a flame graph draws.
#pragma once

#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

/// All holds that look the same in a flame graph.
struct HeldTime {
    bool has_owner = false;              // else it is not known whose they are
    StringId process = StringId::kNone;  // by name: a graph is not about one process of many
    StringId cause = StringId::kNone;
    StringId thread = StringId::kNone;  // the culprit's name
    StringId wait_class = StringId::kNone;
    StackId stack = StackId::kNone;
    std::uint64_t held_ns = 0;  // of those holds whose length is known
    std::uint64_t holds = 0;    // one that was passed on counts for whom it is shown with

    bool operator==(const HeldTime&) const = default;
};

/// "orders"; "owner not known" where nobody is.
std::string_view owner_label(const Timeline& timeline, const HeldTime& kind);

/// In the order in which each was met first. What was passed on is divided by who had it,
/// what a capture followed by what the culprit did meanwhile (Hold::shares). Where the cause is unknown, no
/// thread and nothing that one did stands for it.
std::vector<HeldTime> held_time(const Timeline& timeline);

}  // namespace waitclose::timeline
