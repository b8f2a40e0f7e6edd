// SPDX-License-Identifier: BSD-2-Clause
#include "model/growth.h"

#include <algorithm>
#include <numeric>

namespace waitclose::model {

namespace {

constexpr std::size_t kFewestParts = 4;
/// A part with so many times what the others have on average, and a few more, is a burst.
constexpr double kBurstTimes = 3;
constexpr double kBurstMore = 2;

}  // namespace

std::optional<double> lasting_gain(std::span<const std::uint64_t> parts) {
    if (parts.size() < kFewestParts) return std::nullopt;
    const auto grown = std::ranges::count_if(parts, [](std::uint64_t gain) { return gain > 0; });
    if (static_cast<std::size_t>(grown) * 4 < parts.size() * 3) return std::nullopt;
    const auto total = std::accumulate(parts.begin(), parts.end(), std::uint64_t{0});
    if (total < kFewestForAHabit) return std::nullopt;
    const std::uint64_t most = *std::ranges::max_element(parts);
    const std::uint64_t rest = total - most;
    const double average = static_cast<double>(rest) / static_cast<double>(parts.size() - 1);
    const bool burst = static_cast<double>(most) > kBurstTimes * average + kBurstMore;
    if (!burst) return static_cast<double>(total) / static_cast<double>(parts.size());
    return rest < kFewestForAHabit ? std::nullopt : std::optional(average);
}

}  // namespace waitclose::model
