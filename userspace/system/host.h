// SPDX-License-Identifier: BSD-2-Clause
// Facts about the machine: names, clocks.
#pragma once

#include <cstdint>

#include "model/facts.h"

namespace waitclose::system {

/// Host name, kernel release and boot id; a part that cannot be read is empty.
model::HostFacts host_facts();

/// Nanoseconds of CLOCK_BOOTTIME, the clock of every record.
std::uint64_t boottime_ns();

/// The time on a CPU that waitclose itself has had so far, all threads together, in ns.
std::uint64_t own_cpu_ns();

/// What to add to a CLOCK_BOOTTIME to get nanoseconds since the epoch (CLOCK_REALTIME).
std::int64_t wall_offset_ns();

/// The length of a kernel tick (1/HZ) in ns: the resolution of the coarse clocks.
std::uint64_t tick_ns();

}  // namespace waitclose::system
