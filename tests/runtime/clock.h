// SPDX-License-Identifier: BSD-2-Clause
// The culprits' clock and the clock of waitclose's output on one scale: CLOCK_BOOTTIME, in nanoseconds.
#pragma once

#include <cstdint>
#include <string>

namespace runtime {

std::int64_t boot_ns();
std::int64_t boot_ns_of(const std::string& utc);  // "2026-11-20T20:00:00.123456789Z"

}  // namespace runtime
