// SPDX-License-Identifier: BSD-2-Clause
#include "live/history.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/growth.h"
#include "model/units.h"

namespace waitclose::live {

void History::add(std::uint64_t at_ns, std::uint64_t count) {
    constexpr std::uint64_t kApartNs = model::kSecond / 2;
    const std::size_t size = counts_.size();
    if (size >= 2 && counts_[size - 1].first - counts_[size - 2].first < kApartNs) counts_.pop_back();
    counts_.emplace_back(at_ns, count);
    // One of a minute ago or before stays, to compare with.
    while (counts_.size() > 2 && counts_[1].first + model::kMinute <= at_ns) counts_.pop_front();
}

void History::begin_empty(std::uint64_t from_ns, std::uint64_t until_ns) {
    if (from_ns < until_ns) counts_.emplace_back(from_ns, 0);
    counts_.emplace_back(until_ns, 0);
}

Trend History::trend() const {
    constexpr std::uint64_t kLeastNs = 5 * model::kSecond;
    Trend trend;
    if (counts_.empty()) return trend;
    const auto& [until_ns, last] = counts_.back();
    const std::uint64_t over_ns = std::min(model::kMinute, until_ns - counts_.front().first);
    for (std::uint64_t ago_ns = over_ns / model::kSecond * model::kSecond; ago_ns > 0;
         ago_ns -= model::kSecond)
        trend.counts.push_back(static_cast<std::uint64_t>(std::llround(at(until_ns - ago_ns))));
    trend.counts.push_back(last);
    if (over_ns >= kLeastNs)
        trend.gain = Gain{static_cast<double>(last) - at(until_ns - over_ns), over_ns, lasts(over_ns)};
    return trend;
}

/// By the rule of forecasts: what came at once does not go on.
bool History::lasts(std::uint64_t over_ns) const {
    constexpr std::uint64_t kLeastNs = 10 * model::kSecond;
    constexpr std::size_t kParts = 4;
    if (over_ns < kLeastNs) return false;
    // Where nobody looked for so long, what came may have come at once.
    const std::uint64_t from_ns = counts_.back().first - over_ns;
    for (std::size_t i = 1; i < counts_.size(); ++i)
        if (counts_[i].first > from_ns &&
            counts_[i].first - std::max(counts_[i - 1].first, from_ns) > over_ns / kParts)
            return false;
    std::array<std::uint64_t, kParts> gains{};
    std::uint64_t until_ns = counts_.back().first;
    for (std::uint64_t& gain : gains) {
        const double grew = at(until_ns) - at(until_ns - over_ns / kParts);
        gain = grew > 0 ? static_cast<std::uint64_t>(std::llround(grew)) : 0;
        until_ns -= over_ns / kParts;
    }
    return model::lasting_gain(gains).has_value();
}

double History::at(std::uint64_t at_ns) const {
    const auto after =
        std::ranges::lower_bound(counts_, at_ns, {}, [](const auto& one) { return one.first; });
    if (after == counts_.end()) return static_cast<double>(counts_.back().second);
    const auto count = static_cast<double>(after->second);
    if (after == counts_.begin() || after->first == at_ns) return count;
    const auto before = after - 1;
    const double share =
        static_cast<double>(at_ns - before->first) / static_cast<double>(after->first - before->first);
    const auto count_before = static_cast<double>(before->second);
    return count_before + (count - count_before) * share;
}

}  // namespace waitclose::live
