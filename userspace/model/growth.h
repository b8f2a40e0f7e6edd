// SPDX-License-Identifier: BSD-2-Clause
// Whether something that has grown may be expected to go on: what a forecast needs. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace waitclose::model {

/// So many that began are what a habit begins with: fewer may be chance.
inline constexpr std::uint64_t kFewestForAHabit = 8;

/// The gain per part of growth that lasts, from the gain in each of the equal parts of a time, at least four,
/// the latest first.
/// A burst is no habit: in three quarters of the parts there must have been some growth, and a part with
/// more than the others let expect is left out of the count. Nothing where growth does not last, or was over
/// in the latest part.
std::optional<double> lasting_gain(std::span<const std::uint64_t> parts);

/// One number, looked at again and again. Bounded memory, however often.
class Growth {
public:
    /// Moments must not go back: what is earlier than the look before is left out.
    void look(std::uint64_t at_ns, std::uint64_t number);

    struct Steady {
        double per_second = 0;
        std::uint64_t first = 0;  // what the first look saw
        std::uint64_t middle = 0;
        std::uint64_t last = 0;
        std::uint64_t span_ns = 0;  // between the first look and the last
    };

    /// Nothing unless it grew in both halves of the time, in neither more than twice as fast as in the other,
    /// and by enough in all: by eight, over ten seconds, in three looks. A burst is no growth.
    std::optional<Steady> steady() const;

private:
    struct Look {
        std::uint64_t at_ns = 0;
        std::uint64_t number = 0;
    };

    std::vector<Look> looks_;  // the first, and then some: `apart_ns_` from each other at least
    std::uint64_t apart_ns_ = 0;
    std::optional<Look> last_;
};

}  // namespace waitclose::model
