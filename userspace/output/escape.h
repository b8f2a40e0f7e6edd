// SPDX-License-Identifier: BSD-2-Clause
// User-controlled bytes (comm, paths, cgroup names) made harmless. Everything that is printed passes here.
#pragma once

#include <string>
#include <string_view>

#include "output/style.h"

namespace waitclose::output {

/// Text that a terminal shows and never obeys: controls, invisible and direction-changing characters, and
/// bytes that are not UTF-8 become visible escapes (\e, \n, \x07, \u202e). A backslash that would read as the
/// beginning of one is doubled, so that no two names look alike; any other stays: cgroup names are full of
/// \x2d. In ASCII every other character is escaped as well. Escape what comes from outside once, where it is
/// printed.
std::string printable(std::string_view bytes, Charset charset = Charset::kUtf8);

}  // namespace waitclose::output
