// SPDX-License-Identifier: BSD-2-Clause
// How far long work has come, on stderr when that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace waitclose::commands {

/// One line that is written over and over, and taken away at the end. Nothing is shown of what takes less
/// than half a second.
class ProgressLine {
public:
    explicit ProgressLine(std::string what);
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine();

    void tell(std::uint64_t done, std::uint64_t total);

private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    bool shows_;
    bool shown_ = false;
    Clock::time_point next_;
};

}  // namespace waitclose::commands
