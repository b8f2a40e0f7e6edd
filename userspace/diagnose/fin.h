// SPDX-License-Identifier: BSD-2-Clause
// When the peer's FIN came, as far as that was measured.
#pragma once

#include "model/socket.h"

namespace waitclose::diagnose {

/// Whether `held_since_ns` is the time of the FIN itself. It is when the transition was traced. Else it is
/// the kernel's stamp of the peer's last segment with an acknowledgement, which is the FIN unless something
/// came after it: an answer to a keepalive probe, or an acknowledgement of what this side sent since. Data
/// that left before the peer's last data, or a second before that segment, is not what the segment
/// acknowledged.
bool fin_time_known(const model::Socket& socket);

/// Nothing was sent to the peer since its last data. In the same tick the order is not known: a server may
/// have answered just then, whereas a client's last request came before the answer.
bool peer_sent_last(const model::Socket& socket);

}  // namespace waitclose::diagnose
