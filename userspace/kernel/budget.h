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
    bool stacks = true;                 // of threads going to sleep
    std::uint32_t most_in_round = ~0U;  // stretches of each thread from one look at the buffer to the next

    bool operator==(const Load&) const = default;
};

/// What it has cost so far, in ns.
struct Spent {
    std::uint64_t wall_ns = 0;
    std::uint64_t cpu_ns = 0;     // of any core
    std::uint64_t paused_ns = 0;  // of wall_ns: nothing was recorded
    std::uint64_t records = 0;    // that the kernel has sent
};

class Budget {
public:
    /// `most`: the share of one core that is allowed.
    Budget(double most, std::uint32_t sample_hz) : most_(most) { load_.sample_hz = sample_hz; }

    /// Told often what was spent since the beginning. When the whole nears what is allowed and what came
    /// lately, pauses not counted, is too much, gives up one thing more: samples first, then the memory of
    /// stacks, then stacks, then the intervals of threads that sleep most often. Says in a sentence what;
    /// nothing when all stays.
    std::optional<std::string> judge(const Spent& spent);

    /// How many records the kernel may send until this is asked again, in some 25 ms: what is allowed and not
    /// yet spent pays for them. Within the first second all of that second may be spent.
    std::int64_t records_to_come(const Spent& spent);

    const Load& load() const { return load_; }

private:
    std::optional<std::string> give_up(bool much);

    double most_;
    Load load_;
    Spent before_;
    Spent at_last_count_;
    std::uint64_t cost_of_record_ = 4000;  // in ns, with everything; the first guess is of 6.18, with stacks
};

}  // namespace waitclose::kernel
