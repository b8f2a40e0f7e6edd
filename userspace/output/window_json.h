// SPDX-License-Identifier: BSD-2-Clause
// A window as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "model/window.h"

namespace waitclose::output {

/// The object "window" of a snapshot; null without one. `wall_offset_ns`: see model::Census.
nlohmann::ordered_json window_json(const std::optional<model::Window>& window, std::int64_t wall_offset_ns);

}  // namespace waitclose::output
