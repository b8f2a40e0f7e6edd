// SPDX-License-Identifier: BSD-2-Clause
// Gives the terminal back where the program ends by a signal that nobody handles: a crash, say.
#pragma once

#include <string_view>

#include <termios.h>

namespace waitclose::live {

/// From now on, until end_rescue(). `before`: the modes of the terminal of stdin. `outlet`: what is written
/// to without waiting; it is sent `sequence`, which leaves the screen drawn on.
void begin_rescue(const termios& before, int outlet, std::string_view sequence);
void end_rescue();

}  // namespace waitclose::live
