// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/census.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/types.h>

#include "kernel/accepts.h"
#include "kernel/polled.h"
#include "kernel/readings.h"
#include "kernel/records.h"
#include "system/host.h"
#include "system/keepalive.h"
#include "system/namespaces.h"
#include "system/network_facts.h"
#include "system/process_info.h"
#include "system/ring_files.h"
#include "system/thread_facts.h"
#include "system/tracer.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

template <typename Record>
const Record& as(const wc_header& header) {
    return reinterpret_cast<const Record&>(header);
}

void add_socket(Readings& readings, const wc_census_socket& record, const TickClock& clock,
                const model::Keepalive& defaults) {
    model::Socket socket = socket_of(record, clock, defaults);
    const SocketPlace place{record.socket.address, record.inode};
    if (socket.state == model::TcpState::kCloseWait) {
        readings.sockets.push_back(std::move(socket));
        readings.socket_places.push_back(place);
        readings.queued_at.push_back(record.listener);
    } else if (socket.state == model::TcpState::kListen) {
        readings.listeners.push_back(std::move(socket));
        readings.listener_places.push_back(place);
        readings.queues.emplace_back();
    } else {
        readings.peers.push_back(std::move(socket));
        readings.peer_places.push_back(place);
    }
}

void add_queue(Readings& readings, const wc_census_queue& record, const TickClock& clock) {
    if (!readings.listener_places.empty() && readings.listener_places.back().address == record.listener)
        readings.queues.back() = queue_of(record, clock);
}

/// Network namespaces by inode, each with a way in: through a mount, or through a thread that lives there.
std::map<std::uint32_t, system::Descriptor> doors(const std::vector<wc_census_namespace>& lived_in) {
    std::map<std::uint32_t, system::Descriptor> found;
    const auto add = [&](std::uint32_t netns, system::Descriptor file) {
        if (file && system::netns_inode(file) == netns) found.try_emplace(netns, std::move(file));
    };
    for (const system::MountedNamespace& mounted : system::mounted_netns())
        if (!found.contains(mounted.inode)) add(mounted.inode, system::open_netns_at(mounted.path));
    for (const wc_census_namespace& one : lived_in)
        if (!found.contains(one.netns)) add(one.netns, system::open_netns_of(one.tgid, one.tid));
    return found;
}

std::vector<model::InFlight> rings_in(const Readings& readings) {
    std::vector<model::InFlight> rings;
    for (const wc_census_carrier& one : readings.carriers)
        if (one.kind == WC_CARRIER_RING && one.tgid) rings.push_back(in_flight_of(one));
    return rings;
}

}  // namespace

CensusTaker::CensusTaker(const Probes& probes, std::uint32_t netns, Iterator&& sockets,
                         Iterator&& descriptors, Iterator&& threads, Iterator&& namespaces,
                         Follower&& follower)
    : probes_(&probes),
      netns_(netns),
      sockets_(std::move(sockets)),
      descriptors_(std::move(descriptors)),
      threads_(std::move(threads)),
      namespaces_(std::move(namespaces)),
      follower_(std::move(follower)) {}

Result<CensusTaker> CensusTaker::prepare(const Probes& probes, std::uint32_t netns) {
    auto sockets = Iterator::attach(probes.program_for("census", 0));
    auto descriptors = Iterator::attach(probes.program_for("descriptors", 0));
    auto threads = Iterator::attach(probes.program_for("threads", 0));
    auto namespaces = Iterator::attach(probes.program_for("threads", 1));
    for (const auto* one : {&sockets, &descriptors, &threads, &namespaces})
        if (!*one) return tl::unexpected(one->error());
    auto follower = Follower::prepare(probes);
    if (!follower) return tl::unexpected(follower.error());
    return CensusTaker(probes, netns, std::move(*sockets), std::move(*descriptors), std::move(*threads),
                       std::move(*namespaces), std::move(*follower));
}

Result<model::Census> CensusTaker::take() {
    const bool is_first = !away_;
    auto census = take_once();
    if (!census || !mark_away(*census) || !is_first) return census;
    census = take_once();
    if (census) mark_away(*census);
    return census;
}

