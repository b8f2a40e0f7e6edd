// SPDX-License-Identifier: BSD-2-Clause
// Reading a recording for report and export.
#pragma once

#include <string>

#include "commands/options.h"
#include "failure.h"
#include "replay/incident.h"

namespace waitclose::commands {

/// Plays the recording and collects those holds that the request selects.
Result<replay::Incident> read_incident(const std::string& path, const Request& request);

}  // namespace waitclose::commands
