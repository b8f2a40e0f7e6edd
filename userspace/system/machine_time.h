// SPDX-License-Identifier: BSD-2-Clause
// What the whole machine, and cgroups, were short of: counters read at the two ends of a window.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/window.h"

namespace waitclose::system {

/// Since boot. What cannot be read is absent.
struct MachineTime {
    std::optional<std::uint64_t> steal_ns;  // of all CPUs
    std::uint32_t cpus = 0;
    model::PressureTime cpu;
    model::PressureTime memory;
    model::PressureTime io;
};

/// Of a cgroup with the cpu controller, since it was made.
struct CgroupTime {
    std::string cgroup;
    std::uint64_t periods = 0;
    std::uint64_t throttled_periods = 0;
    std::uint64_t throttled_ns = 0;
};

MachineTime machine_time();

/// Of these cgroups and those above them, since a quota there counts as well; those that cannot be read are
/// left out. The paths are those of the hierarchy with the cpu controller, as cpu_cgroup_of gives them.
std::vector<CgroupTime> cgroup_times(const std::set<std::string>& cgroups);

/// Fill in what happened between two readings.
void add_machine_time(const MachineTime& before, const MachineTime& after, model::Window& window);
void add_throttling(std::span<const CgroupTime> before, std::span<const CgroupTime> after,
                    model::Window& window);

/// Of the text of /proc/pressure/cpu and its like (since 4.20), times since boot.
model::PressureTime pressure_in(std::string_view text);

/// The eighth number of the line "cpu" of /proc/stat, in ticks of `tick_ns`.
std::optional<std::uint64_t> steal_in(std::string_view proc_stat, std::uint64_t tick_ns);

/// Of the text of a cpu.stat: of cgroup v1 (throttled_time, ns) or v2 (throttled_usec); nothing without a
/// quota ever set.
std::optional<CgroupTime> cpu_stat_in(std::string_view text);

/// The path of /proc/PID/cgroup in the hierarchy that has the cpu controller: of v1 when it is mounted there,
/// else of v2. Nothing for a path outside our cgroup namespace ("/../").
std::optional<std::string> cpu_cgroup_of(std::string_view proc_cgroup);

/// Where that hierarchy is mounted, from the text of /proc/self/mounts.
std::optional<std::string> cpu_mount_in(std::string_view mounts);

}  // namespace waitclose::system
