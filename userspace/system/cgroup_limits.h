// SPDX-License-Identifier: BSD-2-Clause
// What a cgroup may use, what it uses, and what happened when that was not enough.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "system/cgroups.h"

namespace waitclose::system {

/// One file of a cgroup, as the kernel writes it: "memory.max" → "536870912", "cpu.max" → "50000 100000".
struct CgroupValue {
    std::string name;
    std::string value;  // of a file of several lines: name=value, separated by blanks
};

/// The files of limits, use and events of this cgroup in all hierarchies that are mounted, of both versions;
/// what is not there, or cannot be read, is left out.
std::vector<CgroupValue> cgroup_values(std::string_view cgroup);

/// One line out of the text of such a file, bounded: controls do not come from there, but nothing is
/// believed.
std::string cgroup_value_in(std::string_view text);

}  // namespace waitclose::system
