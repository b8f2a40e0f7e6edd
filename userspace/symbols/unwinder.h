// SPDX-License-Identifier: BSD-2-Clause
// The instructions that the frames of a stack stand at: by call frame information, and by frame pointers
// where there is none.
#pragma once

#include <cstdint>
#include <vector>

#include "model/stack.h"
#include "symbols/address_space.h"

namespace waitclose::symbols {

/// Of the part of a stack that runs in the program, innermost first, an address inside each frame's current
/// instruction (of callers, the call). Ends where it cannot be told who called.
std::vector<std::uint64_t> unwind(const model::RawStack& raw, AddressSpace& space);

}  // namespace waitclose::symbols
