// SPDX-License-Identifier: BSD-2-Clause
// Literal censuses for the tests of diagnose/: one server process with one thread, unless a test says more.
#pragma once

#include <sys/syscall.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "diagnose/diagnosis.h"
#include "model/census.h"

namespace waitclose::test {

inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr std::uint64_t kSec = 1'000 * kMs;
inline constexpr std::uint64_t kTaken = 1'012 * kSec;  // the census
inline constexpr std::uint64_t kFin = 990 * kSec;      // the FIN, unless a test says otherwise
inline constexpr std::uint64_t kOpened = 900 * kSec;   // the connection
inline constexpr std::uint64_t kBooted = 100 * kSec;   // processes and threads

#ifdef SYS_poll
inline constexpr std::uint32_t kPoll = SYS_poll;
#else
inline constexpr std::uint32_t kPoll = SYS_ppoll;
#endif

inline model::Thread asleep(std::uint32_t tid, std::uint32_t number, std::uint64_t first = 0,
                            std::uint64_t second = 2, std::uint64_t third = 0) {
    model::Thread thread;
    thread.tid = tid;
    thread.start_ns = kBooted;
    thread.comm = "t" + std::to_string(tid);
    thread.state = model::RunState::kSleeping;
    thread.syscall = number;
    thread.arguments = {first, second, third, 0};
    return thread;
}

inline model::Thread running(std::uint32_t tid) {
    model::Thread thread = asleep(tid, 0);
    thread.state = model::RunState::kRunning;
    thread.syscall.reset();
    return thread;
}

inline model::Thread in_state(std::uint32_t tid, model::RunState state, std::uint32_t tracer = 0) {
    model::Thread thread = asleep(tid, SYS_futex);
    thread.state = state;
    thread.tracer_tid = tracer;
    return thread;
}

inline model::Thread born(model::Thread thread, std::uint64_t start_ns) {
    thread.start_ns = start_ns;
    return thread;
}

/// Waits for the next connection on a listener that no test uses as fd.
inline model::Thread in_accept(std::uint32_t tid) {
    return asleep(tid, SYS_accept4, 3);
}

inline model::Deed deed(std::uint32_t pid, std::uint32_t tid, std::uint64_t at_ns, model::Operation operation,
                        std::int32_t fd = -1, std::uint64_t start_ns = kBooted) {
    model::Deed made;
    made.actor.pid = pid;
    made.actor.tid = tid;
    made.actor.start_ns = start_ns;
    const std::string comm = "was" + std::to_string(tid);
    std::copy_n(comm.begin(), std::min<std::size_t>(comm.size(), 15), made.actor.comm.begin());
    made.at_ns = at_ns;
    made.operation = operation;
    made.fd = fd;
    return made;
}

struct Hold {
    std::uint32_t process = 0;  // index
    std::int32_t fd = 57;
    bool close_on_exec = true;
};

class Builder {
public:
    model::Census census;

    Builder() {
        census.taken_ns = kTaken;
        census.traced = true;
    }

    /// Returns its index.
    std::uint32_t process(std::uint32_t pid, std::vector<model::Thread> threads,
                          std::uint64_t start_ns = kBooted, std::uint32_t parent_pid = 1) {
        model::Process made;
        made.pid = pid;
        made.start_ns = start_ns;
        made.parent_pid = parent_pid;
        made.comm = "p" + std::to_string(pid);
        made.threads_ended = false;
        made.first_thread = static_cast<std::uint32_t>(census.threads.size());
        made.thread_count = static_cast<std::uint32_t>(threads.size());
        for (auto& thread : threads) census.threads.push_back(std::move(thread));
        census.processes.push_back(std::move(made));
        return static_cast<std::uint32_t>(census.processes.size() - 1);
    }

    model::Socket& socket(const std::vector<Hold>& holds) {
        census.sockets.push_back(held_by(holds));
        model::Socket& made = census.sockets.back();
        made.has_file = true;
        made.role = model::Role::kServer;
        made.precision = model::Precision::kExact;
        made.local.port = 8080;
        made.remote.address = {10, 2, 3, 4};
        made.remote.port = 51234;
        made.held_since_ns = kFin;
        made.oldest_sign_ns = kOpened;
        return made;
    }

    model::Socket& listener(const std::vector<Hold>& holds) {
        census.listeners.push_back(held_by(holds));
        model::Socket& made = census.listeners.back();
        made.state = model::TcpState::kListen;
        made.local.port = 8080;
        made.backlog = 128;
        made.backlog_limit = 128;
        return made;
    }

    diagnose::Diagnosis diagnose() const { return diagnose::diagnose(census, census.sockets.front()); }

private:
    model::Socket held_by(const std::vector<Hold>& holds) {
        model::Socket made;
        made.first_holder = static_cast<std::uint32_t>(census.holders.size());
        made.holder_count = static_cast<std::uint32_t>(holds.size());
        for (const Hold& hold : holds) census.holders.push_back({hold.process, hold.fd, hold.close_on_exec});
        return made;
    }
};

inline model::Touches& touches(model::Socket& socket) {
    if (!socket.touches) socket.touches = std::make_unique<model::Touches>();
    return *socket.touches;
}

/// The thread read end-of-file, and nobody touched the socket since.
inline void read_eof(model::Socket& socket, const model::Deed& by) {
    socket.fin_consumed = true;
    touches(socket).eof = by;
    touches(socket).last = by;
    touches(socket).eof_reads = 1;
}

inline const diagnose::Evidence* fact(const diagnose::Diagnosis& diagnosis, const std::string& name) {
    const auto found = std::find_if(diagnosis.evidence.begin(), diagnosis.evidence.end(),
                                    [&](const diagnose::Evidence& one) { return one.fact == name; });
    return found == diagnosis.evidence.end() ? nullptr : &*found;
}

inline bool says(const diagnose::Diagnosis& diagnosis, const std::string& words) {
    return diagnosis.summary.find(words) != std::string::npos ||
           std::any_of(
               diagnosis.evidence.begin(), diagnosis.evidence.end(),
               [&](const diagnose::Evidence& one) { return one.text.find(words) != std::string::npos; });
}

/// "eof-ignored proven 4121/4188 read-eof"; "-" where no process or no thread is named.
inline std::string gist(const diagnose::Diagnosis& diagnosis) {
    std::string text = std::string(id_of(diagnosis.cause)) + " " + std::string(id_of(diagnosis.confidence));
    if (!diagnosis.culprit) return text + " -";
    text += " " + std::to_string(diagnosis.culprit->pid) + "/";
    text += diagnosis.culprit->tid ? std::to_string(*diagnosis.culprit->tid) : "-";
    return text + " " + std::string(id_of(diagnosis.culprit->basis));
}

}  // namespace waitclose::test
