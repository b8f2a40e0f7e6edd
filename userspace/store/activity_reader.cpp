// SPDX-License-Identifier: BSD-2-Clause
#include "store/activity_reader.h"

#include <utility>

namespace waitclose::store {

bool ActivityReader::prepare(Database& database, Dictionary& dictionary) {
    dictionary_ = &dictionary;
    const auto tables_there =
        database.number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'activities'");
    has_tables_ = tables_there.value_or(0) > 0;
    if (!has_tables_) return true;
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (std::get<I>(tables()).prepare(database, std::get<I>(kActivityTables)) && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(kActivityTables)>>{});
}

std::uint64_t ActivityReader::rows() {
    return std::apply([](const auto&... table) { return (table.rows() + ...); }, tables());
}

bool ActivityReader::read(std::int64_t look, std::optional<model::Activity>& activity) {
    if (!has_tables_) return true;
    look_ = look;
    const bool good = activities_.read(look, *dictionary_, [&](std::int64_t, model::Activity& found) {
        if (activity || found.to_ns < found.from_ns) return false;
        activity = std::move(found);
        return true;
    });
    if (!good || !activity) return good;
    return lacks_.read(look, *dictionary_,
                       [&](std::int64_t, TextRow& row) {
                           activity->lacks.push_back(std::move(row.text));
                           return true;
                       }) &&
           read_sleeps_and_threads(*activity) && read_intervals(*activity) && read_samples(*activity);
}

bool ActivityReader::stack_of(model::Activity& activity, const StackLink& link, std::uint32_t& stack) {
    if (!link.stack) return true;
    const auto [place, is_new] =
        stacks_.try_emplace(*link.stack, static_cast<std::uint32_t>(activity.stacks.size()));
    stack = place->second;
    if (!is_new) return true;
    model::StackRef frames;
    if (!dictionary_->call_stack(*link.stack, frames)) return false;
    activity.stacks.push_back(*frames);
    return true;
}

bool ActivityReader::waker_of(model::Activity& activity, const IntervalLinks& links, std::uint32_t& waker) {
    if (!links.waker) return true;
    const auto [place, is_new] =
        wakers_.try_emplace(*links.waker, static_cast<std::uint32_t>(activity.wakers.size()));
    waker = place->second;
    return !is_new || dictionary_->actor(*links.waker, activity.wakers.emplace_back());
}

bool ActivityReader::read_sleeps_and_threads(model::Activity& activity) {
    return sleeps_.read(look_, *dictionary_,
                        [&](std::int64_t, model::Sleep& sleep, StackLink& link) {
                            if (!stack_of(activity, link, sleep.stack)) return false;
                            activity.sleeps.push_back(std::move(sleep));
                            return true;
                        }) &&
           threads_.read(look_, *dictionary_,
                         [&](std::int64_t, model::ThreadActivity& thread, StackLink& link) {
                             if (!stack_of(activity, link, thread.resting_stack)) return false;
                             if (thread.from_ns > thread.to_ns) return false;
                             activity.threads.push_back(std::move(thread));
                             return true;
                         });
}

/// They follow one another, each in its thread's time.
bool ActivityReader::read_intervals(model::Activity& activity) {
    return intervals_.read(
        look_, *dictionary_, [&](std::int64_t owner, model::Interval& interval, IntervalLinks& links) {
            if (static_cast<std::uint64_t>(owner) >= activity.threads.size()) return false;
            model::ThreadActivity& thread = activity.threads[static_cast<std::size_t>(owner)];
            const std::uint64_t from_ns =
                thread.intervals.empty() ? thread.from_ns : thread.intervals.back().end_ns;
            if (interval.begin_ns < from_ns || interval.end_ns < interval.begin_ns ||
                interval.end_ns > thread.to_ns)
                return false;
            if (links.sleep && *links.sleep >= activity.sleeps.size()) return false;
            if (links.sleep) interval.sleep = *links.sleep;
            if (!waker_of(activity, links, interval.waker)) return false;
            thread.intervals.push_back(interval);
            return true;
        });
}

bool ActivityReader::read_samples(model::Activity& activity) {
    return samples_.read(look_, *dictionary_,
                         [&](std::int64_t owner, model::CpuSample& sample, StackLink& link) {
                             if (static_cast<std::uint64_t>(owner) >= activity.threads.size()) return false;
                             if (!stack_of(activity, link, sample.stack)) return false;
                             activity.threads[static_cast<std::size_t>(owner)].samples.push_back(sample);
                             return true;
                         });
}

}  // namespace waitclose::store
