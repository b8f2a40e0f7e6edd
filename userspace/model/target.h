// SPDX-License-Identifier: BSD-2-Clause
// What --explain names: one hold by its id, or those of a process or of a local port.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/census.h"

namespace waitclose::model {

struct Target {
    enum class Kind : std::uint8_t { kSocket, kProcess, kPort, kProcessOrPort };
    Kind kind = Kind::kSocket;
    std::uint32_t netns = 0;   // kSocket: its id
    std::uint64_t cookie = 0;  // as SocketKey::cookie
    std::uint32_t number = 0;  // else: a pid, a port, or either
};

/// Understands "4026531840:73012" and "4026531840:own-5" (the id of the JSON), "pid:4121", "port:8080", and a
/// bare number. Nothing for anything else.
std::optional<Target> parse_target(std::string_view text);

struct Matches {
    Target::Kind kind = Target::Kind::kSocket;  // what was meant; never kProcessOrPort
    bool was_either = false;                    // a bare number that is both here: the process was taken
    std::vector<std::uint32_t> sockets;         // into census.sockets, of those in `selected`
};

/// A process has what it holds, and what waits in the accept queue of a listener that it holds.
Matches match(const Census& census, const std::vector<std::uint32_t>& selected, const Target& target);

}  // namespace waitclose::model
