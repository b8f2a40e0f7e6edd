// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/fin.h"

#include "model/units.h"

namespace waitclose::diagnose {

bool fin_time_known(const model::Socket& socket) {
    if (socket.precision == model::Precision::kExact) return true;
    if (socket.keepalive.on || socket.unsent_bytes > 0) return false;
    const std::uint64_t sent_ns = socket.last_sent_ns;
    return sent_ns == 0 || sent_ns < socket.last_data_ns || sent_ns + model::kSecond <= socket.held_since_ns;
}

}  // namespace waitclose::diagnose
