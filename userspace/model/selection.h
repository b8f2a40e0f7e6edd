// SPDX-License-Identifier: BSD-2-Clause
// Which holds the user asked for, as far as it takes the holders to decide; ports, families and network
// namespaces are decided in the kernel already.
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/census.h"

namespace waitclose::model {

struct Selection {
    std::vector<std::uint64_t> pids;  // empty: all
    std::optional<std::regex> comm;
    std::optional<std::string> cgroup;  // a holder's cgroup is this one or below it
    std::optional<SocketKey> hold;      // this one and no other
    std::uint64_t min_held_ns = 0;
    // Of sockets the kernel decides by these already; of listeners it sends all.
    std::set<std::uint16_t> local_ports;  // empty: all
    bool by_remote_port = false;          // a listener has none

    /// Whether processes, or one hold, were asked for: whose a socket is only a look tells, never an event.
    bool by_holder() const { return !pids.empty() || comm || cgroup || hold; }
};

/// Whether the path of a cgroup names `ancestor` or one below it.
bool is_at_or_below(std::string_view path, std::string_view ancestor);

/// Whether such a process was asked for; `cgroup`: its path, if it is known.
bool is_meant(std::uint32_t pid, std::string_view comm, const std::optional<std::string>& cgroup,
              const Selection& selection);

/// Those who hold the socket, or the listener in whose queue it is.
std::span<const Holder> owners_of(const Census& census, const Socket& socket);

/// Whether the user wants this socket: it is held long enough, and one of its holders (the listener's, for
/// one never accepted) matches. `socket` must be one of the census's.
bool is_wanted(const Census& census, const Socket& socket, const Selection& selection);

/// The wanted sockets, as indices into census.sockets.
std::vector<std::uint32_t> select(const Census& census, const Selection& selection);

/// The listeners the user asked about, as indices into census.listeners: those in whose queue a `selected`
/// socket is, and those that the options leave in.
std::set<std::uint32_t> listeners_meant(const Census& census, const std::vector<std::uint32_t>& selected,
                                        const Selection& selection);

/// The processes that hold a `selected` socket or such a listener, as indices into census.processes.
std::set<std::uint32_t> processes_meant(const Census& census, const std::vector<std::uint32_t>& selected,
                                        const Selection& selection);

/// Sockets in CLOSE_WAIT that are not shown, by what left them out; each counts once.
struct LeftOut {
    std::uint64_t by_address = 0;  // port or family: the kernel side did not send them
    std::uint64_t by_age = 0;      // not held long enough
    std::uint64_t by_holder = 0;   // process, name or cgroup

    std::uint64_t total() const { return by_address + by_age + by_holder; }
};
/// `by_address`: the kernel side was asked for certain ports or families only. Without that, a state counted
/// and no socket is one that ended meanwhile.
LeftOut left_out(const Census& census, const Selection& selection, bool by_address);

}  // namespace waitclose::model
