// SPDX-License-Identifier: BSD-2-Clause
// From counters that only grow to what they grew by lately.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "model/accept_side.h"

namespace waitclose::model {

/// Remembers earlier looks. A window of a fraction of a second would miss a program that pauses between two
/// attempts, so where there are looks enough the window is at least kLeastWindowNs long.
class AcceptHistory {
public:
    static constexpr std::uint64_t kLeastWindowNs = 2'000'000'000;

    /// Fills in `recent` and `window_ns` from the looks so far, and remembers this one. `identities`: what
    /// identifies each listener, parallel to the queues; an index alone means something else at every look.
    void apply(AcceptSide& now, const std::vector<std::uint64_t>& identities, std::uint64_t taken_ns);

private:
    struct CallKey {
        std::uint64_t listener;
        std::uint64_t thread_start_ns;
        std::uint32_t tid;
        std::uint32_t error;
        auto operator<=>(const CallKey&) const = default;
    };
    struct Look {
        std::uint64_t taken_ns = 0;
        std::map<CallKey, std::uint64_t> calls;
        std::map<std::uint32_t, NetworkFacts> networks;
    };

    static CallKey key_of(const AcceptCalls& calls, const std::vector<std::uint64_t>& identities);
    const Look* look_before(std::uint64_t taken_ns);

    std::deque<Look> looks_;  // the oldest first
};

}  // namespace waitclose::model
