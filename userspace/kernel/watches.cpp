// SPDX-License-Identifier: BSD-2-Clause
// Who watches a socket, and what else there is among the descriptors, from their records.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "kernel/readings.h"
#include "kernel/records.h"

namespace waitclose::kernel {
namespace {

model::WatchKind kind_of(const wc_census_watch& record) {
    switch (record.kind) {
    case WC_WATCH_EPOLL: return model::WatchKind::kEpoll;
    case WC_WATCH_POLL: return model::WatchKind::kPoll;
    case WC_WATCH_RING: return model::WatchKind::kRing;
    default: return model::WatchKind::kOther;
    }
}

std::string comm_of(const wc_census_carrier& record) {
    model::Actor actor;
    std::copy(std::begin(record.comm), std::end(record.comm), actor.comm.begin());
    return actor.comm_text();
}

/// The epolls that watch held sockets, and those that watch these in turn.
std::set<std::uint64_t> epolls_of_interest(const model::Census& census) {
    std::set<std::uint64_t> wanted;
    for (const model::Socket& socket : census.sockets) {
        if (!socket.watches) continue;
        for (const model::Watch& watch : *socket.watches) {
            if (watch.epoll) wanted.insert(watch.epoll);
            if (watch.outer) wanted.insert(watch.outer);
        }
    }
    return wanted;
}

}  // namespace

std::optional<model::Watch> watch_of(const wc_census_watch& record) {
    if (record.kind == WC_WATCH_CUT) return std::nullopt;
    model::Watch watch;
    watch.kind = kind_of(record);
    watch.fd = watch.kind == model::WatchKind::kEpoll ? static_cast<std::int32_t>(record.fd) : -1;
    watch.events = record.events;
    watch.epoll = record.epoll;
    watch.outer = record.outer;
    watch.ready = record.ready != 0;
    watch.awaited = record.awaited != 0;
    watch.polled = record.polled != 0;
    watch.pid = record.tgid;
    watch.tid = record.tid;
    return watch;
}

void add_watch(model::Socket& socket, const wc_census_watch& record) {
    if (!socket.watches) socket.watches = std::make_unique<std::vector<model::Watch>>();
    if (const auto watch = watch_of(record))
        socket.watches->push_back(*watch);
    else
        socket.watching = model::Watching::kUnknown;
}

model::InFlight in_flight_of(const wc_census_carrier& record) {
    return {model::InFlight::Where::kMessage, record.leader_start_ns, record.tgid,
            static_cast<std::int32_t>(record.fd), comm_of(record)};
}

void add_carriers(model::Census& census, const std::vector<wc_census_carrier>& carriers) {
    const std::set<std::uint64_t> wanted = epolls_of_interest(census);
    std::map<std::pair<std::uint32_t, std::uint64_t>, model::Process*> processes;
    for (model::Process& process : census.processes) processes[{process.pid, process.start_ns}] = &process;
    for (const wc_census_carrier& one : carriers) {
        const auto fd = static_cast<std::int32_t>(one.fd);
        if (one.kind == WC_CARRIER_EPOLL && wanted.contains(one.object) && one.tgid)
            census.epolls.push_back({one.object, one.leader_start_ns, one.tgid, fd, comm_of(one)});
        if (one.kind != WC_CARRIER_HELD_BACK) continue;
        const auto found = processes.find({one.tgid, one.leader_start_ns});
        if (found != processes.end()) found->second->held_back_fd = fd;
    }
    std::ranges::stable_sort(census.epolls, {}, &model::EpollHolder::epoll);
}

}  // namespace waitclose::kernel
