// SPDX-License-Identifier: BSD-2-Clause
// Processes, their threads, and the descriptors through which they hold sockets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "model/socket.h"

namespace waitclose::model {

enum class RunState : std::uint8_t {
    kRunning,
    kSleeping,
    kDiskSleep,
    kStopped,
    kTraced,
    kFrozen,
    kZombie,
    kOther
};

/// A thread of a process that holds a socket or a listener.
struct Thread {
    std::uint32_t tid = 0;
    std::uint64_t start_ns = 0;
    std::string comm;
    RunState state = RunState::kOther;
    bool exiting = false;                  // it has begun to exit
    std::uint32_t tracer_tid = 0;          // who traces it (a debugger); 0 when nobody does
    std::uint64_t switches = 0;            // context switches so far
    std::optional<std::uint32_t> syscall;  // the system call it sleeps in; nothing when it runs
    std::array<std::uint64_t, 4> arguments{};
};

struct Process {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    std::uint32_t parent_pid = 0;
    std::string comm;
    std::optional<std::string> exe;
    std::optional<std::string> cgroup;
    std::optional<std::string> container;
    std::optional<std::uint64_t> fds_used;
    std::optional<std::uint64_t> fd_limit;
    std::uint32_t first_thread = 0;  // into Census::threads
    std::uint32_t thread_count = 0;
};

/// A descriptor that refers to a socket.
struct Holder {
    std::uint32_t process = 0;  // into Census::processes
    std::int32_t fd = 0;
    bool close_on_exec = false;
};

}  // namespace waitclose::model
