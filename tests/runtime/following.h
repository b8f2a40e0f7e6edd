// SPDX-License-Identifier: BSD-2-Clause
// What `watch` says about a culprit from its first line to its last, against the truth.
#pragma once

#include "programs.h"
#include "verdict.h"

namespace runtime {

// Attaches, lets the culprit reach its position unless it is there already, and expects lines that agree with
// the truth: entered, a diagnosis, closed. `options` are waitclose's.
void follow(Culprit& culprit, Tracing tracing, const Arguments& options = {});

}  // namespace runtime
