// SPDX-License-Identifier: BSD-2-Clause
// The ids that tell tracks apart in the trace-event format.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "timeline/timeline.h"

namespace waitclose::timeline {

/// Readers make one track of all events with the same pid and tid. The kernel gives ids again, so only the
/// first process and thread that had one keeps it; every other one has a number of its own, above all real
/// ones.
class ChromeIds {
public:
    explicit ChromeIds(const Timeline& timeline);

    /// Of a process of the timeline; `process` is in it.
    std::uint32_t pid(std::uint32_t process) const { return tracks_[process].pid; }
    std::uint32_t tid(std::uint32_t process, std::uint32_t thread) const {
        return tracks_[process].tids[thread];
    }

    // Above every real one: PID_MAX_LIMIT of 64-bit kernels is 2^22.
    static constexpr std::uint32_t kFinLane = (1U << 22) + 1;
    static constexpr std::uint32_t kNoOwner = (1U << 22) + 2;  // the process of holds without a known owner

private:
    struct Track {
        std::uint32_t pid = 0;
        std::vector<std::uint32_t> tids;
    };

    std::uint32_t only(std::set<std::uint32_t>& taken, std::uint32_t id);

    std::uint32_t next_ = kNoOwner + 1;
    std::vector<Track> tracks_;
};

}  // namespace waitclose::timeline
