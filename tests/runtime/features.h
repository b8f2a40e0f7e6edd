// SPDX-License-Identifier: BSD-2-Clause
// What a culprit needs of the kernel and the machine beyond TCP.
#pragma once

#include <optional>
#include <string>

#include "programs.h"

namespace runtime {

// Why this culprit cannot run here, in words; nothing when it can.
std::optional<std::string> missing_feature(const Arguments& command);

}  // namespace runtime
