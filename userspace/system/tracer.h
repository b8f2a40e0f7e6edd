// SPDX-License-Identifier: BSD-2-Clause
// Which program traces a thread (a debugger, usually).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/process.h"

namespace waitclose::system {

/// Fills in the tracers' processes of those threads of `process` that are traced. What cannot be read, or has
/// changed since the census, stays empty.
void describe_tracers(const model::Process& process, std::span<model::Thread> threads);

/// The value of a line of /proc/PID/status, e.g. of "Tgid:"; empty when there is none.
std::string_view status_value(std::string_view status, std::string_view name);

}  // namespace waitclose::system
