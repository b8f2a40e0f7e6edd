// SPDX-License-Identifier: BSD-2-Clause
// Runs a program for what it writes: as some user, without a shell, for a bounded time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "failure.h"

namespace waitclose::system {

struct ProgramRun {
    std::vector<std::string> command;  // the first is a path
    std::uint32_t uid = 0;  // as whom it runs, with no other groups and, but for root, no capabilities
    std::uint32_t gid = 0;
    std::chrono::milliseconds most_time{10'000};  // then it is killed
    std::size_t most_output = 16 << 20;           // then it is killed
};

/// What the program wrote to its standard output. Fails in one sentence when it cannot be started, does not
/// end by itself with success, or writes too much. It gets an empty environment but for PATH and LC_ALL=C.
Result<std::string> output_of(const ProgramRun& run);

}  // namespace waitclose::system
