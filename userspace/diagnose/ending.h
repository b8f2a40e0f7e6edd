// SPDX-License-Identifier: BSD-2-Clause
// Whether anything will ever end a hold, in a sentence.
#pragma once

#include <string>

#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// With SO_KEEPALIVE what its probes will do and when; without it, that nothing will.
std::string ending_text(const Scene& scene);

}  // namespace waitclose::diagnose
