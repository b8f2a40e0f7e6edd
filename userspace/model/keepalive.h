// SPDX-License-Identifier: BSD-2-Clause
// Whether and when keepalive would end a hold. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "model/socket.h"

namespace waitclose::model {

/// What the kernel's tcp_keepalive_timer() will do if nothing more comes from the peer. CLOCK_BOOTTIME. The
/// timer wheel may run a timer late by an eighth of its length, never early.
struct Reaping {
    /// The first probe goes, or went, out. A peer whose kernel no longer knows the connection answers with a
    /// reset, and the hold ends there and then. One that still knows it (its end is in FIN_WAIT2: held open
    /// by its program, or an orphan for tcp_fin_timeout) answers with an acknowledgement, which puts off
    /// everything by the idle time.
    std::uint64_t first_probe_ns = 0;
    /// Unanswered to the end: the kernel gives the connection up.
    std::uint64_t gives_up_ns = 0;
    std::uint64_t probes = 0;  // sent until then
};

/// Nothing when keepalive is off, when a setting is not known, or while data waits to be acknowledged:
/// then the retransmission timer decides, and keepalive keeps out of it.
std::optional<Reaping> reaping_of(const Socket& socket);

}  // namespace waitclose::model
