// SPDX-License-Identifier: BSD-2-Clause
// `report` for people.
#pragma once

#include "output/sink.h"
#include "output/style.h"
#include "replay/incident.h"

namespace waitclose::report {

inline constexpr std::size_t kGroupsShown = 20;

/// What happened, when and how it was recorded, what was lost; then groups, largest first: all in a table,
/// and the first `most` with their stories.
void write_text(output::Sink& sink, const replay::Incident& incident, const output::TextStyle& style,
                std::size_t most = kGroupsShown);

}  // namespace waitclose::report
