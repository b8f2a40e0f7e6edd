// SPDX-License-Identifier: BSD-2-Clause
// What the threads of a process do that holds sockets of which no thread is known to be responsible. Told so
// that somebody can look there; it accuses nobody.
#pragma once

#include <cstdint>
#include <vector>

#include "model/activity.h"
#include "model/census.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// What is most worth a look comes first.
enum class Interest : std::uint8_t {
    kDeadlock,    // it waits for itself, in the end
    kDisk,        // what it does has lasted for as long as the capture, from here on
    kDownstream,  // a connection that this side opened
    kPipe,
    kLock,  // of which the owner is known
    kBusy,  // on a CPU, or waiting for one
    kOther,
    kSleep,
    kBrief,     // it has only just begun to do what it does
    kPolling,   // in poll() or select(): for work, or for an answer; which, nobody knows
    kClient,    // it waits for what a client sends: the next request, usually
    kIdleLike,  // it may as well be idle: on a futex of nobody known, waiting for orders by a pipe, for a
                // signal
};

/// Threads of one process that do the same in the same function.
struct Doing {
    Interest interest = Interest::kOther;
    std::vector<timeline::Link> links;  // of the one that has done so for longest, to the end of its chain
    bool returns = false;               // the last one waits for one that is in the chain already
    std::size_t circle = 0;             // how many threads that circle has
    std::uint64_t threads = 1;          // that do so
};

struct OwnerDoings {
    std::uint32_t owner = timeline::kNowhere;  // into Timeline::processes
    std::vector<Doing> doings;                 // by interest; bounded
    std::uint64_t threads = 0;                 // that live
    std::uint64_t idle = 0;                    // of them: that wait for work, as far as can be told
    std::uint64_t left_out = 0;                // neither idle nor among `doings`: there was no room
};

/// By the look that ended with the capture. `process` is one of `census`; its threads should have been given
/// their stacks (model::give_stacks). Pure.
OwnerDoings doings_of(const model::Census& census, const model::Process& process,
                      const model::Activity& activity, timeline::StringTable& strings);

}  // namespace waitclose::replay
