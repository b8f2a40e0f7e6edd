// SPDX-License-Identifier: BSD-2-Clause
// How what a look says is told for people, wherever it is told: how sure it may sound, and of a hold that has
// ended since. Pure.
#pragma once

#include <string>

#include "diagnose/catalogue.h"

namespace waitclose::diagnose {

/// Whether what is claimed is only possible: then it reads "perhaps". Where nothing is claimed (unknown)
/// there is nothing to weaken.
bool is_perhaps(Cause cause, Confidence confidence);

/// A summary, told of a hold that has ended since: what it says was never done had not been done by then. Of
/// most summaries that is no other. Raw.
std::string past_of(std::string summary);

}  // namespace waitclose::diagnose
