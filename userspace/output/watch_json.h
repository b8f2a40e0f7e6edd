// SPDX-License-Identifier: BSD-2-Clause
// `watch --json`: one object a line.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "model/events.h"

namespace waitclose::output {

/// What a line of `watch` tells about a socket.
enum class WatchEvent : std::uint8_t { kEntered, kHeld, kChanged, kClosed };

/// "entered", "held", "changed", "closed"
std::string_view word_of(WatchEvent event);

/// The line, newline included: {"event", "at", "socket"}. `closed` adds "closer" ({pid, tid, comm}, null when
/// no program did it or it was not seen) and "ended_by" ("program", "error", "kernel", null when the end was
/// missed).
std::string watch_line(WatchEvent event, std::int64_t at_epoch_ns, nlohmann::ordered_json socket,
                       const model::Left* left = nullptr);

/// The line of one transition: {"event":"transition", "at", "id", "netns", "cookie", "family", "local",
/// "remote", "from", "to"}.
std::string transition_line(const model::Transition& transition, std::int64_t wall_offset_ns);

}  // namespace waitclose::output
