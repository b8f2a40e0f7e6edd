// SPDX-License-Identifier: BSD-2-Clause
// Incidents as the page shall show them: a shop whose order service leaks, in any number of holds.
#pragma once

#include "timeline/html_report.h"

namespace waitclose::timeline::testing {

struct Incident {
    Timeline timeline;
    ReportWords words;
};

/// A minute in which `holds` sockets were held; none at all is an incident that did not happen.
Incident shop(std::size_t holds);

/// timeline_fixture.h's incident with every name hostile: the one of that number.
Incident hostile_shop(std::size_t name);

}  // namespace waitclose::timeline::testing
