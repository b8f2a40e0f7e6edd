// SPDX-License-Identifier: BSD-2-Clause
// When to look again, for commands that run for long.
#pragma once

#include <algorithm>
#include <cstdint>

#include "system/host.h"

namespace waitclose::commands {

/// Decides when a census is due: at once when a hold has come of age, else every few seconds. Censuses get a
/// part of one CPU, a tenth unless said otherwise; what they do not use is saved up, so that a quiet watch
/// answers at once even where a census is dear.
class Rhythm {
public:
    static constexpr std::uint64_t kUsual = 2'000'000'000;

    /// `part`: one in so many parts of a CPU.
    explicit Rhythm(std::int64_t part = 10) : part_(part) {}

    /// `usual_ns`: how long after the last one it is due where nobody waits for it.
    bool is_due(std::uint64_t now_ns, bool wanted, std::uint64_t usual_ns = kUsual) {
        saved_ns_ =
            std::min(kMostSaved, saved_ns_ + static_cast<std::int64_t>(now_ns - counted_until_ns_) / part_);
        counted_until_ns_ = now_ns;
        return saved_ns_ >= 0 && now_ns - last_ns_ >= (wanted ? kShortest : usual_ns);
    }
    /// `cpu_ns`: the CPU time it took. On a machine without CPU to spare a census takes longer by the clock,
    /// and that is when somebody wants to know.
    void took(std::uint64_t cpu_ns, std::uint64_t ended_ns) {
        last_ns_ = ended_ns;
        saved_ns_ -= static_cast<std::int64_t>(cpu_ns);
    }

private:
    static constexpr std::uint64_t kShortest = 100'000'000;
    static constexpr std::int64_t kMostSaved = 2'000'000'000;
    std::int64_t part_;
    std::uint64_t last_ns_ = 0;
    std::uint64_t counted_until_ns_ = system::boottime_ns();
    std::int64_t saved_ns_ = 0;
};

}  // namespace waitclose::commands
