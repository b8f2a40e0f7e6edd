// SPDX-License-Identifier: BSD-2-Clause
// The rules a timeline keeps.
#pragma once

#include <string>
#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

/// What is wrong with a timeline, one sentence each, at most `most`; empty when nothing is. Pure. It checks
/// that
/// - the slices of a thread follow one another without gap or overlap, and sum to its part of the window;
/// - the phases of a socket nest, and the hold's own is exactly as long as its held_ns;
/// - those who had a passed-on hold one after the other together had it all the time;
/// - nobody touches a held socket before its FIN, or after the window;
/// - counters and losses are in order and within the window;
/// - ids and indices point at something.
std::vector<std::string> check(const Timeline& timeline, std::size_t most = 20);

}  // namespace waitclose::timeline
