// SPDX-License-Identifier: BSD-2-Clause
#include "model/watch.h"

#include <array>
#include <string_view>
#include <utility>

#include <sys/epoll.h>

namespace waitclose::model {

namespace {

/// What a FIN raises (tcp_poll in net/ipv4/tcp.c).
constexpr std::uint32_t kOfFin = EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
/// No events but ways to report them; all that stays of a one-shot registration that was told
/// (EP_PRIVATE_BITS in fs/eventpoll.c).
constexpr std::uint32_t kWays = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;

constexpr std::array<std::pair<std::uint32_t, std::string_view>, 11> kNames{
    {{EPOLLIN, "EPOLLIN"},
     {EPOLLPRI, "EPOLLPRI"},
     {EPOLLOUT, "EPOLLOUT"},
     {EPOLLRDNORM, "EPOLLRDNORM"},
     {EPOLLRDBAND, "EPOLLRDBAND"},
     {EPOLLWRNORM, "EPOLLWRNORM"},
     {EPOLLWRBAND, "EPOLLWRBAND"},
     {EPOLLRDHUP, "EPOLLRDHUP"},
     {EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"},
     {EPOLLONESHOT, "EPOLLONESHOT"},
     {EPOLLET, "EPOLLET"}}};

}  // namespace

bool tells_of_fin(const Watch& watch) {
    return (watch.events & kOfFin) != 0;
}

bool is_edge_triggered(const Watch& watch) {
    return (watch.events & EPOLLET) != 0;
}

bool is_disarmed(const Watch& watch) {
    return watch.kind == WatchKind::kEpoll && (watch.events & ~kWays) == 0;
}

bool waits_for_room(const Watch& watch) {
    return (watch.events & (EPOLLOUT | EPOLLWRNORM)) != 0;
}

std::string events_text(const Watch& watch) {
    std::string text;
    for (const auto& [bit, name] : kNames) {
        if (!(watch.events & bit)) continue;
        if (!text.empty()) text += '|';
        text += name;
    }
    return text.empty() ? "nothing" : text;
}

}  // namespace waitclose::model
