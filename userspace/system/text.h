// SPDX-License-Identifier: BSD-2-Clause
// Reading the kernel's text files: words, lines, numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waitclose::system {

/// The n-th (from 0) word of a line whose words are separated by blanks; empty when there are fewer.
std::string_view word(std::string_view line, int n);

/// Takes the first line (without its newline) off the front of `text`.
std::string_view take_line(std::string_view& text);

/// A decimal number and nothing else; nothing when malformed or out of range.
std::optional<std::uint64_t> to_number(std::string_view text);

/// A path of /proc/self/mountinfo, which writes blanks, tabs, newlines and backslashes as octal escapes.
std::string unescape_mount(std::string_view text);

}  // namespace waitclose::system
