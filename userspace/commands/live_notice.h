// SPDX-License-Identifier: BSD-2-Clause
// What the live view says at its foot.
#pragma once

#include <string>

#include <fmt/format.h>

#include "failure.h"

namespace waitclose::commands {

struct Notice {
    std::string text;
    bool is_error = false;
};

/// Where the files of `r` and `w` go is decided when waitclose starts.
inline constexpr const char* kElsewhere =
    "free some space, or start waitclose in a directory that has room and may be written to";

/// What went wrong, and what to do about it.
inline Notice notice_of(const Failure& failure) {
    return {failure.remedy.empty() ? failure.what : fmt::format("{}; {}", failure.what, failure.remedy),
            true};
}

}  // namespace waitclose::commands
