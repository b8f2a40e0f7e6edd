// SPDX-License-Identifier: BSD-2-Clause
// Which processes a capture is about: those that hold what was asked for, and those they wait for. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/census.h"

namespace waitclose::model {

/// Indices into census.processes: first the owners of the selected sockets (of one in an accept queue, of its
/// listener), then those that a thread of these could wait for, and so on. At most `most`.
std::vector<std::uint32_t> processes_in_scope(const Census& census,
                                              const std::vector<std::uint32_t>& selected, std::size_t most);

}  // namespace waitclose::model
