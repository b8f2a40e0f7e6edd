// SPDX-License-Identifier: BSD-2-Clause
// The causes that were not chosen, each with a fact that speaks against it.
#pragma once

#include <string>
#include <vector>

#include "diagnose/scene.h"

namespace waitclose::diagnose {

struct Alternative {
    Cause cause = Cause::kUnknown;
    std::string why_not;  // one clause; names are raw
};

/// Every cause but the one decided on, in the order of the catalogue.
std::vector<Alternative> alternatives_to(const Scene& scene, const Verdict& decided);

}  // namespace waitclose::diagnose
