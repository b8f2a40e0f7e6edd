// SPDX-License-Identifier: BSD-2-Clause
// What a process has open, by kind: its descriptor table in a few numbers.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace waitclose::system {

struct DescriptorKinds {
    std::map<std::string, std::uint64_t> count;  // by kind
    std::uint64_t deleted = 0;                   // files that have no name any more
    std::set<std::uint64_t> sockets;             // their inodes, each once
    bool whole = true;                           // false: there were more descriptors than were looked at
};

/// The kind of what a link of /proc/PID/fd names: socket, pipe, epoll, eventfd, timerfd, signalfd, inotify,
/// io_uring, bpf, memfd, device, file (which a directory is, too), else the kernel's own name for it.
std::string descriptor_kind(std::string_view link);

/// Adds one such link.
void add_descriptor(std::string_view link, DescriptorKinds& kinds);

/// Of a process; empty and not whole where its table cannot be read. Looks at `most` descriptors.
DescriptorKinds descriptor_kinds(std::uint32_t pid, std::uint64_t most);

}  // namespace waitclose::system
