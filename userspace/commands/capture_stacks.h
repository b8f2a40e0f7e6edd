// SPDX-License-Identifier: BSD-2-Clause
// From addresses to names: what was recorded of threads becomes an activity that tells functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "kernel/activity.h"
#include "model/activity.h"
#include "model/census.h"
#include "model/selection.h"
#include "symbols/naming.h"

namespace waitclose::commands {

/// Names every stack, each once, and lets the activity refer to them. What is not named after `most_ns` stays
/// without frames, and the activity says so among what it lacks.
model::Activity name_stacks(kernel::RawActivity raw, symbols::Naming& naming, std::uint64_t most_ns);

/// The threads (pid, tid) that the diagnoses of what is selected name, culprits and those in their chains,
/// what is held longest first. Once there are `most` no further chain is begun.
std::set<std::pair<std::uint32_t, std::uint32_t>> threads_named(const model::Census& census,
                                                                const model::Selection& selection,
                                                                std::size_t most);

/// Gives equal stacks one place.
void unite_stacks(model::Activity& activity);

}  // namespace waitclose::commands
