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

enum class FileKind : std::uint8_t { kOther, kRegular, kDirectory, kPipe, kTcp, kUnix, kDevice };

/// What a descriptor that a thread sleeps on refers to.
struct FileFact {
    FileKind kind = FileKind::kOther;
    std::string name;  // a path, or what /proc shows; raw
    std::uint64_t inode = 0;
    std::string remote;  // of a TCP socket: the other end
};

/// A thread of a process that holds a socket or a listener, or of one that such a thread waits for.
struct Thread {
    std::uint32_t tid = 0;
    std::uint64_t start_ns = 0;
    std::string comm;
    RunState state = RunState::kOther;
    bool exiting = false;                  // it has begun to exit
    std::uint32_t tracer_tid = 0;          // who traces it (a debugger); 0 when nobody does
    std::uint64_t switches = 0;            // context switches so far
    std::uint64_t read_ns = 0;             // when all of this was read
    std::optional<bool> has_cpu;           // of one that can run; nothing where the kernel does not tell
    std::optional<std::uint32_t> syscall;  // the system call it sleeps in; nothing when it runs
    std::array<std::uint64_t, 4> arguments{};
    std::optional<std::uint64_t> asleep_since_ns;  // CLOCK_BOOTTIME; nothing when it runs, or is not known
    std::uint64_t on_cpu_ns = 0;                   // in all its life
    std::uint64_t run_delay_ns = 0;                // it could have run, but had no CPU
    bool in_iowait = false;                        // the scheduler counts its sleep as waiting for a disk
    std::optional<FileFact> file;                  // what its system call's first argument refers to
    std::optional<std::uint32_t> lock_owner_tid;   // of the mutex it waits for, as glibc stores it
};

struct Process {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    std::uint32_t parent_pid = 0;
    std::string comm;
    std::optional<std::string> exe;
    std::optional<std::string> cgroup;
    std::optional<std::string> cpu_cgroup;  // in the hierarchy that has the cpu controller
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
