// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/fin.h"

#include "model/units.h"

namespace waitclose::diagnose {

bool fin_time_known(const model::Socket& socket) {
    if (socket.precision == model::Precision::kExact) return true;
    if (socket.keepalive.on || socket.unsent_bytes > 0) return false;
    return peer_sent_last(socket) || socket.last_sent_ns + model::kSecond <= socket.held_since_ns;
}

bool peer_sent_last(const model::Socket& socket) {
    const bool client = socket.role == model::Role::kClient;
    return socket.last_sent_ns == 0 || socket.last_sent_ns < socket.last_data_ns ||
           (client && socket.last_sent_ns == socket.last_data_ns);
}

}  // namespace waitclose::diagnose
