// SPDX-License-Identifier: BSD-2-Clause
// The stacks of threads that sleep now: registers from the kernel, memory read from outside, nobody stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "failure.h"
#include "kernel/probes.h"
#include "model/stack.h"

namespace waitclose::kernel {

struct StackLimits {
    std::size_t bytes_of_one = 256 << 10;
    std::size_t bytes_of_all = 128 << 20;
    std::size_t threads = 4096;
};

/// One stack for each sleeping thread of the processes (ids in waitclose's PID namespace), in the order of
/// the process ids. The thread's count of context switches is read before and after: of a thread that ran
/// meanwhile the stack is read again, three times at most, and then marked as moved. A process of which some
/// thread may hold the memory lock for long gives kernel addresses and registers, and no bytes. Empty where
/// the kernel tells no registers; fails where the iterator does. Needs ProbeSettings::captures.
Result<std::vector<model::RawStack>> sleeping_stacks(const Probes& probes,
                                                     std::span<const std::uint32_t> processes,
                                                     const StackLimits& limits = {});

}  // namespace waitclose::kernel
