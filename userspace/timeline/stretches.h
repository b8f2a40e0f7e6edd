// SPDX-License-Identifier: BSD-2-Clause
// What a thread did, in no more pieces than a page can carry.
#pragma once

#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

struct Stretch {
    Slice slice;
    std::uint64_t filled_ns =
        0;  // so much of it the thread did that; less than its length where it stands for several
};

/// The slices of a thread, sorted and without overlap whatever they were like. Where there are more than
/// `most`, its time is divided evenly and each part stands for what took the largest share of it, in the
/// words of the longest such slice; stacks are dropped then.
std::vector<Stretch> stretches(const Thread& thread, std::size_t most);

}  // namespace waitclose::timeline
