// SPDX-License-Identifier: BSD-2-Clause
// Joins what the iterators gave: descriptors to sockets, processes to descriptors, threads to processes,
// unaccepted sockets to their listener, and the two ends of a connection that both live here.
#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "kernel/readings.h"
#include "kernel/records.h"
#include "model/accept_pace.h"

namespace waitclose::kernel {
namespace {

using model::kNone;

/// Finds a socket by its address; sorted once, since hundreds of thousands may be asked for.
class PlaceIndex {
public:
    explicit PlaceIndex(const std::vector<SocketPlace>& places) : places_(places) {
        order_.resize(places.size());
        for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = {places[i].address, i};
        std::sort(order_.begin(), order_.end());
    }

    /// The index of the socket, or kNone. An inode of 0 matches a socket without file.
    std::int32_t find(std::uint64_t address, std::uint64_t inode) const {
        const auto at = std::lower_bound(order_.begin(), order_.end(), std::pair{address, std::uint32_t{0}});
        if (at == order_.end() || at->first != address || places_[at->second].inode != inode) return kNone;
        return static_cast<std::int32_t>(at->second);
    }

private:
    const std::vector<SocketPlace>& places_;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order_;
};

/// A process is its pid together with its start: a pid alone may have passed to another between two looks.
struct ProcessKey {
    std::uint32_t pid;
    std::uint64_t start_ns;
    auto operator<=>(const ProcessKey&) const = default;
};

ProcessKey key_of(const wc_census_descriptor& record) {
    return {record.tgid, record.leader_start_ns};
}

ProcessKey key_of(const wc_census_thread& record) {
    return {record.actor.tgid, record.leader_start_ns};
}

class Joiner {
public:
    explicit Joiner(Readings&& readings)
        : readings_(std::move(readings)),
          held_(readings_.socket_places),
          listening_(readings_.listener_places),
          peers_(readings_.peer_places) {}

    model::Census join() {
        census_.taken_ns = readings_.taken_ns;
        census_.traced = readings_.traced;
        census_.states = std::move(readings_.states);
        order_descriptors();
        make_processes();
        add_threads();
        place_holders(readings_.sockets, held_);
        place_holders(readings_.listeners, listening_);
        place_holders(readings_.peers, peers_);
        find_listeners();
        find_peers();
        add_accepts();
        census_.sockets = std::move(readings_.sockets);
        census_.listeners = std::move(readings_.listeners);
        find_messages();
        add_carriers(census_, readings_.carriers);
        return std::move(census_);
    }

private:
    /// The same descriptor may come twice, once for each thread of a process whose leader has exited.
    void order_descriptors() {
        auto& all = readings_.descriptors;
        const auto rank = [](const wc_census_descriptor& one) { return std::tuple(key_of(one), one.fd); };
        const auto is_less = [&](const auto& a, const auto& b) { return rank(a) < rank(b); };
        if (!std::is_sorted(all.begin(), all.end(), is_less)) std::sort(all.begin(), all.end(), is_less);
        all.erase(std::unique(all.begin(), all.end(),
                              [&](const auto& a, const auto& b) { return rank(a) == rank(b); }),
                  all.end());
    }

    void make_processes() {
        for (const wc_census_descriptor& one : readings_.descriptors) {
            if (!processes_.empty() && processes_.back() == key_of(one)) continue;
            processes_.push_back(key_of(one));
            model::Process process;
            process.pid = one.tgid;
            process.start_ns = one.leader_start_ns;
            census_.processes.push_back(std::move(process));
        }
    }

