// SPDX-License-Identifier: BSD-2-Clause
// How a command that traces for long begins and ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "commands/options.h"
#include "commands/session.h"
#include "failure.h"

namespace waitclose::commands {

/// What commands take that trace until they are told to stop.
struct TracedOptions : Options {
    bool all_transitions = false;
    std::optional<std::string> duration;
};

struct TracedRequest {
    Request common;
    std::optional<std::uint64_t> duration_ns;  // nothing: until a signal

    bool is_over(std::uint64_t elapsed_ns) const { return duration_ns && elapsed_ns >= *duration_ns; }
};

/// `all_transitions_words`: what the command does with every state change, for --help.
void add_traced_options(CLI::App& command, TracedOptions& options, const char* all_transitions_words);

/// The request of a command that traces; or what is wrong with the options.
Result<TracedRequest> check_traced(const TracedOptions& options);

/// Tells on stderr which needs no hook serves.
void say_what_is_missing(const Session& session);

/// After a loss the ledger may hold what has long ended: two censuses that agree settle it.
Result<void> settle(Session& session);

/// Tells on stderr how many holds there were, and what was lost. `by_holder`: certain processes were asked
/// for; what is counted is those of all.
void print_totals(Session& session, bool by_holder = false);

}  // namespace waitclose::commands
