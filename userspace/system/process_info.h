// SPDX-License-Identifier: BSD-2-Clause
// What /proc tells about a process that holds a socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/process.h"

namespace waitclose::system {

/// Fills exe, cgroup, container, fds_used and fd_limit of a process whose pid and start time are known.
/// Leaves them empty where /proc refuses, and where the pid has meanwhile gone to another process.
void describe_process(model::Process& process);

/// When a process started, CLOCK_BOOTTIME in ns, to the clock tick (10 ms) that it is in; nothing when there
/// is none of that number.
std::optional<std::uint64_t> process_start_ns(std::uint32_t pid);

/// The container id that a cgroup path names (docker, containerd, cri-o, podman, kubernetes), shortened to
/// 12 characters; nothing when the path names none.
std::optional<std::string> container_of(std::string_view cgroup);

/// The path of the most telling line of /proc/PID/cgroup: the v2 line unless it is the root, else the
/// deepest v1 line.
std::optional<std::string> cgroup_of(std::string_view proc_cgroup);

/// The soft limit of "Max open files" in /proc/PID/limits; nothing when it is unlimited or malformed.
std::optional<std::uint64_t> fd_limit_of(std::string_view proc_limits);

/// Whether a pid still belongs to the process that started then (CLOCK_BOOTTIME), as far as the clock ticks
/// of /proc/PID/stat tell.
bool is_same_process(std::uint32_t pid, std::uint64_t start_ns);

/// Field 22 of /proc/PID/stat, the start time in clock ticks since boot; nothing when malformed.
/// The comm in field 2 may itself contain spaces and parentheses.
std::optional<std::uint64_t> start_ticks_of(std::string_view proc_stat);

}  // namespace waitclose::system
