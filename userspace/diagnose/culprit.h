// SPDX-License-Identifier: BSD-2-Clause
// Who should have called close(). Nobody is named who does not hold the socket now, and no thread that is
// only called like the one that did something.
#pragma once

#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// Decides from everything in the scene but `scene.who`.
Who find_culprit(const Scene& scene);

/// The same person as the JSON contract shows it; absent when not even a process can be named.
std::optional<Culprit> culprit_of(const Who& who);

/// On what grounds it was named, or why not.
void explain_culprit(const Scene& scene, const Who& who, Diagnosis& diagnosis);

}  // namespace waitclose::diagnose
