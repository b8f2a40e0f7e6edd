// SPDX-License-Identifier: BSD-2-Clause
#include "commands/tracing.h"

#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/command.h"

namespace waitclose::commands {

void add_traced_options(CLI::App& command, TracedOptions& options, const char* all_transitions_words) {
    command.add_flag("--all-transitions", options.all_transitions, all_transitions_words);
    command.add_option("--duration", options.duration, "stop after this long (default: at SIGINT)")
        ->type_name("DUR");
}

Result<TracedRequest> check_traced(const TracedOptions& options) {
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    TracedRequest request{.common = std::move(*common), .duration_ns = {}};
    request.common.probes.trace = true;
    request.common.probes.all_transitions = options.all_transitions;
    if (options.duration) {
        const auto duration = check_length("--duration", *options.duration);
        if (!duration) return tl::unexpected(duration.error());
        request.duration_ns = *duration;
    }
    return request;
}

void say_what_is_missing(const Session& session) {
    for (const std::string& need : session.probe_facts().missing)
        say(fmt::format("waitclose: no hook for '{}'; 'waitclose doctor' says what that costs", need));
}

Result<void> settle(Session& session) {
    session.drain();
    for (int round = 0; session.losses().ring > 0 && round < 2; ++round)
        if (auto census = session.take_census(); !census) return tl::unexpected(census.error());
    return {};
}

void print_totals(Session& session, bool by_holder) {
    const model::Totals& totals = session.ledger().totals();
    const model::Losses losses = session.losses();
    const std::string before =
        totals.already_open ? fmt::format("already open {}, ", totals.already_open) : std::string();
    say(fmt::format(
        "waitclose: {}entered {}, closed {}, still open {}; lost: ring {}, storage {}, reconciled {}{}",
        before, totals.entered, totals.closed, session.ledger().open(), losses.ring, losses.storage,
        losses.reconciled, by_holder ? " (of all processes: an event does not tell whose it is)" : ""));
}

}  // namespace waitclose::commands
