// SPDX-License-Identifier: BSD-2-Clause
// What of all groups a report is about, and how sure its words may sound.
#pragma once

#include <string>
#include <string_view>

#include "replay/incident.h"

namespace waitclose::report {

/// The group with most holds that are shown (proven or likely) to be somebody's fault; where there is none,
/// or it is a trifle beside it, the one with most that perhaps are, unless that is a trifle beside what is
/// nobody's; null where nobody is to blame, as far as is known.
const replay::Group* headline_of(const replay::Incident& incident);

/// "eof-ignored", "perhaps eof-ignored"
std::string cause_text(diagnose::Cause cause, diagnose::Confidence confidence);

/// What its longest hold is told to be, in a sentence: "perhaps: ..." where that is not shown. Raw.
std::string summary_text(const replay::Incident& incident, const replay::Group& group);

}  // namespace waitclose::report
