// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/records.h"

#include <algorithm>

#include <sys/socket.h>

namespace waitclose::kernel {
namespace {

model::Endpoint endpoint(const wc_u8 (&address)[16], wc_u16 port) {
    model::Endpoint end;
    std::copy(std::begin(address), std::end(address), end.address.begin());
    end.port = port;
    return end;
}

model::End end_of(const wc_left& record) {
    switch (record.end) {
    case WC_END_PROGRAM: return model::End::kProgram;
    case WC_END_ERROR: return model::End::kError;
    case WC_END_EXIT: return model::End::kExit;
    case WC_END_SHUTDOWN: return model::End::kShutdown;
    default: return model::End::kKernel;
    }
}

}  // namespace

model::Family family_of(const wc_socket& socket) {
    return socket.family == AF_INET6 ? model::Family::kIpv6 : model::Family::kIpv4;
}

model::Endpoint local_of(const wc_socket& socket) {
    return endpoint(socket.local, socket.local_port);
}

model::Endpoint remote_of(const wc_socket& socket) {
    return endpoint(socket.remote, socket.remote_port);
}

model::Connection connection_of(const wc_socket& socket) {
    return {{socket.netns, socket.cookie}, family_of(socket), local_of(socket), remote_of(socket)};
}

std::optional<model::Actor> actor_of(const wc_actor& actor) {
    if (actor.tgid == 0 || actor.tid == 0) return std::nullopt;
    model::Actor found{.start_ns = actor.start_ns, .pid = actor.tgid, .tid = actor.tid};
    std::copy(std::begin(actor.comm), std::end(actor.comm), found.comm.begin());
    return found;
}

std::optional<model::Deed> deed_of(const wc_deed& deed, wc_u32 operation, std::int32_t fd) {
    const auto actor = deed.at_ns ? actor_of(deed.actor) : std::nullopt;
    if (!actor) return std::nullopt;
    return model::Deed{*actor, deed.at_ns, static_cast<model::Operation>(operation), fd};
}

model::Touches touches_of(const wc_touches& touches) {
    model::Touches found;
    found.opened = deed_of(touches.opened, touches.opened_by);
    found.last = deed_of(touches.last, touches.last_was);
    found.eof = deed_of(touches.eof, WC_OPERATION_READ);
    found.let_go = deed_of(touches.let_go, WC_OPERATION_NONE, static_cast<std::int32_t>(touches.let_go_fd));
    found.eof_reads = touches.eof_reads;
    found.sent_since_fin = touches.sent_since_fin;
    return found;
}

model::Entered entered_of(const wc_entered& record) {
    return {record.at_ns, connection_of(record.socket)};
}

model::Left left_of(const wc_left& record) {
    return {record.at_ns,
            {record.netns, record.cookie},
            end_of(record),
            static_cast<int>(record.error),
            actor_of(record.closer)};
}

model::Transition transition_of(const wc_transition& record) {
    return {record.at_ns, static_cast<model::TcpState>(record.old_state),
            static_cast<model::TcpState>(record.new_state), connection_of(record.socket)};
}

}  // namespace waitclose::kernel
