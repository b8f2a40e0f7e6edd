// SPDX-License-Identifier: BSD-2-Clause
// Numbers over time, and how long things usually take, in little memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/census.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// Spans of time by their length: eight bins an octave, each 9 % wide.
class Durations {
public:
    void add(std::uint64_t ns);
    /// Half of them are no longer than this, to within a bin; 0 of none.
    std::uint64_t typical_ns() const;

private:
    static constexpr std::size_t kBinsPerOctave = 8;
    std::array<std::uint64_t, 65 * kBinsPerOctave> bins_{};
    std::uint64_t all_ = 0;
};

/// The counters of a timeline: holds open, descriptors used, accept queues, pressure.
class Counters {
public:
    /// So many holds are open from now on. Kept ten times a second at most.
    void open(std::uint64_t at_ns, std::uint64_t holds);

    /// `process`: into Timeline::processes.
    void descriptors(std::uint64_t at_ns, std::uint32_t process, std::uint64_t used);

    /// `listeners`: whose queues are of interest, as indices into the census's.
    void look(const model::Census& census, const std::set<std::uint32_t>& listeners);

    /// Moves them into the timeline, whose window is known by now.
    void finish(timeline::Timeline& timeline);

private:
    struct Key {
        std::string name;
        std::string unit;
        std::uint32_t process = timeline::kNowhere;
        auto operator<=>(const Key&) const = default;
    };
    using Samples = std::vector<timeline::Counter::Sample>;

    void add(Samples& samples, std::uint64_t at_ns, double value);
    void add_pressure(const model::Window& window, const char* what, const model::PressureTime& pressure);

    std::map<Key, Samples> all_;
    Samples open_;
    std::optional<timeline::Counter::Sample> latest_;  // of open_, not kept yet
};

}  // namespace waitclose::replay
