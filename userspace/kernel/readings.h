// SPDX-License-Identifier: BSD-2-Clause
// What the iterators of one census gave, before it is joined.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bpf/records.h"
#include "model/census.h"

namespace waitclose::kernel {

/// Joins a socket to its descriptors: the address alone may have been reused between two passes.
struct SocketPlace {
    std::uint64_t address = 0;
    std::uint64_t inode = 0;
};

/// Calls of accept() that ended alike, as the kernel side counts them.
struct AcceptRecord {
    wc_accept_key key;
    wc_accept_count count;
};

struct Readings {
    std::vector<model::Socket> sockets;  // in CLOSE_WAIT
    std::vector<SocketPlace> socket_places;
    std::vector<std::uint64_t> queued_at;  // address of the listener in whose queue the socket sits, or 0
    std::vector<model::Socket> listeners;
    std::vector<SocketPlace> listener_places;
    std::vector<model::AcceptQueue> queues;  // parallel to listeners
    std::vector<AcceptRecord> accepts;
    std::map<std::uint32_t, model::NetworkFacts> networks;
    std::vector<model::Socket> peers;  // in FIN_WAIT1 and FIN_WAIT2: other ends that may live here
    std::vector<SocketPlace> peer_places;
    std::vector<wc_census_descriptor> descriptors;
    std::vector<wc_census_thread> threads;
    std::vector<wc_census_carrier> carriers;
    std::map<model::TcpState, std::uint64_t> states;
    std::uint64_t taken_ns = 0;
    std::int64_t run_phase_ns = 0;  // CLOCK_BOOTTIME when the scheduler's clock was 0
    bool traced = false;
};

/// How late a tick may be counted. The counter stands still while the CPU that drives it does not run, so on
/// a virtual machine whose host is busy it lags: up to 9 ms were measured on an emulated one.
constexpr std::uint64_t kLateTickNs = 10'000'000;

/// When something happened whose time the kernel kept in ticks.
class TickClock {
public:
    /// `phase_ns`: CLOCK_BOOTTIME when the tick counter was (or would have been) 0.
    TickClock(std::int64_t phase_ns, std::uint64_t tick_ns) : phase_ns_(phase_ns), tick_ns_(tick_ns) {}

    /// The latest CLOCK_BOOTTIME at which the low half of the tick counter can have been `stamp`, given that
    /// the whole counter is `jiffies` now; never later than `now_ns`. A tick may be counted late, so
    /// kLateTickNs is added.
    std::uint64_t latest(std::uint32_t stamp, std::uint64_t jiffies, std::uint64_t now_ns) const;

    /// So many ticks in ns.
    std::uint64_t span_ns(std::uint32_t ticks) const { return ticks * tick_ns_; }

private:
    std::int64_t phase_ns_;
    std::uint64_t tick_ns_;
};

/// One thread from its record. Its sleep began when it last got a CPU plus the time it kept that: a
/// preemption in between would make it later, never earlier. `run_phase_ns`: CLOCK_BOOTTIME when the
/// scheduler's clock was 0.
model::Thread thread_of(const wc_census_thread& record, std::int64_t run_phase_ns);

/// What the kernel says the thread does.
model::RunState run_state(const wc_census_thread& record);

/// The file that a sleeping thread's system call acts on; nothing when the call takes no descriptor.
std::optional<model::FileFact> file_of(const wc_census_thread& record, const model::Thread& thread);

/// Whether threads of the process have exited, as the record of any thread of it tells.
void note_ended(model::Process& process, const wc_census_thread& record);

/// One entry of a wait queue from its record; nothing for the mark that it was not read to its end.
std::optional<model::Watch> watch_of(const wc_census_watch& record);

/// Adds it to the socket whose record came before.
void add_watch(model::Socket& socket, const wc_census_watch& record);

/// What the descriptors of other things say: epolls by identity, and which processes are held back.
/// `census.sockets` and `census.processes` must be complete.
void add_carriers(model::Census& census, const std::vector<wc_census_carrier>& carriers);

/// A descriptor of a held socket in a message not yet received.
model::InFlight in_flight_of(const wc_census_carrier& record);

/// One socket from its record. `defaults`: what its network namespace says of keepalive.
model::Socket socket_of(const wc_census_socket& record, const TickClock& clock,
                        const model::Keepalive& defaults = {});

/// Who opened the connection, from TCP's own counters: the acknowledgement of a SYN that this side sent
/// counts as one byte of tcp_sock.bytes_acked, which for a passively opened socket starts after it.
/// (tcp_snd_una_update, tcp_create_openreq_child; the counters exist since 4.19.)
model::Role role_of(const wc_census_socket& record);
/// The same, where the kernel side has taken away what was sent: of what the peer acknowledged, how much was
/// never payload.
model::Role role_by(std::uint64_t acked_unsent);

/// One accept queue from its record.
model::AcceptQueue queue_of(const wc_census_queue& record, const TickClock& clock);

/// Joins sockets, descriptors, threads and listeners. Takes the readings apart.
model::Census join(Readings&& readings);

}  // namespace waitclose::kernel
