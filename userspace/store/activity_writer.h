// SPDX-License-Identifier: BSD-2-Clause
// Writes what a capture saw threads do, as far as there is room.
#pragma once

#include <cstdint>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "model/activity.h"
#include "store/versions.h"

namespace waitclose::store {

/// Threads by pid and tid.
using ThreadNames = std::set<std::pair<std::uint32_t, std::uint32_t>>;

class ActivityWriter {
public:
    /// False when a statement cannot be prepared.
    bool prepare(Database& database);

    /// `look` is the last one. Not much more than `room` bytes are added. What does not fit is left out, and
    /// said among what the capture lacks: the intervals and samples of threads that are not `named` first,
    /// of those the ones with most.
    void write(std::int64_t look, const model::Activity& activity, const ThreadNames& named,
               std::uint64_t room, Interner& interner);

private:
    /// In the order of kActivityTables.
    auto tables() { return std::tie(activities_, lacks_, threads_, sleeps_, intervals_, samples_); }
    void write_intervals(std::int64_t n, const model::Activity& activity, const model::ThreadActivity& thread,
                         Interner& interner);
    StackLink stack_of(std::uint32_t index) const;

    std::int64_t look_ = 0;
    std::vector<std::int64_t> stack_ids_;  // parallel to the activity's stacks
    std::vector<std::int64_t> waker_ids_;
    Rows<model::Activity> activities_;
    Rows<TextRow> lacks_;
    Rows<model::ThreadActivity, StackLink> threads_;
    Rows<model::Sleep, StackLink> sleeps_;
    Rows<model::Interval, IntervalLinks> intervals_;
    Rows<model::CpuSample, StackLink> samples_;
};

}  // namespace waitclose::store
