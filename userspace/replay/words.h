// SPDX-License-Identifier: BSD-2-Clause
// A diagnosis, and a link of a wait chain, as a timeline keeps it, every text once, and back. Pure.
#pragma once

#include "diagnose/diagnosis.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

timeline::Link interned(const diagnose::Link& link, timeline::StringTable& strings);
timeline::Diagnosis interned(const diagnose::Diagnosis& diagnosis, timeline::StringTable& strings);

/// What `interned` was given.
diagnose::Diagnosis restored(const timeline::Diagnosis& diagnosis, const timeline::Timeline& timeline);

}  // namespace waitclose::replay
