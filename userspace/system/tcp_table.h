// SPDX-License-Identifier: BSD-2-Clause
// The TCP sockets of a process by state, from the tables of its network namespace. No address is kept.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "model/socket.h"

namespace waitclose::system {

struct TcpStates {
    std::map<model::TcpState, std::uint64_t> count;
    bool whole = true;  // false: a table was longer than what was read of it, or could not be read
};

/// Adds the sockets of the text of /proc/PID/net/tcp or tcp6 whose inode is one of these.
void add_tcp_states(std::string_view table, const std::set<std::uint64_t>& inodes, TcpStates& states);

/// Of the sockets with these inodes in the network namespace of a process. Reads at most `limit` bytes a
/// table: the kernel prints every socket of the namespace.
TcpStates tcp_states(std::uint32_t pid, const std::set<std::uint64_t>& inodes, std::size_t limit);

}  // namespace waitclose::system
