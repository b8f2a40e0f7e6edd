// SPDX-License-Identifier: BSD-2-Clause
// The resource limits of a process, as /proc/PID/limits lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waitclose::system {

/// One line: its name as the kernel writes it ("Max open files"), and nothing where it is unlimited.
struct Limit {
    std::string name;
    std::optional<std::uint64_t> soft;
    std::optional<std::uint64_t> hard;
    std::string unit;  // "files", "bytes"; empty for a plain number
};

/// Of the text of /proc/PID/limits; lines that are none are left out.
std::vector<Limit> limits_in(std::string_view proc_limits);

}  // namespace waitclose::system
