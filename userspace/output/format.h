// SPDX-License-Identifier: BSD-2-Clause
// Numbers, times and addresses as people and machines read them, and durations as people type them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "model/wording.h"

namespace waitclose::output {

using model::duration_text;
using model::endpoint_text;
using model::short_duration_text;

/// "182,331"
std::string count_text(std::uint64_t number);

/// RFC 3339 in UTC, from nanoseconds since the epoch: "2026-11-20T20:00:00.123456789Z".
std::string rfc3339(std::int64_t epoch_ns);

/// Local time for people: "20:00:00.123" and "2026-11-20 20:00:00 +0000".
std::string clock_text(std::int64_t epoch_ns);
std::string date_time_text(std::int64_t epoch_ns);

/// Seconds that the local time of these texts is ahead of UTC at that moment.
std::int64_t utc_offset_s(std::int64_t epoch_ns);

/// Reads "250ms", "10s", "1.5s", "5m", "2h", "1d" (also ns, us), or a bare 0. The error is a sentence.
tl::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text);

}  // namespace waitclose::output
