// SPDX-License-Identifier: BSD-2-Clause
// What the kernel reports while it traces. Plain data; times are nanoseconds of CLOCK_BOOTTIME.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "model/socket.h"

namespace waitclose::model {

/// A socket's identity: its cookie, together with its network namespace since before 5.10 every namespace
/// counted cookies for itself. Where the kernel side cannot ask for cookies (before 5.12) it gives the socket
/// a number of its own, with the highest bit set.
struct SocketKey {
    std::uint32_t netns = 0;
    std::uint64_t cookie = 0;

    bool operator==(const SocketKey&) const = default;
    bool has_cookie() const { return cookie >> 63 == 0; }
    /// The kernel side's own number, where there is no cookie.
    std::uint64_t own_number() const { return cookie << 1 >> 1; }
};

struct SocketKeyHash {
    std::size_t operator()(const SocketKey& key) const {
        return std::hash<std::uint64_t>{}(key.cookie * 0x9e3779b97f4a7c15ULL ^ key.netns);
    }
};

/// Which connection: identity and addresses, as far as an event tells.
struct Connection {
    SocketKey key;
    Family family = Family::kIpv4;
    Endpoint local;
    Endpoint remote;
};

struct Transition {
    std::uint64_t at_ns = 0;
    TcpState from = TcpState::kClose;
    TcpState to = TcpState::kClose;
    Connection connection;
};

/// A hold begins.
struct Entered {
    std::uint64_t at_ns = 0;
    Connection connection;
};

/// How a hold ended: a program closed it, its last holder exited, an error (reset, timeout), the kernel's own
/// doing, or a program shut its side down by shutdown(), and may have the descriptor open still.
enum class End : std::uint8_t { kProgram, kExit, kError, kKernel, kShutdown };

/// A hold ends.
struct Left {
    std::uint64_t at_ns = 0;
    SocketKey key;
    End end = End::kProgram;
    int error = 0;                // errno of an End::kError
    std::optional<Actor> closer;  // of an End::kProgram, kShutdown or kExit, unless a kernel thread did it
};

}  // namespace waitclose::model
