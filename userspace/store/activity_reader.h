// SPDX-License-Identifier: BSD-2-Clause
// Reads what a capture saw threads do. The file is hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "model/activity.h"
#include "store/row_stream.h"

namespace waitclose::store {

class ActivityReader {
public:
    /// False when some tables of captures are there, but not all. Recordings of earlier builds have none.
    bool prepare(Database& database, Dictionary& dictionary);

    /// The activity that was written after `look`, the last one. False when it is damaged; `activity` stays
    /// empty where there is none.
    bool read(std::int64_t look, std::optional<model::Activity>& activity);

    std::uint64_t rows();

private:
    /// In the order of kActivityTables.
    auto tables() { return std::tie(activities_, lacks_, threads_, sleeps_, intervals_, samples_); }
    bool read_sleeps_and_threads(model::Activity& activity);
    bool read_intervals(model::Activity& activity);
    bool read_samples(model::Activity& activity);
    bool stack_of(model::Activity& activity, const StackLink& link, std::uint32_t& stack);
    bool waker_of(model::Activity& activity, const IntervalLinks& links, std::uint32_t& waker);

    Dictionary* dictionary_ = nullptr;
    bool has_tables_ = false;
    std::int64_t look_ = 0;
    std::unordered_map<std::int64_t, std::uint32_t> stacks_;  // index by the number in the file
    std::unordered_map<std::int64_t, std::uint32_t> wakers_;
    ListStream<model::Activity> activities_;
    ListStream<TextRow> lacks_;
    ListStream<model::ThreadActivity, StackLink> threads_;
    ListStream<model::Sleep, StackLink> sleeps_;
    ListStream<model::Interval, IntervalLinks> intervals_;
    ListStream<model::CpuSample, StackLink> samples_;
};

}  // namespace waitclose::store
