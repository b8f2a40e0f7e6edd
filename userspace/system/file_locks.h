// SPDX-License-Identifier: BSD-2-Clause
// Who holds the lock on a file that a process waits for, by /proc/locks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/process.h"

namespace waitclose::system {

/// A file as the kernel numbers it, whatever its name.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileIdentity&) const = default;
};

/// Of the file behind a path, without asking a file system that may not answer (a hung NFS or FUSE mount).
std::optional<FileIdentity> identity_of(const std::string& path);

/// The process that, by the text of /proc/locks, holds what `pid` waits for on that inode. Nothing when
/// nobody or several do, or when it is not told (open file description locks belong to no process).
std::optional<std::uint32_t> lock_holder_in(std::string_view locks, std::uint32_t pid, std::uint64_t inode);

/// The same for a file that `pid` has open as `fd`, with the name. Only a process that still has the file
/// open counts: the kernel remembers who took a flock(), and that one may have left it to a child and be
/// gone.
std::optional<model::LockHolder> find_lock_holder(std::uint32_t pid, std::uint32_t fd);

}  // namespace waitclose::system
