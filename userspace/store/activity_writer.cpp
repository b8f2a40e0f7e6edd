// SPDX-License-Identifier: BSD-2-Clause
#include "store/activity_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace waitclose::store {
namespace {

// What a row takes in the file, generously.
constexpr std::uint64_t kIntervalBytes = 64;
constexpr std::uint64_t kSampleBytes = 32;
constexpr std::uint64_t kThreadBytes = 96;
constexpr std::uint64_t kSleepBytes = 128;
constexpr std::uint64_t kFrameBytes = 48;

std::uint64_t size_of(const model::ThreadActivity& thread) {
    return thread.intervals.size() * kIntervalBytes + thread.samples.size() * kSampleBytes;
}

std::uint64_t size_of_frame(const model::Activity& activity) {
    std::uint64_t bytes = activity.threads.size() * kThreadBytes + activity.sleeps.size() * kSleepBytes;
    for (const model::Stack& stack : activity.stacks) bytes += stack.size() * kFrameBytes;
    return bytes;
}

/// Which threads are written whole: those that are named first, then those with least to write.
std::vector<bool> fitting(const model::Activity& activity, const ThreadNames& named, std::uint64_t room) {
    struct Candidate {
        bool unnamed;
        std::uint64_t bytes;
        std::size_t index;
        auto operator<=>(const Candidate&) const = default;
    };
    std::vector<Candidate> order;
    for (std::size_t i = 0; i < activity.threads.size(); ++i) {
        const model::ThreadActivity& thread = activity.threads[i];
        order.push_back({!named.contains({thread.pid, thread.tid}), size_of(thread), i});
    }
    std::ranges::sort(order);
    std::vector<bool> fits(activity.threads.size(), false);
    for (const Candidate& one : order) {
        if (one.bytes > room) continue;
        room -= one.bytes;
        fits[one.index] = true;
    }
    return fits;
}

}  // namespace

bool ActivityWriter::prepare(Database& database) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (std::get<I>(tables()).prepare(database, std::get<I>(kActivityTables)) && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(kActivityTables)>>{});
}

StackLink ActivityWriter::stack_of(std::uint32_t index) const {
    return index < stack_ids_.size() ? StackLink{stack_ids_[index]} : StackLink{};
}

void ActivityWriter::write(std::int64_t look, const model::Activity& activity, const ThreadNames& named,
                           std::uint64_t room, Interner& interner) {
    look_ = look;
    const std::uint64_t frame = size_of_frame(activity);
    const bool has_frame = frame <= room;
    const std::vector<bool> fits =
        has_frame ? fitting(activity, named, room - frame) : std::vector<bool>(activity.threads.size());
    activities_.write_of_look(interner, look, 0, activity);
    std::int64_t n = 0;
    for (const std::string& lack : activity.lacks) lacks_.write_of_look(interner, look, n++, {lack});
    if (!has_frame) {
        lacks_.write_of_look(interner, look, n,
                             {"What the threads did had no room in the recording (--max-size)."});
        return;
    }
    if (const auto cut = std::ranges::count(fits, false))
        lacks_.write_of_look(
            interner, look, n,
            {fmt::format("What {} of {} threads did had no room in the recording (--max-size).", cut,
                         fits.size())});
    stack_ids_.clear();
    waker_ids_.clear();
    for (const model::Stack& stack : activity.stacks) stack_ids_.push_back(interner.call_stack(stack));
    for (const model::Actor& waker : activity.wakers) waker_ids_.push_back(interner.actor(waker));
    n = 0;
    for (const model::Sleep& sleep : activity.sleeps)
        sleeps_.write_of_look(interner, look, n++, sleep, stack_of(sleep.stack));
    for (std::size_t i = 0; i < activity.threads.size(); ++i) {
        const model::ThreadActivity& thread = activity.threads[i];
        const auto owner = static_cast<std::int64_t>(i);
        threads_.write_of_look(interner, look, owner, thread, stack_of(thread.resting_stack));
        if (fits[i]) write_intervals(owner, activity, thread, interner);
    }
}

void ActivityWriter::write_intervals(std::int64_t owner, const model::Activity& activity,
                                     const model::ThreadActivity& thread, Interner& interner) {
    std::int64_t n = 0;
    for (const model::Interval& interval : thread.intervals) {
        IntervalLinks links;
        if (interval.sleep < activity.sleeps.size()) links.sleep = interval.sleep;
        if (interval.waker < waker_ids_.size()) links.waker = waker_ids_[interval.waker];
        intervals_.write(interner, look_, owner, n++, interval, links);
    }
    n = 0;
    for (const model::CpuSample& sample : thread.samples)
        samples_.write(interner, look_, owner, n++, sample, stack_of(sample.stack));
}

}  // namespace waitclose::store
