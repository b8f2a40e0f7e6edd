// SPDX-License-Identifier: BSD-2-Clause
// Who waits until something happens on a socket: epolls that have it registered, threads that poll it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waitclose::model {

enum class WatchKind : std::uint8_t {
    kOther,  // something else, a thread asleep in a system call on it for instance
    kEpoll,
    kPoll,  // a thread asleep in poll() or select()
    kRing,  // a request of an io_uring
};

/// One entry of the socket's wait queue.
struct Watch {
    WatchKind kind = WatchKind::kOther;
    std::int32_t fd = -1;      // epoll: the number it was registered with; it may mean another file now
    std::uint32_t events = 0;  // EPOLLIN and so on; those of poll() have the same numbers
    std::uint64_t epoll = 0;   // which epoll: an identity within one census
    std::uint64_t outer = 0;   // the epoll that watches that one in turn; 0 when none is known
    bool ready = false;        // on its epoll's ready list: the next epoll_wait() will look at it
    bool awaited = false;      // some thread slept in epoll_wait() on that epoll
    bool polled = false;       // somebody watches the epoll itself: another epoll, or poll()
    std::uint32_t pid = 0;     // poll: whose thread; 0 when it is not visible here
    std::uint32_t tid = 0;
};

/// It tells of the peer's FIN: HUP and ERR alone are not raised by it.
bool tells_of_fin(const Watch& watch);
/// Reports a state once, when it begins.
bool is_edge_triggered(const Watch& watch);
/// EPOLLONESHOT, told once and not armed again: nothing is reported, not even an error.
bool is_disarmed(const Watch& watch);
bool waits_for_room(const Watch& watch);

/// "EPOLLIN|EPOLLET"; "nothing" without any.
std::string events_text(const Watch& watch);

/// What is known of a socket's wait queue.
enum class Watching : std::uint8_t {
    kUnknown,  // not read, or not to its end
    kNobody,
    kSome,
};

/// A descriptor of an epoll.
struct EpollHolder {
    std::uint64_t epoll = 0;
    std::uint64_t start_ns = 0;  // of the process
    std::uint32_t pid = 0;
    std::int32_t fd = -1;
    std::string comm;
};

/// A reference to a held socket that lives in no descriptor table, and the descriptor behind which it does.
struct InFlight {
    enum class Where : std::uint8_t { kMessage, kRing };
    Where where = Where::kMessage;
    std::uint64_t start_ns = 0;  // of the process
    std::uint32_t pid = 0;
    std::int32_t fd = -1;  // of the UNIX socket in whose queue the message is, or of the io_uring
    std::string comm;
};

}  // namespace waitclose::model