/// Sockets and descriptors are read at two moments, and one that is being accepted, passed on or closed has
/// no descriptor for another one. Whether there are such as the look before did not find.
bool CensusTaker::mark_away(model::Census& census) {
    const auto before = std::exchange(away_, Away());
    bool is_new = false;
    for (model::Socket& socket : census.sockets) {
        if (socket.holder_count > 0 || socket.listener != model::kNone || socket.file_references == 0)
            continue;
        const model::SocketKey key{socket.netns, socket.cookie};
        away_->insert(key);
        socket.away_before = before && before->contains(key);
        is_new |= !socket.away_before;
    }
    return is_new;
}

Result<model::Census> CensusTaker::take_once() {
    wc_counters& counters = probes_->skeleton().bss->counters;
    std::fill(std::begin(counters.states), std::end(counters.states), 0);
    counters.tick_phase_ns = counters.run_phase_ns = std::numeric_limits<wc_i64>::max();
    ++probes_->skeleton().bss->census_number;

    Readings readings;
    Visited visited;
    if (auto done = read(readings, visited); !done) return tl::unexpected(done.error());
    const auto unreachable =
        std::count_if(readings.descriptors.begin(), readings.descriptors.end(), [&](const auto& one) {
            return one.state == static_cast<wc_u8>(model::TcpState::kCloseWait) &&
                   !visited.contains(one.netns) && (!netns_ || one.netns == netns_);
        });
    follower_.begin(readings);
    const std::vector<model::InFlight> rings = rings_in(readings);
    model::Census census = join(std::move(readings));
    census.unreachable = static_cast<std::uint64_t>(unreachable);
    system::find_registered(census, rings);
    complete(census);
    return census;
}

Result<void> CensusTaker::read(Readings& readings, Visited& visited) {
    readings.traced = probes_->skeleton().rodata->tracing;
    const auto lived_in = read_namespaces();
    if (!lived_in) return tl::unexpected(lived_in.error());
    // Side by side: they read different things, and together they are most of the time.
    auto descriptors = std::async(std::launch::async, [&] { return read_descriptors(readings); });
    const auto sockets = read_sockets(readings, *lived_in, visited);
    if (auto done = descriptors.get(); !done) return tl::unexpected(done.error());
    if (!sockets) return tl::unexpected(sockets.error());
    if (netns_ && !visited.contains(netns_) && !found_netns_)
        return tl::unexpected(
            Failure{fmt::format("there is no network namespace {} here that can be entered", netns_),
                    "list them with: lsns -t net; entering one takes root or cap_sys_admin"});
    found_netns_ = true;
    // Not earlier: a hold that began during the pass would be younger than nothing.
    readings.taken_ns = system::boottime_ns();
    if (counts_accepts(*probes_)) readings.accepts = read_accepts(*probes_);
    if (auto done = read_threads(readings); !done) return tl::unexpected(done.error());
    const wc_counters& counters = probes_->skeleton().bss->counters;
    for (std::size_t i = 0; i < std::size(counters.states); ++i)
        if (counters.states[i]) readings.states[static_cast<model::TcpState>(i)] = counters.states[i];
    return {};
}

void CensusTaker::complete(model::Census& census) {
    census.wall_offset_ns = system::wall_offset_ns();
    census.nested = probes_->skeleton().bss->pid_level > 0;
    complete_accept_side(census);
    for (model::Process& process : census.processes) {
        system::describe_process(process);
        const auto threads = std::span(census.threads).subspan(process.first_thread, process.thread_count);
        system::describe_waits(process, threads);
        system::describe_tracers(process, threads);
    }
    follower_.follow(census, threads_);
    // Of those the chains led to, too.
    symbols_.name_stacks(census.threads);
}

void CensusTaker::complete_accept_side(model::Census& census) {
    census.accept.counted = counts_accepts(*probes_);
    census.accept.files = system::file_table();
    std::vector<std::uint64_t> cookies;
    for (const model::Socket& listener : census.listeners) cookies.push_back(listener.cookie);
    accept_history_.apply(census.accept, cookies, census.taken_ns);
}

