// SPDX-License-Identifier: BSD-2-Clause
// System evidence as files: one object for machines, a page for people.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "bundle/evidence.h"

namespace waitclose::bundle {

inline constexpr const char* kSystemSchema = "waitclose.system/1";

/// With the accept queues of `census`. What could not be read is null or left out.
nlohmann::ordered_json evidence_json(const Evidence& evidence, const model::Census& census);

/// The same for people; printable.
std::string evidence_text(const Evidence& evidence, const model::Census& census);

}  // namespace waitclose::bundle
