// SPDX-License-Identifier: BSD-2-Clause
// What each thread did between two looks, from the scheduler's counters and from what was seen in between.
// Pure.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bpf/records.h"
#include "model/census.h"

namespace waitclose::kernel {

/// A thread as a look found it, with its process.
struct ThreadLook {
    std::uint32_t pid = 0;
    model::Thread thread;
};

/// The threads of a census.
std::vector<ThreadLook> looks_of(const model::Census& census);

/// What the kernel side noted in between.
struct Switches {
    std::vector<wc_switched> threads;
    std::vector<std::pair<wc_slept_key, std::uint64_t>> slept;
};

/// One entry for each thread of `last`, and for each that ended in between. Of a thread that is older than
/// `from_ns` and in no first look nothing can be said, so it is left out. In the order of model::Window.
std::vector<model::ThreadTime> shares(std::span<const ThreadLook> first, const Switches& between,
                                      std::span<const ThreadLook> last, std::uint64_t from_ns);

}  // namespace waitclose::kernel
