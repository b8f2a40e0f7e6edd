// SPDX-License-Identifier: BSD-2-Clause
// Threads that sleep in poll() on one descriptor: a second look tells what that is.
#pragma once

#include <vector>

#include "bpf/records.h"
#include "kernel/iterator.h"
#include "kernel/probes.h"

namespace waitclose::kernel {

/// The thread has not run between two looks, so what was read from its memory in between is what it asked
/// for.
bool slept_between(const wc_census_thread& before, const wc_census_thread& after);

/// Puts what a second look tells into the records of threads that poll one descriptor. Those that have moved
/// on stay as they are. `threads`: the iterator that gave the records.
Result<void> look_at_polled(const Probes& probes, const Iterator& threads,
                            std::vector<wc_census_thread>& records);

}  // namespace waitclose::kernel
