// SPDX-License-Identifier: BSD-2-Clause
// What a capture gives up when it costs more than is allowed, and in which order. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace waitclose::kernel {

/// How much is recorded.
struct Load {
    std::uint32_t sample_hz = 0;
    bool stack_bytes = true;
    std::uint32_t most_stretches = ~0U;  // of each thread

    bool operator==(const Load&) const = default;
};

/// What it has cost so far, in ns.
struct Spent {
    std::uint64_t wall_ns = 0;
    std::uint64_t cpu_ns = 0;  // of any core
};

class Budget {
public:
    /// `most`: the share of one core that is allowed.
    Budget(double most, std::uint32_t sample_hz) : most_(most) { load_.sample_hz = sample_hz; }

    /// Told now and then what was spent since the beginning. When both the whole and what came since the last
    /// time are too much, gives up one thing more: samples first, then the memory of stacks, then the
    /// intervals of threads that have had the most of them. Says in a sentence what; nothing when all stays.
    std::optional<std::string> judge(const Spent& spent);

    const Load& load() const { return load_; }

private:
    std::string give_up();

    double most_;
    Load load_;
    Spent before_;
};

}  // namespace waitclose::kernel
