// SPDX-License-Identifier: BSD-2-Clause
// What the whole machine was short of while a hold lasted.
#pragma once

#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// Adds the threads at work where none could be named, and `cpu-pressure`, `disk-pressure` and
/// `memory-pressure` to the contributing causes of a hold that they can have lengthened, each with its
/// evidence. A leak lasts as long on an idle machine: it gets none; nor does a wait of a named thread in
/// which neither that thread nor those it waits for were held up by what the machine was short of.
void add_pressure(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis);

}  // namespace waitclose::diagnose
