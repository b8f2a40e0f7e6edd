// SPDX-License-Identifier: BSD-2-Clause
// Spans of time in nanoseconds.
#pragma once

#include <cstdint>

namespace waitclose::model {

inline constexpr std::uint64_t kMicrosecond = 1'000;
inline constexpr std::uint64_t kMillisecond = 1'000'000;
inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kMinute = 60 * kSecond;
inline constexpr std::uint64_t kHour = 60 * kMinute;
inline constexpr std::uint64_t kDay = 24 * kHour;

}  // namespace waitclose::model
