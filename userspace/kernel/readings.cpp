// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/readings.h"

#include <algorithm>

#include "kernel/records.h"
#include "model/units.h"

namespace waitclose::kernel {

namespace {

/// A process that started within so much of the socket may be the one that opened it: where ticks were
/// counted late, a server of a few milliseconds seemed younger than its connection.
constexpr std::uint64_t kOldestSignMarginNs = 100'000'000;

}  // namespace
std::uint64_t TickClock::latest(std::uint32_t stamp, std::uint64_t jiffies, std::uint64_t now_ns) const {
    const std::uint32_t ago = static_cast<std::uint32_t>(jiffies) - stamp;
    const std::uint64_t end_of_tick = (jiffies - ago + 1) * tick_ns_;
    const std::uint64_t at = static_cast<std::uint64_t>(phase_ns_) + end_of_tick + kLateTickNs;
    return std::min(at, now_ns);
}

model::Role role_by(std::uint64_t acked_unsent) {
    switch (acked_unsent) {
    case 0: return model::Role::kServer;
    case 1: return model::Role::kClient;
    default: return model::Role::kUnknown;
    }
}

model::Role role_of(const wc_census_socket& record) {
    const std::uint64_t payload_acked = record.bytes_sent - record.bytes_retransmitted - record.in_flight;
    return role_by(record.bytes_acked - payload_acked);
}

namespace {

/// As keepalive_time_when(), keepalive_intvl_when() and keepalive_probes() of the kernel do, a 0 of the
/// socket stands for the network namespace's own.
model::Keepalive keepalive_of(const wc_census_socket& record, const TickClock& clock,
                              const model::Keepalive& defaults) {
    model::Keepalive keepalive = defaults;
    keepalive.on = record.keepalive != 0;
    if (record.keepalive_time) keepalive.idle_ns = clock.span_ns(record.keepalive_time);
    if (record.keepalive_interval) keepalive.interval_ns = clock.span_ns(record.keepalive_interval);
    if (record.keepalive_probes) keepalive.probes = record.keepalive_probes;
    keepalive.user_timeout_ns = std::uint64_t{record.user_timeout_ms} * model::kMillisecond;
    keepalive.unanswered = record.probes_unanswered;
    // keepalive_time_elapsed() counts from the later of the two.
    keepalive.heard_ns = std::max(clock.latest(record.segment_jiffies, record.jiffies, record.taken_ns),
                                  clock.latest(record.data_jiffies, record.jiffies, record.taken_ns));
    return keepalive;
}

}  // namespace

model::Socket socket_of(const wc_census_socket& record, const TickClock& clock,
                        const model::Keepalive& defaults) {
    const auto latest = [&](wc_u32 stamp) { return clock.latest(stamp, record.jiffies, record.taken_ns); };
    model::Socket socket;
    socket.cookie = record.socket.cookie;
    socket.netns = record.socket.netns;
    socket.family = family_of(record.socket);
    socket.state = static_cast<model::TcpState>(record.socket.state);
    socket.role = role_of(record);
    socket.local = local_of(record.socket);
    socket.remote = remote_of(record.socket);
    socket.has_file = record.inode != 0;
    socket.kernel_owned = record.kernel_owned != 0;
    socket.multipath = record.multipath != 0;
    socket.keepalive = keepalive_of(record, clock, defaults);
    socket.fin_consumed = record.unread == 0;
    // rcv_nxt counts the FIN as one byte, and so does bytes_received (tcp_rcv_nxt_update).
    socket.unread_bytes = record.unread > 0 ? record.unread - 1 : 0;
    socket.received_data = record.bytes_received > 1;
    socket.received_bytes = record.bytes_received > 1 ? record.bytes_received - 1 : 0;
    socket.unsent_bytes = record.unacknowledged;
    socket.file_references = record.file_references;
    socket.inode = record.inode;
    socket.watching = static_cast<model::Watching>(record.watching);
    socket.held_since_ns = latest(record.segment_jiffies);
    socket.last_sent_ns = record.bytes_sent ? latest(record.sent_jiffies) : 0;
    socket.last_data_ns = socket.received_data ? latest(record.data_jiffies) : 0;
    // Both stamps are set when the connection is established.
    socket.oldest_sign_ns =
        std::min({latest(record.data_jiffies), latest(record.sent_jiffies), socket.held_since_ns}) +
        kOldestSignMarginNs;
    socket.backlog = record.backlog;
    socket.backlog_limit = record.backlog_limit;
    return socket;
}

model::AcceptQueue queue_of(const wc_census_queue& record, const TickClock& clock) {
    model::AcceptQueue queue;
    queue.walked = record.walked;
    std::copy(std::begin(record.by_state), std::end(record.by_state), queue.by_state.begin());
    if (record.walked)
        queue.oldest_since_ns = clock.latest(record.oldest_jiffies, record.jiffies, record.taken_ns);
    return queue;
}

}  // namespace waitclose::kernel
