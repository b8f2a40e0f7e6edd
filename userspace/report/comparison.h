// SPDX-License-Identifier: BSD-2-Clause
// `report A.db B.db`: two recordings side by side.
#pragma once

#include <string>

#include "output/sink.h"
#include "output/style.h"
#include "replay/incident.h"

namespace waitclose::report {

inline constexpr const char* kComparisonSchema = "waitclose.comparison/1";

struct Recording {
    std::string name;  // of its file; raw
    const replay::Incident& incident;
};

void write_comparison_text(output::Sink& sink, const Recording& before, const Recording& after,
                           const output::TextStyle& style);

/// One object: the heads of both recordings, and "groups" with "change", "before" and "after".
void write_comparison_json(output::Sink& sink, const Recording& before, const Recording& after);

}  // namespace waitclose::report
