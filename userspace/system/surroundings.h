// SPDX-License-Identifier: BSD-2-Clause
// Where waitclose runs: lockdown, containers, namespaces, its own binary. Nothing here fails; what cannot be
// read stays empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/findings.h"

namespace waitclose::system {

/// Reads all of it.
model::Surroundings surroundings();

/// The mode in force in the text of /sys/kernel/security/lockdown, which stands in brackets; nothing when
/// there is none.
std::optional<std::string> lockdown_mode_in(std::string_view text);

/// Whether a link of /proc/PID/ns, e.g. "pid:[4026531836]", names another namespace than the kernel's first
/// of that kind; nothing when it is no such link, or of a kind whose first has no fixed number.
std::optional<bool> is_nested(std::string_view link);

/// The value of a variable in the text of /proc/PID/environ; nothing when it is not set or empty.
std::optional<std::string> variable_in(std::string_view environ, std::string_view name);

}  // namespace waitclose::system
