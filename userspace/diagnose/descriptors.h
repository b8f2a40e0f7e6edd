// SPDX-License-Identifier: BSD-2-Clause
// How long until a process has no descriptor left, if its holds go on growing as they do.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/growth.h"
#include "model/census.h"

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
FdOutlook outlook_of(const model::Process& process, const Growth& holds);

/// How many sockets each process holds now, for a later census to compare with.
model::EarlierLook look_of(const model::Census& census);

/// The growth of every process's holds. Two looks measure it: that is what counts, where it is above zero.
/// From one look alone only this is known: holds that began within a span and are still there. Those younger
/// than five seconds are not counted (a healthy service has some at any time), nor are those whose begin was
/// not measured, and there must be at least eight. Whether as many older ones ended meanwhile a census cannot
/// see, so the basis is said with the number; where two looks should have seen it and did not, there is none.
class FdOutlooks {
public:
    explicit FdOutlooks(const model::Census& census);
    FdOutlook of(const model::Process& process) const;

private:
    static constexpr std::size_t kSpans = 4;
    struct Count {
        std::uint64_t holds = 0;
        std::array<std::uint64_t, kSpans> begun{};  // within each span, and not too young
    };

    bool by_looks(const model::Process& process, FdOutlook& outlook) const;
    void by_ages(const model::Process& process, FdOutlook& outlook) const;
    std::uint64_t held_before(const model::Process& process) const;

    const model::Census& census_;
    std::vector<Count> counts_;  // by index into Census::processes
};

}  // namespace waitclose::diagnose
