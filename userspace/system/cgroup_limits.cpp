// SPDX-License-Identifier: BSD-2-Clause
#include "system/cgroup_limits.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::array<const char*, 22> kFiles{
    "memory.max",
    "memory.high",
    "memory.current",
    "memory.swap.max",
    "memory.swap.current",
    "memory.events",
    "pids.max",
    "pids.current",
    "pids.events",
    "cpu.max",
    "cpu.weight",
    "cpu.stat",
    "cgroup.freeze",
    "cgroup.events",
    "io.max",
    // version 1
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "cpu.shares",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.failcnt",
    "memory.oom_control",
};

}  // namespace

std::string cgroup_value_in(std::string_view text) {
    constexpr std::size_t kLongest = 1024;
    std::string value;
    const bool has_lines = text.find('\n') + 1 < text.size() && text.find('\n') != std::string_view::npos;
    while (!text.empty() && value.size() < kLongest) {
        std::string line(take_line(text));
        // "oom_kill 3" reads like two values once the lines are joined.
        if (has_lines) std::ranges::replace(line, ' ', '=');
        if (!value.empty() && !line.empty()) value += ' ';
        value += line;
    }
    value.resize(std::min(value.size(), kLongest));
    return value;
}

std::vector<CgroupValue> cgroup_values(std::string_view cgroup) {
    std::vector<CgroupValue> values;
    const auto mountinfo = read_file("/proc/self/mountinfo", 64U << 20);
    for (const CgroupMount& mount : cgroup_mounts_in(mountinfo.value_or(""))) {
        const std::string directory = directory_in(mount, cgroup);
        if (directory.empty()) continue;
        for (const char* name : kFiles) {
            const bool known = std::ranges::find(values, name, &CgroupValue::name) != values.end();
            const auto text = known ? std::nullopt : read_file(fmt::format("{}/{}", directory, name), 4096);
            if (text) values.push_back({name, cgroup_value_in(*text)});
        }
    }
    return values;
}

}  // namespace waitclose::system
