// SPDX-License-Identifier: BSD-2-Clause
// The instructions that the frames of a stack stand at: by call frame information, and by frame pointers
// where there is none.
#pragma once

#include <cstdint>
#include <vector>

#include "model/stack.h"
#include "symbols/address_space.h"
#include "symbols/unwind_rules.h"

namespace waitclose::symbols {

struct Step {
    std::uint64_t address = 0;  // inside the frame's current instruction; of callers, the call
    std::uint64_t sp = 0;       // what lies above belongs to this frame and its callers
    FrameRegisters registers;   // as far as they are known there
};

/// The frames of the part of a stack that runs in the program, innermost first. Ends where it cannot be told
/// who called.
std::vector<Step> unwind(const model::RawStack& raw, AddressSpace& space);

}  // namespace waitclose::symbols
