// SPDX-License-Identifier: BSD-2-Clause
// What a thread did while a capture followed it, in sum. Plain data; times are nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "timeline/timeline.h"

namespace waitclose::replay {

struct ThreadStory {
    /// One way of sleeping.
    struct Slept {
        timeline::StringId what = timeline::StringId::kNone;    // a wait class
        timeline::StringId detail = timeline::StringId::kNone;  // of the longest such sleep
        timeline::StackId stack = timeline::StackId::kNone;
        std::uint64_t ns = 0;
        std::uint64_t times = 0;
        std::uint64_t longest_ns = 0;
    };
    /// Where it was found on a CPU.
    struct Ran {
        std::string function;  // of the program, or of the kernel; raw
        std::uint64_t samples = 0;
    };
    struct Waker {
        timeline::StringId who = timeline::StringId::kNone;
        std::uint64_t times = 0;
        std::uint64_t ended_ns = 0;  // the sleeps that it ended, together
    };
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::string comm;      // raw
    std::string function;  // of the program, in which it was longest; empty: not known
    bool ended = false;
    std::uint64_t length_ns = 0;
    std::uint64_t on_cpu_ns = 0;
    std::uint64_t runnable_ns = 0;
    std::uint64_t blocked_ns = 0;
    std::uint64_t unknown_ns = 0;
    std::vector<Slept> classes;  // by class alone, the longest first; without stacks
    std::vector<Slept> slept;    // by class and stack, the longest first
    std::vector<Ran> ran;        // most samples first
    std::vector<Waker> wakers;   // that ended most of its sleep first
    std::uint64_t samples = 0;
};

}  // namespace waitclose::replay
