// SPDX-License-Identifier: BSD-2-Clause
// `report --json`: one object.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "output/sink.h"
#include "replay/incident.h"

namespace waitclose::report {

inline constexpr const char* kReportSchema = "waitclose.report/1";

/// Names are those of the JSON contract. Each group has its hold of the longest time in full, under
/// "longest".
void write_json(output::Sink& sink, const replay::Incident& incident);

/// What a reader has to know before: kind, text, and whether it warns.
nlohmann::ordered_json caveats_json(const replay::Incident& incident);

/// Who recorded, where, when, how, and what was lost: the head of every report.
nlohmann::ordered_json recording_json(const replay::Incident& incident);

}  // namespace waitclose::report
