// SPDX-License-Identifier: BSD-2-Clause
#include "model/selection.h"

#include <algorithm>

namespace waitclose::model {
namespace {

bool is_wanted_by_holder(const Census& census, const Socket& socket, const Selection& selection) {
    if (!selection.by_holder()) return true;
    return std::ranges::any_of(owners_of(census, socket), [&](const Holder& holder) {
        const Process& process = census.process_of(holder);
        return is_meant(process.pid, process.comm, process.cgroup, selection);
    });
}

bool is_wanted_listener(const Census& census, const Socket& listener, const Selection& selection) {
    if (selection.by_remote_port || selection.hold) return false;
    if (!selection.local_ports.empty() && !selection.local_ports.contains(listener.local.port)) return false;
    return is_wanted_by_holder(census, listener, selection);
}

}  // namespace

bool is_at_or_below(std::string_view path, std::string_view ancestor) {
    while (ancestor.ends_with('/')) ancestor.remove_suffix(1);
    return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

bool is_meant(std::uint32_t pid, std::string_view comm, const std::optional<std::string>& cgroup,
              const Selection& selection) {
    if (!selection.pids.empty() && std::ranges::find(selection.pids, pid) == selection.pids.end())
        return false;
    if (selection.comm && !std::regex_search(comm.begin(), comm.end(), *selection.comm)) return false;
    return !selection.cgroup || (cgroup && is_at_or_below(*cgroup, *selection.cgroup));
}

std::span<const Holder> owners_of(const Census& census, const Socket& socket) {
    const bool in_queue = socket.holder_count == 0 && socket.listener != kNone;
    return census.holders_of(in_queue ? census.listeners[static_cast<std::size_t>(socket.listener)] : socket);
}

bool is_wanted(const Census& census, const Socket& socket, const Selection& selection) {
    if (selection.hold && *selection.hold != SocketKey{socket.netns, socket.cookie}) return false;
    return census.held_ns(socket) >= selection.min_held_ns && is_wanted_by_holder(census, socket, selection);
}

std::vector<std::uint32_t> select(const Census& census, const Selection& selection) {
    std::vector<std::uint32_t> wanted;
    for (std::uint32_t i = 0; i < census.sockets.size(); ++i)
        if (is_wanted(census, census.sockets[i], selection)) wanted.push_back(i);
    return wanted;
}

std::set<std::uint32_t> listeners_meant(const Census& census, const std::vector<std::uint32_t>& selected,
                                        const Selection& selection) {
    std::set<std::uint32_t> meant;
    for (std::uint32_t i = 0; i < census.listeners.size(); ++i)
        if (is_wanted_listener(census, census.listeners[i], selection)) meant.insert(i);
    for (const std::uint32_t index : selected)
        if (census.sockets[index].listener != kNone)
            meant.insert(static_cast<std::uint32_t>(census.sockets[index].listener));
    return meant;
}

std::set<std::uint32_t> processes_meant(const Census& census, const std::vector<std::uint32_t>& selected,
                                        const Selection& selection) {
    std::set<std::uint32_t> meant;
    const auto add_holders = [&](const Socket& socket) {
        for (const Holder& holder : census.holders_of(socket)) meant.insert(holder.process);
    };
    for (const std::uint32_t index : selected) add_holders(census.sockets[index]);
    for (const std::uint32_t index : listeners_meant(census, selected, selection))
        add_holders(census.listeners[index]);
    return meant;
}

LeftOut left_out(const Census& census, const Selection& selection, bool by_address) {
    LeftOut out;
    const auto state = census.states.find(TcpState::kCloseWait);
    const std::uint64_t all = state == census.states.end() ? 0 : state->second;
    if (by_address && all > census.sockets.size()) out.by_address = all - census.sockets.size();
    for (const Socket& socket : census.sockets)
        if (!is_wanted(census, socket, selection))
            ++(census.held_ns(socket) < selection.min_held_ns ? out.by_age : out.by_holder);
    return out;
}

}  // namespace waitclose::model
