// SPDX-License-Identifier: BSD-2-Clause
// The live view: from a picture and where the user is in it to a screen. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "live/picture.h"
#include "live/screen.h"
#include "live/state.h"
#include "output/style.h"

namespace waitclose::live {

/// A screen, and what the next one needs to know of it.
struct Frame {
    Screen screen;
    std::size_t scrolled = 0;  // for State::scrolled, of the view shown
    std::size_t page = 1;      // for State::page
};

Frame draw(const Picture& picture, const State& state, Size size, output::Charset charset);

/// The same as text, to be kept: from its beginning, as long as it is (2,000 lines at most) and at least 120
/// columns wide, whatever the terminal shows of it.
std::string whole_text(const Picture& picture, State state, Size size, output::Charset charset);

}  // namespace waitclose::live
