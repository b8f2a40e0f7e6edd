// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/budget.h"

#include <algorithm>

#include <fmt/format.h>

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kInterval = 250'000'000;     // what is spent in less tells little
constexpr std::uint64_t kBeginning = 1'000'000'000;  // the beginning costs more than what follows
constexpr std::uint32_t kMostAtFirst = 4096;
constexpr std::uint32_t kLeast = 64;

}  // namespace

std::optional<std::string> Budget::judge(const Spent& spent) {
    const std::uint64_t wall_ns = spent.wall_ns - before_.wall_ns;
    if (spent.wall_ns < before_.wall_ns || wall_ns < kInterval) return std::nullopt;
    const double lately = static_cast<double>(spent.cpu_ns - before_.cpu_ns) / static_cast<double>(wall_ns);
    const double in_all =
        static_cast<double>(spent.cpu_ns) / static_cast<double>(std::max(spent.wall_ns, kBeginning));
    before_ = spent;
    if (lately <= most_ || in_all <= most_) return std::nullopt;
    if (load_.sample_hz == 0 && !load_.stack_bytes && load_.most_stretches <= kLeast) return std::nullopt;
    return fmt::format("{} after {:.1f} s, since the capture took {:.1f} % of a core", give_up(),
                       static_cast<double>(spent.wall_ns) / 1e9, lately * 100);
}

std::string Budget::give_up() {
    if (load_.sample_hz > 0) {
        load_.sample_hz = load_.sample_hz > 49 ? 49 : load_.sample_hz > 19 ? 19 : 0;
        if (load_.sample_hz == 0) return "threads on a CPU were no longer sampled";
        return fmt::format("threads on a CPU were sampled {} times a second only", load_.sample_hz);
    }
    if (load_.stack_bytes) {
        load_.stack_bytes = false;
        return "the stacks of threads going to sleep were read in the kernel only";
    }
    load_.most_stretches =
        load_.most_stretches > kMostAtFirst ? kMostAtFirst : std::max(kLeast, load_.most_stretches / 4);
    return fmt::format("threads that had slept {} times were followed no further", load_.most_stretches);
}

}  // namespace waitclose::kernel
