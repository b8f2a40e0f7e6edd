// SPDX-License-Identifier: BSD-2-Clause
// What the calls of accept() on one listener came to. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "model/accept_side.h"

namespace waitclose::model {

/// Calls that ended alike, of all threads together.
struct Outcome {
    std::uint64_t recent = 0;  // within the window; 0 also where there is none
    std::uint64_t total = 0;   // since tracing began
    std::uint64_t last_ns = 0;

    void add(const AcceptCalls& calls);
};

struct AcceptPace {
    Outcome taken;
    std::map<std::uint32_t, Outcome> failed;  // by errno

    /// Failures for want of a descriptor (EMFILE) or of room in the machine's file table (ENFILE).
    Outcome out_of_files() const;
};

/// Sorts the calls so that pace_at finds those of a listener.
void sort_by_listener(AcceptSide& side);

/// The calls on the listener with this index; of one process alone unless `pid` is empty.
AcceptPace pace_at(const AcceptSide& side, std::int32_t listener,
                   std::optional<std::uint32_t> pid = std::nullopt);

/// Connections taken a second within the window; nothing where nothing was counted.
std::optional<double> accepts_per_second(const AcceptSide& side, const AcceptPace& pace);

/// "EMFILE"; "error 4095" for a number without a name.
std::string errno_name(std::uint32_t error);

/// Whether the queue's limit is what net.core.somaxconn allows, not what the program asked for: listen()
/// takes the smaller of the two. Nothing where the setting is not known.
std::optional<bool> is_limited_by_somaxconn(const AcceptSide& side, std::uint32_t netns,
                                            std::uint32_t backlog_limit);

}  // namespace waitclose::model
