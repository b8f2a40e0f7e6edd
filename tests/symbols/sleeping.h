// SPDX-License-Identifier: BSD-2-Clause
// Programs that stand still, and their stacks. Stops them by ptrace, which waitclose itself never does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/stack.h"

namespace waitclose::symbols {

/// A line for each frame.
std::string text_of(const model::Stack& stack);

/// A program that has written a line when this is made, and ends with this.
class Sleeper {
public:
    explicit Sleeper(std::vector<std::string> command);
    ~Sleeper();
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    /// Writes to its standard input and waits for its next line.
    void say(const std::string& text) const;

    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
    std::uint64_t start_ns() const;
    /// Its threads, in the order of their ids.
    std::vector<std::uint32_t> threads() const;
    /// The stack of a thread (of the last one that has begun, unless told) once it is in a system call, or,
    /// for -1, outside of any.
    std::optional<model::RawStack> stack_in(long syscall, std::uint32_t tid = 0) const;

private:
    void wait_for_line() const;

    int pid_ = -1;
    int input_ = -1;
    int output_ = -1;
};

}  // namespace waitclose::symbols
