// SPDX-License-Identifier: BSD-2-Clause
// `doctor --json`: one object.
#pragma once

#include <string>

#include "model/findings.h"

namespace waitclose::output {

inline constexpr const char* kDoctorSchema = "waitclose.doctor/1";

/// The object on a line of its own; what is not known is null.
std::string doctor_json(const model::Findings& findings);

}  // namespace waitclose::output
