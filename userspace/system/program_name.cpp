// SPDX-License-Identifier: BSD-2-Clause
#include "system/program_name.h"

#include <algorithm>

#include <fmt/format.h>

#include "system/files.h"

namespace waitclose::system {
namespace {

constexpr std::size_t kLongest = 4096;

}  // namespace

std::optional<std::string> program_name_in(std::string_view cmdline) {
    const std::string_view name = cmdline.substr(0, cmdline.find_first_of(std::string_view("\0 \t\n", 4)));
    if (name.empty()) return std::nullopt;
    return std::string(name.substr(0, kLongest));
}

std::optional<std::string> command_line_in(std::string_view cmdline, std::size_t most) {
    while (cmdline.ends_with('\0')) cmdline.remove_suffix(1);
    if (cmdline.empty()) return std::nullopt;
    std::string line(cmdline.substr(0, most));
    std::ranges::replace(line, '\0', ' ');
    return line;
}

std::optional<std::string> program_name(std::uint32_t pid, bool with_arguments) {
    const auto bytes = read_file(fmt::format("/proc/{}/cmdline", pid), kLongest);
    if (!bytes) return std::nullopt;
    return with_arguments ? command_line_in(*bytes, kLongest) : program_name_in(*bytes);
}

}  // namespace waitclose::system
