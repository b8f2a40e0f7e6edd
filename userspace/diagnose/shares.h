// SPDX-License-Identifier: BSD-2-Clause
// What a thread did over a window, by wait class.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "diagnose/wait.h"
#include "model/window.h"

namespace waitclose::diagnose {

/// Parts of 1 that add up to 1, but for rounding.
struct Shares {
    double on_cpu = 0;
    double waiting = 0;  // it could run, but had no CPU
    std::map<WaitClass, double> slept;
    double unsorted = 0;     // asleep, in what is not known
    double unaccounted = 0;  // interrupts, stolen time

    /// Asleep until the next piece of work comes.
    double idle() const;
    /// Asleep in whatever.
    double asleep() const;
};

/// The class of one way of sleeping, by the rules of wait_of(). Nothing when it is not known.
std::optional<WaitClass> class_of(const model::Slept& slept);

/// All 0 for a thread whose time is 0.
Shares shares_of(const model::ThreadTime& thread);

}  // namespace waitclose::diagnose
