// SPDX-License-Identifier: BSD-2-Clause
// How a command that traces for long begins and ends.
#pragma once

#include "commands/session.h"
#include "failure.h"

namespace waitclose::commands {

/// Tells on stderr which needs no hook serves.
void say_what_is_missing(const Session& session);

/// After a loss the ledger may hold what has long ended: two censuses that agree settle it.
Result<void> settle(Session& session);

/// Tells on stderr how many holds there were, and what was lost.
void print_totals(Session& session);

}  // namespace waitclose::commands
