// SPDX-License-Identifier: BSD-2-Clause
// Whether something that has grown may be expected to go on: what a forecast needs. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace waitclose::model {

/// So many that began are what a habit begins with: fewer may be chance.
inline constexpr std::uint64_t kFewestForAHabit = 8;

/// The gain per part of growth that lasts, from the gain in each of the equal parts of a time, at least four.
/// A burst is no habit: in three quarters of the parts there must have been some growth, and a part with
/// more than the others let expect is left out of the count. Nothing where growth does not last.
std::optional<double> lasting_gain(std::span<const std::uint64_t> parts);

}  // namespace waitclose::model
