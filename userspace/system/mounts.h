// SPDX-License-Identifier: BSD-2-Clause
// On what file system a file lies, as its process sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waitclose::system {

struct Mount {
    std::string device;   // "8:1"
    std::string root;     // what of the file system is mounted
    std::string point;    // where, in the namespace of the process
    std::string options;  // of the mount, then of the file system
    std::string type;     // "ext4"
    std::string source;   // "/dev/sda1"
};

struct Space {
    std::uint64_t size_bytes = 0;
    std::uint64_t free_bytes = 0;  // for programs without privileges
    std::uint64_t files = 0;
    std::uint64_t free_files = 0;
};

/// The mounts of the text of a mountinfo file (proc_pid_mountinfo(5)).
std::vector<Mount> mounts_in(std::string_view mountinfo);

/// The one that a path lies on: the last of those whose mount point is the longest. Null when there is none.
const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path);

/// Of the mount of a process. Nothing for a file system that a server or a program serves (nfs, fuse): to ask
/// it could take for ever, and it may be what everybody waits for.
std::optional<Space> space_of(std::uint32_t pid, const Mount& mount);

/// Whether the kernel serves a file system of that type by itself.
bool is_local(std::string_view type);

}  // namespace waitclose::system
