// SPDX-License-Identifier: BSD-2-Clause
#include "model/growth.h"

#include <algorithm>
#include <numeric>

#include "model/units.h"

namespace waitclose::model {

namespace {

constexpr std::size_t kFewestParts = 4;
/// A part with so many times what the others have on average, and a few more, is a burst.
constexpr double kBurstTimes = 3;
constexpr double kBurstMore = 2;
/// In the latest part it has slowed down to that share, or stopped.
constexpr double kSlowedTo = 1.0 / 3;

constexpr std::size_t kMostKept = 64;
constexpr std::uint64_t kLeastSpanNs = 10 * kSecond;
constexpr double kComparable = 2;

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
    if (burst && rest < kFewestForAHabit) return std::nullopt;
    const double gain = burst ? average : static_cast<double>(total) / static_cast<double>(parts.size());
    return static_cast<double>(parts.front()) < kSlowedTo * gain ? std::nullopt : std::optional(gain);
}

void Growth::look(std::uint64_t at_ns, std::uint64_t number) {
    if (last_ && at_ns < last_->at_ns) return;
    last_ = Look{at_ns, number};
    if (!looks_.empty() && at_ns - looks_.back().at_ns < apart_ns_) return;
    looks_.push_back(*last_);
    if (looks_.size() < kMostKept) return;
    // Every other one goes.
    for (std::size_t i = 1; 2 * i < looks_.size(); ++i) looks_[i] = looks_[2 * i];
    looks_.resize((looks_.size() + 1) / 2);
    apart_ns_ = 2 * (looks_.back().at_ns - looks_.front().at_ns) / kMostKept;
}

std::optional<Growth::Steady> Growth::steady() const {
    if (!last_ || looks_.size() < 2) return std::nullopt;
    const Look& first = looks_.front();
    const std::uint64_t span_ns = last_->at_ns - first.at_ns;
    if (span_ns < kLeastSpanNs || last_->number < first.number + kFewestForAHabit) return std::nullopt;
    const std::uint64_t half_ns = first.at_ns + span_ns / 2;
    const auto from_half = [&](const Look& look) {
        return look.at_ns > half_ns ? look.at_ns - half_ns : half_ns - look.at_ns;
    };
    const Look& middle = *std::ranges::min_element(looks_, {}, from_half);
    // Nobody looked in the middle of it.
    if (from_half(middle) > span_ns / 4) return std::nullopt;
    if (middle.number <= first.number || last_->number <= middle.number) return std::nullopt;
    const auto rate = [](const Look& from, const Look& to) {
        return static_cast<double>(to.number - from.number) /
               (static_cast<double>(to.at_ns - from.at_ns) / static_cast<double>(kSecond));
    };
    const double before = rate(first, middle);
    const double after = rate(middle, *last_);
    if (std::max(before, after) > kComparable * std::min(before, after)) return std::nullopt;
    return Steady{rate(first, *last_), first.number, middle.number, last_->number, span_ns};
}

}  // namespace waitclose::model
