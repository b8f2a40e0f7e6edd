// SPDX-License-Identifier: BSD-2-Clause
// How a hold ended, in words. Raw: names in them have to be made harmless.
#pragma once

#include <string>

#include "replay/incident.h"

namespace waitclose::replay {

/// "closed by thread http-1 (4188) of process 4121"
std::string ended_text(const Fact& fact);

/// "after 42 s it was closed by thread http-1 (4188) of process 4121": behind what was said of it while it
/// was held. Only of one that has ended.
std::string late_end_text(const Fact& fact);

}  // namespace waitclose::replay
