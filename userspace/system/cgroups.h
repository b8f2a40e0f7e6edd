// SPDX-License-Identifier: BSD-2-Clause
// Where control groups can be looked up: the hierarchies that are mounted, and how much each mount shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waitclose::system {

/// A mounted hierarchy of cgroups, of either version.
struct CgroupMount {
    std::string root;   // the cgroup it begins at, named as /proc/PID/cgroup names cgroups
    std::string point;  // where it is mounted
};

/// The same from the text of a mountinfo file (proc_pid_mountinfo(5)).
std::vector<CgroupMount> cgroup_mounts_in(std::string_view mountinfo);

/// The directory that a cgroup would have in this mount; empty when the mount does not reach so far: it
/// begins further down, or is of another cgroup namespace.
std::string directory_in(const CgroupMount& mount, std::string_view cgroup);

enum class Presence {
    kThere,
    kNowhere,  // no mount that reaches so far has it
    kUnseen,   // there is no such mount
};

/// Whether there is a cgroup of this name, as JSON and /proc/PID/cgroup show it from here.
Presence look_for_cgroup(std::string_view cgroup);

}  // namespace waitclose::system
