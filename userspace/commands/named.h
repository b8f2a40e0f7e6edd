// SPDX-License-Identifier: BSD-2-Clause
// Whether what the options name is there at all: an empty answer about a slip of the pen would read like an
// all-clear.
#pragma once

#include "failure.h"
#include "model/selection.h"

namespace waitclose::commands {

/// Fails when no process of --pid and when no cgroup of --cgroup exists. Says on stderr what is missing of
/// several, what no process matches yet, and what cannot be seen from here. To be called once, at the start:
/// what ends later is no error.
Result<void> look_for_named(const model::Selection& selection);

}  // namespace waitclose::commands
