// SPDX-License-Identifier: BSD-2-Clause
// The ends of holds between two times that the view takes them up. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "model/ledger.h"

namespace waitclose::live {

/// Bounded memory, however long nobody asks: the view may be paused for hours.
class Ends {
public:
    static constexpr std::size_t kMost = 20'000;

    struct Taken {
        std::deque<model::Closed> latest;  // the oldest first
        std::uint64_t before = 0;          // how many more there were, which are not kept
    };

    void add(const model::Closed& closed) {
        taken_.latest.push_back(closed);
        if (taken_.latest.size() <= kMost) return;
        taken_.latest.pop_front();
        ++taken_.before;
    }
    /// Those since it was asked last.
    Taken take() { return std::exchange(taken_, {}); }

private:
    Taken taken_;
};

}  // namespace waitclose::live
