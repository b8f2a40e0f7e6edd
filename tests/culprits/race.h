// SPDX-License-Identifier: BSD-2-Clause
// The ledger of the race program: who could have held or touched which connection, and when. It lies in
// shared memory that the program fills and the test reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace race {

/// One process, under its number; an exec keeps it. Times are CLOCK_BOOTTIME, and wider than the truth: from
/// before it can have begun until after it has ended, 0 while it lasts.
struct Process {
    std::atomic<std::int32_t> pid;
    std::uint32_t parent;  // whose name it has until it gives itself its own, "rNUMBER.0"
    std::int64_t begin_ns;
    std::atomic<std::int64_t> end_ns;
};

enum class Kind : std::uint32_t { held, accepted, read, read_eof, thread };

struct Entry {
    Kind kind;
    std::uint32_t process;
    std::uint32_t thread;  // its number in the process; its name is "rPROCESS.THREAD"
    std::uint32_t port;    // the peer's, which identifies the connection; 0 of a thread
    std::int32_t number;   // the descriptor of what is held, the tid of a thread
    std::uint32_t known;   // 1 once the rest is written
    std::int64_t begin_ns;
    std::int64_t end_ns;
};

struct Ledger {
    static constexpr std::uint32_t most_processes = 1 << 17;
    static constexpr std::uint32_t most_entries = 1 << 21;

    std::atomic<std::uint32_t> processes;  // number 0 is the judge
    std::atomic<std::uint32_t> entries;
    std::atomic<std::uint32_t> reused_pids, reused_tids, execs, passed, forks, connections;
    std::array<Process, most_processes> process;
    std::array<Entry, most_entries> entry;
};

}  // namespace race
