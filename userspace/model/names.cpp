// SPDX-License-Identifier: BSD-2-Clause
// Model values as text.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "model/socket.h"

namespace waitclose::model {

const char* name_of(TcpState state) {
    switch (state) {
    case TcpState::kEstablished: return "ESTABLISHED";
    case TcpState::kSynSent: return "SYN_SENT";
    case TcpState::kSynRecv: return "SYN_RECV";
    case TcpState::kFinWait1: return "FIN_WAIT1";
    case TcpState::kFinWait2: return "FIN_WAIT2";
    case TcpState::kTimeWait: return "TIME_WAIT";
    case TcpState::kClose: return "CLOSE";
    case TcpState::kCloseWait: return "CLOSE_WAIT";
    case TcpState::kLastAck: return "LAST_ACK";
    case TcpState::kListen: return "LISTEN";
    case TcpState::kClosing: return "CLOSING";
    case TcpState::kNewSynRecv: return "NEW_SYN_RECV";
    }
    return "UNKNOWN";
}

const char* name_of(Role role) {
    switch (role) {
    case Role::kServer: return "server";
    case Role::kClient: return "client";
    case Role::kUnknown: break;
    }
    return "unknown";
}

const char* name_of(Precision precision) {
    return precision == Precision::kExact ? "exact" : "at-least";
}

std::optional<bool> was_accepted(const Socket& socket) {
    if (socket.role == Role::kClient) return std::nullopt;
    if (socket.listener != kNone) return false;
    if (socket.role != Role::kServer) return std::nullopt;
    if (socket.has_file) return true;
    return socket.kernel_owned ? std::nullopt : std::optional(false);
}

std::string address_text(Family family, const Endpoint& endpoint) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int af = family == Family::kIpv4 ? AF_INET : AF_INET6;
    if (::inet_ntop(af, endpoint.address.data(), text.data(), text.size()) == nullptr) return {};
    return text.data();
}

bool is_any_address(const Endpoint& endpoint) {
    return std::all_of(endpoint.address.begin(), endpoint.address.end(), [](auto byte) { return byte == 0; });
}

std::string Actor::comm_text() const {
    return {comm.begin(), std::find(comm.begin(), comm.end(), '\0')};
}

}  // namespace waitclose::model
