// SPDX-License-Identifier: BSD-2-Clause
// What happens before a program has a connection: accept queues, calls of accept(), and the limits of both.
// Plain data; times are nanoseconds of CLOCK_BOOTTIME.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace waitclose::model {

/// The accept queue of one listener, counted member by member.
struct AcceptQueue {
    std::uint32_t walked = 0;                  // members counted; fewer than wait where a walk was cut short
    std::array<std::uint32_t, 16> by_state{};  // index: TcpState
    std::optional<std::uint64_t> oldest_since_ns;  // the first in the queue waits since then, maybe longer
};

/// Calls of accept() by one thread on one listener that ended alike.
struct AcceptCalls {
    std::int32_t listener = -1;  // into Census::listeners
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::uint64_t thread_start_ns = 0;
    std::uint32_t error = 0;              // errno; 0: it got a connection
    std::uint64_t total = 0;              // since tracing began
    std::optional<std::uint64_t> recent;  // within AcceptSide::window_ns
    std::uint64_t last_ns = 0;
};

/// A counter of the kernel: what it shows, and by how much it grew within AcceptSide::window_ns.
struct GrowingCount {
    std::uint64_t total = 0;
    std::optional<std::uint64_t> recent;

    bool operator==(const GrowingCount&) const = default;
};

/// What a network namespace says of all its listeners together, and of TIME_WAIT.
struct NetworkFacts {
    std::optional<std::uint64_t> somaxconn;        // net.core.somaxconn
    std::optional<GrowingCount> listen_overflows;  // a handshake ended, and the accept queue was full
    std::optional<GrowingCount> listen_drops;      // the same, and SYNs dropped for other reasons
    std::optional<std::uint64_t> time_wait;        // sockets in TIME_WAIT
    std::optional<std::uint64_t> time_wait_limit;  // net.ipv4.tcp_max_tw_buckets
};

/// The open files of the whole machine, from /proc/sys/fs/file-nr.
struct FileTable {
    std::uint64_t used = 0;
    std::uint64_t limit = 0;  // fs.file-max
};

struct AcceptSide {
    std::vector<AcceptQueue> queues;  // parallel to Census::listeners
    std::vector<AcceptCalls> calls;
    std::map<std::uint32_t, NetworkFacts> networks;  // by network namespace
    std::optional<FileTable> files;
    bool counted = false;                    // a hook counts the calls of accept()
    std::optional<std::uint64_t> window_ns;  // what `recent` is about; nothing at the first look
};

}  // namespace waitclose::model
