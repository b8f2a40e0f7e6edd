// SPDX-License-Identifier: BSD-2-Clause
// Settings and fill levels of the whole machine that decide how long connections live and programs wait.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waitclose::system {

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// The kernel settings that matter here, by their names in sysctl(8); those that this kernel does not have
/// are left out. Settings of the network are those of the calling thread's network namespace.
NamedTexts settings();

/// Memory by the names of /proc/meminfo, in bytes: what is there, free, available, dirty, written back.
std::vector<std::pair<std::string, std::uint64_t>> memory_in(std::string_view meminfo);
std::vector<std::pair<std::string, std::uint64_t>> memory();

/// "0.42 0.36 0.30 2/812 4188": load over 1, 5, 15 minutes, threads that run of all. Without the last pid.
std::optional<std::string> load();

/// What the kernel takes the time from, e.g. "tsc".
std::optional<std::string> clock_source();

/// The version of the kernel and of what built it: /proc/version.
std::optional<std::string> kernel_version();

}  // namespace waitclose::system
