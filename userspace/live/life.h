// SPDX-License-Identifier: BSD-2-Clause
// The life of a socket, and the time of a thread, as bars.
#pragma once

#include <string>
#include <vector>

#include "live/canvas.h"

namespace waitclose::live {

/// From its first sign until now: open in both directions, then held. Either has a part that can be seen.
std::vector<Share> life_of(const Picture& picture, const model::Socket& socket);

/// The moments of that life that are known, in words.
std::string life_text(const Canvas& canvas, const model::Socket& socket);

/// CPU, waiting for one, asleep by wait class, idle.
std::vector<Share> shares_of(const model::ThreadTime& thread);

}  // namespace waitclose::live
