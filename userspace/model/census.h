// SPDX-License-Identifier: BSD-2-Clause
// One complete reading of sockets × holders × threads, joined: what a diagnosis is made from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/accept_side.h"
#include "model/answer.h"
#include "model/process.h"
#include "model/socket.h"
#include "model/window.h"

namespace waitclose::model {

/// Events and records that were dropped, by class.
struct Losses {
    std::uint64_t ring = 0;        // events the ring buffer had no room for
    std::uint64_t storage = 0;     // deeds there was no memory to note
    std::uint64_t reconciled = 0;  // holds whose begin or end was missed and that a census put right

    bool any() const { return ring || storage || reconciled; }
};

/// What each process held (by pid and start) when an earlier census was taken.
struct EarlierLook {
    struct Held {
        std::uint64_t sockets = 0;
        std::optional<std::uint64_t> fds = {};  // of its descriptors in use
    };
    std::uint64_t taken_ns = 0;
    std::map<std::pair<std::uint32_t, std::uint64_t>, Held> holds;
};

struct Census {
    std::uint64_t taken_ns = 0;       // CLOCK_BOOTTIME
    std::int64_t wall_offset_ns = 0;  // add to a CLOCK_BOOTTIME for nanoseconds since the epoch
    bool traced = false;              // tracing ran, so deeds may be known

    std::vector<Socket> sockets;  // in CLOSE_WAIT
    std::vector<Socket> listeners;
    std::vector<Holder> holders;
    std::vector<Process> processes;  // that hold something, then those that a thread of theirs waits for
    std::vector<Thread> threads;
    std::vector<Answer> answers;      // who could end the waits of threads; in order of Answer::precedes()
    std::vector<EpollHolder> epolls;  // those that watch held sockets, by their identity
    std::map<TcpState, std::uint64_t> states;
    AcceptSide accept;
    std::optional<EarlierLook> earlier;
    bool nested = false;  // waitclose runs in a PID namespace of its own and sees no process outside it
    std::uint64_t unreachable = 0;  // held sockets in network namespaces that could not be entered
    std::optional<Window> window;   // that ends with this census

    std::span<const Holder> holders_of(const Socket& socket) const {
        return std::span(holders).subspan(socket.first_holder, socket.holder_count);
    }
    const Process& process_of(const Holder& holder) const { return processes[holder.process]; }
    std::span<const Thread> threads_of(const Process& process) const {
        return std::span(threads).subspan(process.first_thread, process.thread_count);
    }
    /// How long the socket has been held when the census was taken, in ns; a lower bound unless exact.
    std::uint64_t held_ns(const Socket& socket) const {
        return taken_ns > socket.held_since_ns ? taken_ns - socket.held_since_ns : 0;
    }
};

}  // namespace waitclose::model
