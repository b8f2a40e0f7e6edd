// SPDX-License-Identifier: BSD-2-Clause
// What a process may execute: the executable lines of /proc/PID/maps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waitclose::symbols {

/// A range of addresses that is mapped executable.
struct Mapping {
    std::uint64_t start = 0;
    std::uint64_t end = 0;  // the first address behind it
    std::uint64_t file_offset = 0;
    std::uint64_t inode = 0;  // 0: of no file
    std::string device;       // as the kernel writes it, "08:01"
    std::string path;         // raw, without " (deleted)"; "[vdso]" and the like where there is no file

    bool operator==(const Mapping&) const = default;
};

/// The executable lines of a text in the form of /proc/PID/maps, by address. Lines that are none are passed
/// over; of more than some ten thousand, the first are taken.
std::vector<Mapping> executable_mappings(std::string_view maps);

/// The mapping that an address lies in; null when it lies in none. They must be sorted, as the above are.
const Mapping* mapping_at(const std::vector<Mapping>& mappings, std::uint64_t address);

}  // namespace waitclose::symbols
