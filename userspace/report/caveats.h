// SPDX-License-Identifier: BSD-2-Clause
// What a reader has to know before believing a report: what was not recorded, not seen, or is not told. Text,
// JSON and HTML all print this list.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replay/incident.h"

namespace waitclose::report {

struct Caveat {
    // As JSON has it: "selection", "cut-off", "lost", "hooks-missing", "pid-namespace", "network-namespaces",
    // "capture-lacks",
    // "capture-lost", "gap", "left-out", "not-recorded", "young", "short", "no-look".
    std::string_view kind;
    std::string_view label;  // before the sentence, at most seven columns
    std::string text;        // a sentence, raw
    bool warns = false;      // something is missing; else it was asked for so, or is usual
};

/// In the order of telling.
std::vector<Caveat> caveats(const replay::Incident& incident);

/// The options that chose what was recorded: "-L 8080"; empty where everything was.
std::string recorded_text(const replay::Incident& incident);

/// " that was recorded (with -L 8080) and asked for (with --pid 4121)", behind a connection or several;
/// empty where everything was.
std::string scope_text(const replay::Incident& incident, bool several);

/// Holds that are not told of, and why not, a clause each; none where everything is told.
std::vector<std::string> left_out_clauses(const replay::Incident& incident);

}  // namespace waitclose::report
