// SPDX-License-Identifier: BSD-2-Clause
// The holds of a whole recording in groups, and what is left to say of the others.
#pragma once

#include <unordered_map>

#include "diagnose/descriptors.h"
#include "replay/incident.h"

namespace waitclose::replay {

/// Fills in `groups`, `group_of` and `unseen`. `outlooks`: by index into Timeline::processes.
void gather(Incident& incident, const std::unordered_map<std::uint32_t, diagnose::FdOutlook>& outlooks);

}  // namespace waitclose::replay
