// SPDX-License-Identifier: BSD-2-Clause
// The counts of accept() calls that the kernel side keeps.
#pragma once

#include <vector>

#include "kernel/probes.h"
#include "kernel/readings.h"

namespace waitclose::kernel {

/// Everything counted so far. A count that changes hands while it is read may be missing.
std::vector<AcceptRecord> read_accepts(const Probes& probes);

/// Whether a hook counts them.
bool counts_accepts(const Probes& probes);

}  // namespace waitclose::kernel
