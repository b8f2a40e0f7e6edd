// SPDX-License-Identifier: BSD-2-Clause
// How long until a process has no descriptor left, if its holds go on growing as they do.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/census.h"
#include "model/growth.h"

namespace waitclose::diagnose {

struct FdOutlook {
    std::optional<std::uint64_t> used;
    std::optional<std::uint64_t> limit;
    std::optional<double> holds_per_s;        // absent: they do not grow, as far as is known
    std::optional<std::uint64_t> full_in_ns;  // 0 when it is full
    std::string basis;                        // what the growth was measured by; empty without one
};

/// Of a process whose holds were counted at every look of a long time: what grew steadily over all of it is a
/// forecast, and nothing else is.
FdOutlook outlook_of(const model::Process& process, const model::Growth& holds);

/// How many sockets each process holds now, for a later census to compare with.
model::EarlierLook look_of(const model::Census& census);

/// The growth of every process's holds, and for how long it may go on. What is certain of the past and what
/// is expected of the future are two things: two looks measure how much the holds have grown, but a burst
/// between them is no habit. So a forecast (`full_in_ns`) takes holds that began one after the other
/// (lasting_gain) over ten seconds at least, and are still there. Those younger than five seconds are not
/// counted (a healthy service has some at any time), nor are those whose begin was not measured. Whether as
/// many older ones ended meanwhile a census cannot see, so the basis is said with the number; where two looks
/// tell of slower growth that counts, and where they should have seen it and did not, there is none.
class FdOutlooks {
public:
    explicit FdOutlooks(const model::Census& census);
    FdOutlook of(const model::Process& process) const;

private:
    static constexpr std::size_t kSpans = 4;
    static constexpr std::size_t kParts = 4;
    /// How many holds began in each part of a span and are still there, the youngest first.
    using Begun = std::array<std::uint64_t, kParts>;
    struct Count {
        std::uint64_t holds = 0;
        std::array<Begun, kSpans> begun{};
    };
    struct Pace {
        double per_s = 0;
        std::string basis;
    };

    std::uint64_t span_ns(const model::Process& process, std::size_t span) const;
    void count(std::uint32_t process, std::optional<std::uint64_t> age_ns);
    std::optional<Pace> by_looks(const model::Process& process) const;
    std::optional<Pace> by_ages(const model::Process& process) const;
    bool denied_by_looks(const Pace& pace) const;
    model::EarlierLook::Held held_before(const model::Process& process) const;
    bool keeps_descriptors(const model::Process& process, const Pace& pace) const;
    const Count& count_of(const model::Process& process) const;

    const model::Census& census_;
    std::vector<Count> counts_;  // by index into Census::processes
};

}  // namespace waitclose::diagnose
