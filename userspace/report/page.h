// SPDX-License-Identifier: BSD-2-Clause
// What the HTML report says beside its timeline.
#pragma once

#include "replay/incident.h"
#include "timeline/html_report.h"

namespace waitclose::report {

timeline::ReportWords page_words(const replay::Incident& incident);

}  // namespace waitclose::report
