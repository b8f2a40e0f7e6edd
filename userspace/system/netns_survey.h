// SPDX-License-Identifier: BSD-2-Clause
// Which network namespaces there are, and whether they can be entered: by entering each.
#pragma once

#include "model/findings.h"

namespace waitclose::system {

/// Looks at all processes that /proc shows and at what is mounted. Each namespace is entered for a moment.
model::NetworkFinding survey_netns();

}  // namespace waitclose::system
