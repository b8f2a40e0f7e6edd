// SPDX-License-Identifier: BSD-2-Clause
// Whether a thread has been at work, computing or waiting for a CPU, ever since a connection needed it.
#pragma once

#include "diagnose/scene.h"
#include "diagnose/shares.h"

namespace waitclose::diagnose {

/// A shorter window says nothing about a habit.
inline constexpr std::uint64_t kShortestWindowNs = 900'000'000;
/// Any request may be computed on for so long.
inline constexpr std::uint64_t kMayComputeNs = 1'000'000'000;
/// At work: it ran, or could have, for so much of a time.
inline constexpr double kAtWorkShare = 0.8;
/// Starved: of the time it could have run it had no CPU for so much, so it got less than a quarter.
inline constexpr double kStarvedShare = 0.75;
/// Who waits longer for its next piece of work has done with the last one.
inline constexpr double kIdleShare = 0.01;

/// The window of the census; null when there is none, or one too short to say anything.
const model::Window* telling_window(const Scene& scene);

/// How sure it is that a thread has been at work since some moment.
enum class Since : std::uint8_t {
    kNo,       // it has not: in all its life it worked too little, or it touched another held socket since
    kPerhaps,  // it is now, and may have been all the time
    kSurely,   // the window begins with that moment, or the thread has hardly ever been off a CPU
};

/// `since_ns`: the moment. `time`: what the thread did in the window, in which it was at work.
Since at_work_since(const Scene& scene, const model::Thread& thread, const model::ThreadTime& time,
                    std::uint64_t since_ns);

}  // namespace waitclose::diagnose
