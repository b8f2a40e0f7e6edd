// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/memory_map.h"

#include <algorithm>
#include <charconv>

#include "system/text.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kMostMappings = 1 << 15;
constexpr std::string_view kDeleted = " (deleted)";

bool take_hex(std::string_view& text, char behind, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc() || end == text.data() + text.size() || *end != behind) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

std::string_view take_word(std::string_view& text) {
    const std::string_view found = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), found.size() + 1));
    return found;
}

/// "start-end perms offset device inode   path"
bool parse(std::string_view line, Mapping& mapping) {
    if (!take_hex(line, '-', mapping.start) || !take_hex(line, ' ', mapping.end)) return false;
    const std::string_view rights = take_word(line);
    if (rights.size() < 3 || rights[2] != 'x' || mapping.end <= mapping.start) return false;
    if (!take_hex(line, ' ', mapping.file_offset)) return false;
    mapping.device = take_word(line);
    mapping.inode = system::to_number(take_word(line)).value_or(0);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
    mapping.path = line;
    return true;
}

}  // namespace

std::vector<Mapping> executable_mappings(std::string_view maps) {
    std::vector<Mapping> found;
    while (!maps.empty() && found.size() < kMostMappings) {
        Mapping mapping;
        if (parse(system::take_line(maps), mapping)) found.push_back(std::move(mapping));
    }
    std::ranges::sort(found, {}, &Mapping::start);
    return found;
}

const Mapping* mapping_at(const std::vector<Mapping>& mappings, std::uint64_t address) {
    const auto behind = std::ranges::upper_bound(mappings, address, {}, &Mapping::start);
    if (behind == mappings.begin()) return nullptr;
    const Mapping& before = *std::prev(behind);
    return address < before.end ? &before : nullptr;
}

}  // namespace waitclose::symbols
