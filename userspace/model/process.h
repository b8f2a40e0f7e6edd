// SPDX-License-Identifier: BSD-2-Clause
// Processes, their threads, and the descriptors through which they hold sockets.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/socket.h"
#include "model/stack.h"

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
    /// What a model::Answer answers to that is the other end of this pipe or connection; 0: it has none.
    std::uint64_t other_end = 0;
    std::uint16_t local_port = 0;  // of a TCP socket: the port on this side; 0: not known
};

/// The one descriptor that a thread sleeping in poll() asks for, a TCP connection that this side opened.
struct Polled {
    std::int32_t fd = -1;
    bool writes = false;                      // it waits for room to write, and not for data
    std::optional<std::uint64_t> timeout_ns;  // nothing: it waits for ever
};

/// The process that holds the file lock a thread waits for, as /proc/locks lists it.
struct LockHolder {
    std::uint32_t pid = 0;
    std::string comm;  // raw; empty when it could not be read
    bool operator==(const LockHolder&) const = default;
};

/// The functions of the kernel a thread sleeps in, innermost first; "" for one without a name. Null: not
/// read.
using KernelStack = std::shared_ptr<const std::vector<std::string>>;

/// The program that traces a thread: a debugger, usually.
struct Tracer {
    std::uint32_t pid = 0;
    std::string comm;  // raw
};

/// A thread of a process that holds a socket or a listener, or of one that such a thread waits for.
struct Thread {
    std::uint32_t tid = 0;
    std::uint64_t start_ns = 0;
    std::string comm;
    RunState state = RunState::kOther;
    bool exiting = false;                  // it has begun to exit
    std::uint32_t tracer_tid = 0;          // who traces it (a debugger); 0 when nobody does
    std::optional<Tracer> tracer;          // the process it belongs to
    std::uint64_t switches = 0;            // context switches so far
    std::uint64_t read_ns = 0;             // when all of this was read
    std::optional<bool> has_cpu;           // of one that can run; nothing where the kernel does not tell
    std::optional<std::uint32_t> syscall;  // the system call it sleeps in; nothing when it runs
    std::array<std::uint64_t, 4> arguments{};
    std::optional<std::uint64_t> asleep_since_ns;  // CLOCK_BOOTTIME; nothing when it runs, or is not known
    std::uint64_t on_cpu_ns = 0;                   // in all its life
    std::uint64_t run_delay_ns = 0;                // it could have run, but had no CPU
    bool in_iowait = false;                        // the scheduler counts its sleep as waiting for a disk
    std::optional<FileFact> file;  // what its system call's first argument refers to, or what it polls
    std::optional<Polled> polled;  // by its own memory; nothing for any other wait in poll()
    std::optional<std::uint32_t> lock_owner_tid;  // of the mutex it waits for, as glibc stores it
    std::optional<LockHolder> lock_holder;        // of the file lock it waits for, when that is known
    std::vector<std::uint64_t> kernel_addresses;  // where in the kernel it sleeps: return addresses
    KernelStack kernel_stack;                     // the same by name; where the system call tells too little
    StackRef user_stack;                          // where in its program it sleeps; read by a capture only
    bool foreign_ids = false;  // it lives in another PID namespace: ids it uses for others are not ours
    std::uint64_t epoll = 0;   // the epoll that its system call's first argument refers to; 0: it is none
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
    std::optional<bool> threads_ended;  // some thread of it has exited; nothing where that cannot be read
    std::optional<std::uint64_t> fds_used;
    std::optional<std::uint64_t> fd_limit;
    std::optional<std::int32_t>
        held_back_fd;                // a socket of it that has no room for more, its peer takes nothing
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
