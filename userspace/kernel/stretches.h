// SPDX-License-Identifier: BSD-2-Clause
// From the stretches in which a thread had no CPU to intervals that leave out nothing. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bpf/activity_records.h"
#include "model/activity.h"

namespace waitclose::kernel {

/// One wc_stretch, with what it says kept elsewhere.
struct Stretch {
    std::uint64_t left_ns = 0;   // 0: before it was followed
    std::uint64_t woken_ns = 0;  // 0: never seen
    std::uint64_t on_ns = 0;     // 0: not yet
    std::uint32_t sequence = 0;
    std::uint32_t how = WC_OFF_CPU_ASLEEP;
    std::uint32_t sleep = model::kNowhere;
    std::uint32_t waker = model::kNowhere;
    std::uint64_t switches = 0;  // of the thread in its life
    bool missed = false;         // what it did since its last record was left out
};

/// What a thread was doing when the capture began, where a look at it told.
struct AtFirst {
    model::Doing doing = model::Doing::kUnknown;
    std::uint32_t sleep = model::kNowhere;
    std::uint64_t switches = 0;
};

/// Everything that was recorded of one thread.
struct Track {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    bool born_meanwhile = false;
    AtFirst first;
    std::vector<Stretch> stretches;  // as they were recorded
    std::optional<Stretch> open;     // without a CPU when the capture ended, or since its last record
    std::optional<std::uint64_t> switches_at_end;
};

/// What the hooks can tell.
struct Watched {
    bool arrivals = true;  // every arrival on a CPU; else only of threads that were seen leaving one
    bool wakeups = true;   // when a thread is woken
    bool complete = true;  // no thread is missing
    bool paused = false;  // for some time nothing was recorded: only who has not been switched since is known
};

struct Course {
    std::vector<model::Interval> intervals;  // without gap or overlap, from track.from_ns to to_ns
    std::uint64_t to_ns = 0;                 // the track's, or when the thread ended
    bool ended = false;
};

Course course_of(const Track& track, const Watched& watched);

}  // namespace waitclose::kernel
