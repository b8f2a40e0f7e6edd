// SPDX-License-Identifier: BSD-2-Clause
// What threads and the machine did over a span of time, between two censuses. Plain data; what could not be
// read is absent, never 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/events.h"
#include "model/process.h"

namespace waitclose::model {

/// Time that a thread slept in one way. Without `known` it is not known in what.
struct Slept {
    bool known = false;
    std::optional<std::uint32_t> syscall;
    std::optional<FileKind> file;  // what the system call's first argument refers to
    bool in_iowait = false;
    std::uint64_t ns = 0;
};

/// One thread of a process that holds something. The parts add up to the time from `from_ns` to `to_ns`,
/// which are the window's, or the thread's birth or end within it.
struct ThreadTime {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::uint64_t start_ns = 0;
    std::string comm;
    bool ended = false;  // it exited in the window
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::uint64_t on_cpu_ns = 0;
    std::uint64_t waiting_ns = 0;      // it could run, but had no CPU
    std::vector<Slept> slept;          // each way once
    std::uint64_t unaccounted_ns = 0;  // interrupts, time stolen by the hypervisor, and errors
    std::uint64_t latest_deed_ns = 0;  // it was seen with some held socket last; 0: with none

    std::uint64_t length_ns() const { return to_ns - from_ns; }
};

/// How long something was short, of PSI (Documentation/accounting/psi.rst): `some` thread waited for it, or
/// all (`full`).
struct PressureTime {
    std::optional<std::uint64_t> some_ns;
    std::optional<std::uint64_t> full_ns;
};

/// What a cgroup was kept off its CPUs by its quota. For several CPUs the time may be longer than the window.
struct Throttling {
    std::string cgroup;  // raw
    std::uint64_t periods = 0;
    std::uint64_t throttled_periods = 0;
    std::uint64_t throttled_ns = 0;
};

/// What a JVM says of its own pauses (its hsperfdata file).
struct JvmPauses {
    std::uint32_t pid = 0;
    std::uint64_t collecting_ns = 0;  // in stop-the-world collections that ended in the window
    std::uint64_t safepoints_ns = 0;  // all threads stopped for whatever reason, ended in the window
    std::uint64_t collections = 0;
    std::uint64_t collecting_ever_ns = 0;  // as collecting_ns, since the JVM started
    bool whole = false;                    // one collection lasted from before the window until after it
};

struct Window {
    std::uint64_t from_ns = 0;  // CLOCK_BOOTTIME
    std::uint64_t to_ns = 0;
    bool scheduled = false;              // switches were traced, so every sleep is known for what it was
    std::vector<ThreadTime> threads;     // in the order of their start times and tids
    std::vector<std::uint32_t> workers;  // into threads: those that ran, or could have, at least half of it
    std::optional<std::uint64_t> steal_ns;  // taken by the hypervisor, of all CPUs
    std::uint32_t cpus = 0;
    PressureTime cpu;
    PressureTime memory;
    PressureTime io;
    std::vector<Throttling> throttled;  // of the cgroups of holders that have a quota
    std::vector<JvmPauses> jvms;
    std::unordered_map<SocketKey, std::uint64_t, SocketKeyHash> eof_reads;  // how often, in the window

    std::uint64_t length_ns() const { return to_ns - from_ns; }
    /// The thread, or null when nothing is known of it.
    const ThreadTime* find(std::uint32_t tid, std::uint64_t start_ns) const;
    /// How often end-of-file was read from a socket in the window.
    std::uint64_t eof_reads_of(const SocketKey& socket) const;
};

}  // namespace waitclose::model
