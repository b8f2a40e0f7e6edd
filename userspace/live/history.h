// SPDX-License-Identifier: BSD-2-Clause
// How a number went over the last minute, and the one rule by which the live view tells growth. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "live/picture.h"

namespace waitclose::live {

/// Numbers over time. Bounded memory, however often and however long.
class History {
public:
    /// Moments must not go back.
    void add(std::uint64_t at_ns, std::uint64_t count);
    /// There was nothing from the first moment until the second.
    void begin_empty(std::uint64_t from_ns, std::uint64_t until_ns);
    /// The counts of the last minute, one a second, and by how much they changed over it. Where less than a
    /// minute was watched, the change is that of the time watched, and says so: nothing is worked out from it
    /// for a longer one. Of less than five seconds nothing is said. Between two numbers it is taken to have
    /// changed evenly.
    Trend trend() const;
    std::uint64_t last() const { return counts_.empty() ? 0 : counts_.back().second; }

private:
    double at(std::uint64_t at_ns) const;
    bool lasts(std::uint64_t over_ns) const;

    std::deque<std::pair<std::uint64_t, std::uint64_t>> counts_;
};

}  // namespace waitclose::live
