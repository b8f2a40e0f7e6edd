// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/budget.h"

#include <algorithm>

#include <fmt/format.h>

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kInterval = 100'000'000;     // what is spent in less tells little
constexpr std::uint64_t kLeastOpen = 5'000'000;      // of it without a pause
constexpr std::uint64_t kBeginning = 1'000'000'000;  // the beginning costs more than what follows
constexpr double kNear = 0.8;                        // of what is allowed
constexpr double kFarTooMuch = 4;                    // times what is allowed
constexpr std::uint32_t kMostAtFirst = 64;
constexpr std::uint64_t kLeastCost = 300;

double share(std::uint64_t part, std::uint64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::optional<std::string> Budget::judge(const Spent& spent) {
    if (spent.wall_ns < before_.wall_ns + kInterval) return std::nullopt;
    const std::uint64_t paused_ns = spent.paused_ns - before_.paused_ns;
    const std::uint64_t wall_ns = spent.wall_ns - before_.wall_ns;
    if (wall_ns < paused_ns + kLeastOpen) return std::nullopt;
    const double lately = share(spent.cpu_ns - before_.cpu_ns, wall_ns - paused_ns);
    const double in_all = share(spent.cpu_ns, std::max(spent.wall_ns, kBeginning));
    before_ = spent;
    if (lately <= most_ || in_all <= most_ * kNear) return std::nullopt;
    const auto what = give_up(lately > most_ * kFarTooMuch);
    if (!what) return std::nullopt;
    return fmt::format("{} after {:.1f} s, since the capture would have taken {:.0f} % of a core", *what,
                       static_cast<double>(spent.wall_ns) / 1e9, lately * 100);
}

std::int64_t Budget::records_to_come(const Spent& spent) {
    constexpr std::uint64_t kEnoughToTell = 32;
    if (spent.records >= at_last_count_.records + kEnoughToTell) {
        const std::uint64_t each =
            (spent.cpu_ns - at_last_count_.cpu_ns) / (spent.records - at_last_count_.records);
        cost_of_record_ = std::max(kLeastCost, (cost_of_record_ + each) / 2);
        at_last_count_ = spent;
    }
    const double allowed = most_ * static_cast<double>(std::max(spent.wall_ns, kBeginning));
    const double left = allowed - static_cast<double>(spent.cpu_ns);
    return left > 0 ? static_cast<std::int64_t>(left / static_cast<double>(cost_of_record_)) : 0;
}

std::optional<std::string> Budget::give_up(bool much) {
    if (load_.sample_hz > 0) {
        load_.sample_hz = much || load_.sample_hz <= 19 ? 0 : load_.sample_hz > 49 ? 49 : 19;
        if (load_.sample_hz == 0) return "threads on a CPU were no longer sampled";
        return fmt::format("threads on a CPU were sampled {} times a second only", load_.sample_hz);
    }
    if (load_.stack_bytes) {
        load_.stack_bytes = false;
        return "the stacks of threads going to sleep were read in the kernel only";
    }
    if (load_.stacks) {
        load_.stacks = false;
        return "the stacks of threads going to sleep were no longer read";
    }
    if (load_.most_in_round == 1) return std::nullopt;
    load_.most_in_round = load_.most_in_round > kMostAtFirst ? kMostAtFirst : load_.most_in_round / 4;
    return fmt::format("of threads that sleep more than {} times in 25 ms not every sleep was told",
                       load_.most_in_round);
}

}  // namespace waitclose::kernel