    void add_threads() {
        auto& all = readings_.threads;
        std::stable_sort(all.begin(), all.end(),
                         [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
        auto next = all.begin();
        for (std::size_t i = 0; i < processes_.size(); ++i) {
            model::Process& process = census_.processes[i];
            process.first_thread = static_cast<std::uint32_t>(census_.threads.size());
            next = std::find_if(next, all.end(),
                                [&](const auto& one) { return !(key_of(one) < processes_[i]); });
            for (; next != all.end() && key_of(*next) == processes_[i]; ++next) {
                process.parent_pid = next->parent_tgid;
                note_ended(process, *next);
                census_.threads.push_back(thread_of(*next, readings_.run_phase_ns));
                if (next->actor.tid == process.pid || process.comm.empty())
                    process.comm = census_.threads.back().comm;
            }
            process.thread_count = static_cast<std::uint32_t>(census_.threads.size()) - process.first_thread;
        }
    }

    /// Counting sort of the descriptors into one run per socket.
    void place_holders(std::vector<model::Socket>& sockets, const PlaceIndex& index) {
        std::vector<std::int32_t> target(readings_.descriptors.size(), kNone);
        for (std::size_t i = 0; i < target.size(); ++i) {
            target[i] = index.find(readings_.descriptors[i].socket_address, readings_.descriptors[i].inode);
            if (target[i] != kNone) ++sockets[static_cast<std::size_t>(target[i])].holder_count;
        }
        auto next = static_cast<std::uint32_t>(census_.holders.size());
        for (model::Socket& socket : sockets) {
            socket.first_holder = next;
            next += std::exchange(socket.holder_count, 0);
        }
        census_.holders.resize(next);
        std::uint32_t process = 0;
        for (std::size_t i = 0; i < target.size(); ++i) {
            const wc_census_descriptor& one = readings_.descriptors[i];
            while (processes_[process] != key_of(one)) ++process;
            if (target[i] == kNone) continue;
            model::Socket& socket = sockets[static_cast<std::size_t>(target[i])];
            census_.holders[socket.first_holder + socket.holder_count++] = {
                process, static_cast<std::int32_t>(one.fd), one.close_on_exec != 0};
        }
    }

    /// The kernel side walked the accept queues; where it could not, the only listener that fits is it.
    void find_listeners() {
        for (std::size_t i = 0; i < readings_.sockets.size(); ++i) {
            model::Socket& socket = readings_.sockets[i];
            if (socket.has_file) continue;
            socket.listener = readings_.queued_at[i] ? listener_at(readings_.queued_at[i]) : kNone;
            if (socket.listener == kNone && !socket.kernel_owned) socket.listener = only_listener_for(socket);
        }
    }

    void add_accepts() {
        census_.accept.queues = std::move(readings_.queues);
        census_.accept.queues.resize(readings_.listeners.size());
        census_.accept.networks = std::move(readings_.networks);
        for (const auto& [key, count] : readings_.accepts) {
            const std::int32_t listener = listening_.find(key.listener, key.inode);
            if (listener == kNone) continue;
            census_.accept.calls.push_back({.listener = listener,
                                            .pid = key.tgid,
                                            .tid = key.tid,
                                            .thread_start_ns = key.start_ns,
                                            .error = key.error,
                                            .total = count.count,
                                            .recent = std::nullopt,
                                            .last_ns = count.last_ns});
        }
        model::sort_by_listener(census_.accept);
    }

    std::int32_t listener_at(std::uint64_t address) const {
        for (std::size_t i = 0; i < readings_.listener_places.size(); ++i)
            if (readings_.listener_places[i].address == address) return static_cast<std::int32_t>(i);
        return kNone;
    }

    std::int32_t only_listener_for(const model::Socket& socket) const {
        std::int32_t found = kNone;
        for (std::size_t i = 0; i < readings_.listeners.size(); ++i) {
            const model::Socket& one = readings_.listeners[i];
            const bool fits = one.netns == socket.netns && one.local.port == socket.local.port &&
                              (model::is_any_address(one.local) || one.local.address == socket.local.address);
            if (!fits) continue;
            if (found != kNone) return kNone;
            found = static_cast<std::int32_t>(i);
        }
        return found;
    }

    /// Descriptors on their way: in a message that nobody has received.
    void find_messages() {
        for (const wc_census_carrier& one : readings_.carriers) {
            if (one.kind != WC_CARRIER_MESSAGE) continue;
            const std::int32_t found = held_.find(one.object, one.inode);
            if (found == kNone) continue;
            auto& in_flight = census_.sockets[static_cast<std::size_t>(found)].in_flight;
            if (!in_flight) in_flight = std::make_unique<std::vector<model::InFlight>>();
            in_flight->push_back(in_flight_of(one));
        }
    }

    struct TupleHash {
        std::size_t operator()(const std::pair<model::Endpoint, model::Endpoint>& tuple) const {
            std::size_t hash = 0;
            for (const model::Endpoint& end : {tuple.first, tuple.second}) {
                for (const std::uint8_t byte : end.address) hash = hash * 131 + byte;
                hash = hash * 65599 + end.port;
            }
            return hash;
        }
    };

    /// Both ends of a connection are here when their addresses mirror each other; two candidates prove
    /// nothing.
    void find_peers() {
        std::unordered_map<std::pair<model::Endpoint, model::Endpoint>, std::int32_t, TupleHash> ends;
        for (const model::Socket& peer : readings_.peers) {
            if (peer.holder_count == 0) continue;
            const auto [place, is_new] =
                ends.try_emplace({peer.local, peer.remote}, static_cast<std::int32_t>(peer.first_holder));
            if (!is_new) place->second = kNone;
        }
        if (ends.empty()) return;
        for (model::Socket& socket : readings_.sockets)
            if (const auto found = ends.find({socket.remote, socket.local}); found != ends.end())
                socket.peer_holder = found->second;
    }

    Readings readings_;
    PlaceIndex held_;
    PlaceIndex listening_;
    PlaceIndex peers_;
    std::vector<ProcessKey> processes_;  // parallel to census_.processes
    model::Census census_;
};

}  // namespace

model::Census join(Readings&& readings) {
    return Joiner(std::move(readings)).join();
}

}  // namespace waitclose::kernel
