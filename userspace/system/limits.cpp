// SPDX-License-Identifier: BSD-2-Clause
#include "system/limits.h"

#include "system/text.h"

namespace waitclose::system {
namespace {

/// A number or "unlimited"; nothing for anything else.
std::optional<std::optional<std::uint64_t>> bound_in(std::string_view text) {
    if (text == "unlimited") return std::optional<std::uint64_t>{};
    const auto number = to_number(text);
    if (!number) return std::nullopt;
    return number;
}

}  // namespace

std::vector<Limit> limits_in(std::string_view proc_limits) {
    constexpr std::size_t kNameColumns = 26;  // "%-25s " of proc_pid_limits()
    std::vector<Limit> limits;
    while (!proc_limits.empty()) {
        const std::string_view line = take_line(proc_limits);
        if (line.size() <= kNameColumns || !line.starts_with("Max ")) continue;
        std::string_view name = line.substr(0, kNameColumns);
        name = name.substr(0, name.find_last_not_of(' ') + 1);
        const std::string_view rest = line.substr(kNameColumns);
        const auto soft = bound_in(word(rest, 0));
        const auto hard = bound_in(word(rest, 1));
        if (soft && hard) limits.push_back({std::string(name), *soft, *hard, std::string(word(rest, 2))});
    }
    return limits;
}

}  // namespace waitclose::system
