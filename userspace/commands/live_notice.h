// SPDX-License-Identifier: BSD-2-Clause
// What the live view says at its foot.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "failure.h"

namespace waitclose::commands {

/// How long it can be read: an error asks somebody who may be looking elsewhere to do something.
inline constexpr std::uint64_t kNoticeStaysNs = 10'000'000'000;
inline constexpr std::uint64_t kErrorStaysNs = 60'000'000'000;

struct Notice {
    std::string text;
    bool is_error = false;
    bool until_done = false;  // it stays until the end of what it tells of is said
};

/// Where the files of `r` and `w` go is decided when waitclose starts.
inline constexpr const char* kElsewhere =
    "free some space, or start waitclose in a directory that has room and may be written to";

/// What went wrong, and what to do about it.
inline Notice notice_of(const Failure& failure) {
    return {failure.remedy.empty() ? failure.what : fmt::format("{}; {}", failure.what, failure.remedy), true,
            false};
}

}  // namespace waitclose::commands
