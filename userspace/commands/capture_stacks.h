// SPDX-License-Identifier: BSD-2-Clause
// From addresses to names: what was recorded of threads becomes an activity that tells functions.
#pragma once

#include <cstdint>

#include "kernel/activity.h"
#include "model/activity.h"
#include "symbols/naming.h"

namespace waitclose::commands {

/// Names every stack, each once, and lets the activity refer to them. What is not named after `most_ns` stays
/// without frames, and the activity says so among what it lacks.
model::Activity name_stacks(kernel::RawActivity raw, symbols::Naming& naming, std::uint64_t most_ns);

/// Gives equal stacks one place.
void unite_stacks(model::Activity& activity);

}  // namespace waitclose::commands
