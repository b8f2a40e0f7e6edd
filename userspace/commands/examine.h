// SPDX-License-Identifier: BSD-2-Clause
// Finding out what works here, by loading, attaching and reading as snapshot and watch would.
#pragma once

#include "kernel/probes.h"
#include "model/findings.h"

namespace waitclose::commands {

/// Never fails: that something does not work is a finding.
model::Findings examine(const kernel::ProbeSettings& settings);

}  // namespace waitclose::commands
