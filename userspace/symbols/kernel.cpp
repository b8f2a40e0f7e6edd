// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/kernel.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "system/files.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kLargest = 64 << 20;

std::string_view next_field(std::string_view& line) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return field;
}

}  // namespace

KernelSymbols::KernelSymbols(const std::string& path) {
    const auto text = system::read_file(path, kLargest);
    for (std::string_view rest = text ? std::string_view(*text) : ""; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::string_view digits = next_field(line);
        const std::string_view type = next_field(line);
        const std::string_view name = next_field(line);
        std::uint64_t address = 0;
        const bool is_number =
            std::from_chars(digits.data(), digits.data() + digits.size(), address, 16).ec == std::errc();
        if (!is_number || address == 0 || (type != "t" && type != "T") || name.empty()) continue;
        functions_.push_back({address, static_cast<std::uint32_t>(names_.size())});
        names_.append(name.substr(0, name.find('.')));
        names_ += '\0';
    }
    std::ranges::stable_sort(functions_, {}, &Function::address);
}

std::string KernelSymbols::name_of(std::uint64_t address) const {
    const auto after = std::ranges::upper_bound(functions_, address, {}, &Function::address);
    return after == functions_.begin() ? "" : names_.c_str() + std::prev(after)->name;
}

}  // namespace waitclose::symbols
