// SPDX-License-Identifier: BSD-2-Clause
#include "commands/tracing.h"

#include <fmt/format.h>

#include "commands/command.h"

namespace waitclose::commands {

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

void print_totals(Session& session) {
    const model::Totals& totals = session.ledger().totals();
    const model::Losses losses = session.losses();
    const std::string before =
        totals.already_open ? fmt::format("already open {}, ", totals.already_open) : std::string();
    say(fmt::format(
        "waitclose: {}entered {}, closed {}, still open {}; lost: ring {}, storage {}, reconciled {}", before,
        totals.entered, totals.closed, session.ledger().open(), losses.ring, losses.storage,
        losses.reconciled));
}

}  // namespace waitclose::commands
