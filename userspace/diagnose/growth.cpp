// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/growth.h"

#include <algorithm>

#include "model/units.h"

namespace waitclose::diagnose {

namespace {

constexpr std::size_t kMostKept = 64;
constexpr std::uint64_t kLeastGrown = 8;
constexpr std::uint64_t kLeastSpanNs = 10 * model::kSecond;
constexpr double kComparable = 2;

}  // namespace

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
    if (span_ns < kLeastSpanNs || last_->number < first.number + kLeastGrown) return std::nullopt;
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
               (static_cast<double>(to.at_ns - from.at_ns) / static_cast<double>(model::kSecond));
    };
    const double before = rate(first, middle);
    const double after = rate(middle, *last_);
    if (std::max(before, after) > kComparable * std::min(before, after)) return std::nullopt;
    return Steady{rate(first, *last_), first.number, middle.number, last_->number, span_ns};
}

}  // namespace waitclose::diagnose
