// SPDX-License-Identifier: BSD-2-Clause
// Where the kernel lists its classic tracepoints.
#pragma once

#include <string>

namespace waitclose::system {

/// The directory in which tracefs is mounted, below debugfs where only that is; the usual one when it is not.
std::string tracefs();

/// Whether it is mounted at all, as far as this process may see.
bool has_tracefs();

}  // namespace waitclose::system
