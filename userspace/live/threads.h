// SPDX-License-Identifier: BSD-2-Clause
// The threads of a group's owner: what each does, and since when.
#pragma once

#include <vector>

#include "live/canvas.h"
#include "live/state.h"

namespace waitclose::live {

/// The threads of the owner, the culprits of its group first, then by their ids.
std::vector<const model::Thread*> threads_of(const State& state, const Picture& picture);

/// Draws the view from `row` on.
void draw_threads(Canvas& canvas, std::size_t row);

}  // namespace waitclose::live
