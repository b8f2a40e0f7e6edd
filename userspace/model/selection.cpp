// SPDX-License-Identifier: BSD-2-Clause
#include "model/selection.h"

#include <algorithm>
#include <string_view>

namespace waitclose::model {
namespace {

bool is_at_or_below(std::string_view path, std::string_view ancestor) {
    while (ancestor.ends_with('/')) ancestor.remove_suffix(1);
    return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

bool matches(const Process& process, const Selection& selection) {
    if (!selection.pids.empty() &&
        std::find(selection.pids.begin(), selection.pids.end(), process.pid) == selection.pids.end())
        return false;
    if (selection.comm && !std::regex_search(process.comm, *selection.comm)) return false;
    return !selection.cgroup || (process.cgroup && is_at_or_below(*process.cgroup, *selection.cgroup));
}

}  // namespace

bool is_wanted(const Census& census, const Socket& socket, const Selection& selection) {
    if (census.held_ns(socket) < selection.min_held_ns) return false;
    if (selection.pids.empty() && !selection.comm && !selection.cgroup) return true;
    const bool in_queue = socket.holder_count == 0 && socket.listener != kNone;
    const Socket& owned = in_queue ? census.listeners[static_cast<std::size_t>(socket.listener)] : socket;
    const auto holders = census.holders_of(owned);
    return std::any_of(holders.begin(), holders.end(),
                       [&](const Holder& holder) { return matches(census.process_of(holder), selection); });
}

std::vector<std::uint32_t> select(const Census& census, const Selection& selection) {
    std::vector<std::uint32_t> wanted;
    for (std::uint32_t i = 0; i < census.sockets.size(); ++i)
        if (is_wanted(census, census.sockets[i], selection)) wanted.push_back(i);
    return wanted;
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
