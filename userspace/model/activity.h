// SPDX-License-Identifier: BSD-2-Clause
// What threads did, moment by moment, while a capture ran. Plain data; times are nanoseconds of
// CLOCK_BOOTTIME.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/process.h"
#include "model/socket.h"
#include "model/stack.h"

namespace waitclose::model {

/// An index that points at nothing.
inline constexpr std::uint32_t kNowhere = UINT32_MAX;

enum class Doing : std::uint8_t {
    kUnknown,   // events were lost, or it was not followed yet
    kRunning,   // on a CPU
    kRunnable,  // it could have run, but had no CPU
    kBlocked,   // asleep
};

/// One way of sleeping. Threads do so in few ways, again and again.
struct Sleep {
    std::optional<std::uint32_t> syscall;  // nothing: it was in none, a page fault for instance
    std::array<std::uint64_t, 4> arguments{};
    std::optional<FileFact> file;  // what its first argument refers to
    bool in_iowait = false;
    std::uint32_t stack = kNowhere;  // into Activity::stacks: where it went to sleep
};

/// A stretch of time in which a thread did one thing.
struct Interval {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;  // the first moment that is not in it
    Doing doing = Doing::kUnknown;
    std::uint32_t sleep = kNowhere;  // of kBlocked: into Activity::sleeps
    std::uint32_t waker = kNowhere;  // of kBlocked: who ended it, into Activity::wakers; nowhere: no thread
};

/// Where a thread was when the sampling clock found it on a CPU.
struct CpuSample {
    std::uint64_t at_ns = 0;
    std::uint32_t stack = kNowhere;  // into Activity::stacks
};

/// One thread. Its intervals follow one another without gap or overlap from from_ns to to_ns.
struct ThreadActivity {
    std::uint32_t pid = 0;
    std::uint64_t process_start_ns = 0;
    std::uint32_t tid = 0;
    std::uint64_t start_ns = 0;
    std::string comm;           // raw
    std::uint64_t from_ns = 0;  // the capture's, or when the thread was first followed
    std::uint64_t to_ns = 0;    // the capture's, or when it ended
    bool ended = false;
    std::vector<Interval> intervals;
    std::vector<CpuSample> samples;
    std::uint32_t resting_stack = kNowhere;  // into Activity::stacks: of one asleep since before the capture
};

struct Activity {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::vector<ThreadActivity> threads;  // by pid, then tid
    std::vector<Sleep> sleeps;
    std::vector<Actor> wakers;
    std::vector<Stack> stacks;           // each once
    std::uint64_t sample_period_ns = 0;  // what one sample stands for; 0: none were taken
    std::uint64_t lost = 0;              // events the buffers had no room for
    std::vector<std::string> lacks;      // what could not be had, a sentence each
};

}  // namespace waitclose::model
