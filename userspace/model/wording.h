// SPDX-License-Identifier: BSD-2-Clause
// How the model's quantities are put into words, everywhere the same.
#pragma once

#include <cstdint>
#include <string>

#include "model/socket.h"

namespace waitclose::model {

/// For sentences: "250 ms", "1.8 s", "3 min 12 s", "2 h 13 min", "4 d 2 h". Rounded down, so that "at least"
/// stays true.
std::string duration_text(std::uint64_t ns);

/// The same for table cells: "250ms", "1.8s", "3m12s", "2h13m", "4d2h".
std::string short_duration_text(std::uint64_t ns);

/// "ended by an error: Connection timed out"; or "ended by a reset from the peer". `error`: errno, 0
/// where it is not known. A reset leaves EPIPE where the peer had hung up before, ECONNRESET elsewhere
/// (tcp_reset(), in all releases).
std::string error_end_text(std::int32_t error);

/// "10.0.0.7:8080", "[::1]:8080"
std::string endpoint_text(Family family, const Endpoint& endpoint);

}  // namespace waitclose::model
