// SPDX-License-Identifier: BSD-2-Clause
// An accept queue in words: its age, its members, its limit, and the pace at which connections are taken.
#pragma once

#include <string>

#include "diagnose/diagnosis.h"
#include "model/census.h"

namespace waitclose::diagnose {

/// ", which takes 12.5 a second: the queue of 300 takes 24 s"; empty where nothing was counted.
std::string pace_clause(const model::Census& census, const model::Socket& listener);

/// "failed 312 times with EMFILE in 2.0 s"; empty where no such failure was counted lately.
std::string failures_clause(const model::Census& census, const model::Socket& listener);

/// What was measured of the listener's queue and of the calls of accept() on it.
void add_queue_facts(const model::Census& census, const model::Socket& listener, Diagnosis& diagnosis);

}  // namespace waitclose::diagnose