Result<std::vector<wc_census_namespace>> CensusTaker::read_namespaces() const {
    std::vector<wc_census_namespace> lived_in;
    auto listed = namespaces_.run([&](const wc_header& header) {
        if (header.kind == WC_KIND_CENSUS_NAMESPACE) lived_in.push_back(as<wc_census_namespace>(header));
    });
    if (!listed) return tl::unexpected(listed.error());
    return lived_in;
}

Result<void> CensusTaker::read_sockets(Readings& readings, const std::vector<wc_census_namespace>& lived_in,
                                       Visited& visited) const {
    const std::uint32_t home = system::own_netns();
    if (!netns_ || netns_ == home) {
        if (auto done = read_sockets_here(readings); !done) return done;
        visited.insert(home);
        readings.networks[home] = system::network_facts_here();
    }
    for (const auto& [netns, door] : doors(lived_in)) {
        if (visited.contains(netns) || (netns_ && netns_ != netns)) continue;
        const system::NetnsVisit visit(door);
        if (!visit.entered()) continue;
        if (auto done = read_sockets_here(readings); !done) return done;
        visited.insert(netns);
        readings.networks[netns] = system::network_facts_here();
    }
    return {};
}

Result<void> CensusTaker::read_sockets_here(Readings& readings) const {
    const volatile wc_counters& counters = probes_->skeleton().bss->counters;
    const std::uint64_t tick_ns = system::tick_ns();
    const model::Keepalive defaults = system::keepalive_defaults();
    return sockets_.run([&](const wc_header& header) {
        if (header.kind == WC_KIND_CENSUS_QUEUE)
            add_queue(readings, as<wc_census_queue>(header), TickClock(counters.tick_phase_ns, tick_ns));
        else if (header.kind == WC_KIND_CENSUS_SOCKET)
            add_socket(readings, as<wc_census_socket>(header), TickClock(counters.tick_phase_ns, tick_ns),
                       defaults);
        else if (header.kind == WC_KIND_CENSUS_TOUCH && !readings.sockets.empty() &&
                 readings.sockets.back().cookie == as<wc_census_touch>(header).cookie)
            readings.sockets.back().touches =
                std::make_unique<model::Touches>(touches_of(as<wc_census_touch>(header).touches));
        else if (header.kind == WC_KIND_CENSUS_WATCH && !readings.sockets.empty() &&
                 readings.sockets.back().cookie == as<wc_census_watch>(header).cookie)
            add_watch(readings.sockets.back(), as<wc_census_watch>(header));
    });
}

Result<void> CensusTaker::read_descriptors(Readings& readings) const {
    return descriptors_.run([&](const wc_header& header) {
        if (header.kind == WC_KIND_CENSUS_DESCRIPTOR)
            readings.descriptors.push_back(as<wc_census_descriptor>(header));
        else if (header.kind == WC_KIND_CENSUS_CARRIER)
            readings.carriers.push_back(as<wc_census_carrier>(header));
    });
}

Result<void> CensusTaker::read_threads(Readings& readings) const {
    // Only of processes that hold something: the kernel side leaves all others alone.
    const int wanted = bpf_map__fd(probes_->skeleton().maps.wanted_processes);
    std::set<std::uint32_t> processes;
    for (const wc_census_descriptor& one : readings.descriptors) processes.insert(one.tgid);
    const std::uint8_t yes = 1;
    for (const std::uint32_t process : processes) bpf_map_update_elem(wanted, &process, &yes, BPF_ANY);
    // Since when threads sleep is measured against this one's own arrival on its CPU (sample_run_phase),
    // which is then a few microseconds ago, and not as long as the census took so far.
    std::this_thread::sleep_for(std::chrono::microseconds(1));
    auto done = threads_.run([&](const wc_header& header) {
        if (header.kind == WC_KIND_CENSUS_THREAD) readings.threads.push_back(as<wc_census_thread>(header));
    });
    for (const std::uint32_t process : processes) bpf_map_delete_elem(wanted, &process);
    if (done) done = look_at_polled(*probes_, threads_, readings.threads);
    readings.run_phase_ns = probes_->skeleton().bss->counters.run_phase_ns;
    return done;
}

}  // namespace waitclose::kernel
