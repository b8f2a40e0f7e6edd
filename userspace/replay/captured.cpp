// SPDX-License-Identifier: BSD-2-Clause
#include "replay/captured.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "diagnose/wait.h"
#include "timeline/labels.h"

namespace waitclose::replay {

using model::Doing;
using timeline::Activity;
using timeline::Share;
using timeline::Slice;
using timeline::StackId;
using timeline::StringId;

namespace {

constexpr std::uint32_t kNoSleep = model::kNowhere;

std::uint64_t overlap(std::uint64_t begin, std::uint64_t end, std::uint64_t from, std::uint64_t to) {
    return timeline::length(std::max(begin, from), std::min(end, to));
}

/// Without the innermost functions up to the scheduler's: those of the probe that saw the switch, and the
/// switch itself, which is the same for all sleeps.
model::Stack without_switch(const model::Stack& stack) {
    constexpr std::ptrdiff_t kDeepest = 12;  // more the probe does not put on top of it
    const auto end = stack.begin() + std::min<std::ptrdiff_t>(std::ssize(stack), kDeepest);
    const auto found = std::find_if(stack.begin(), end, [](const model::Frame& frame) {
        return frame.kernel && frame.function == "__schedule";
    });
    if (found == end) return stack;
    return {std::next(found), stack.end()};
}

/// The functions of the kernel in it, as a census has them.
model::KernelStack kernel_names(const model::Stack& stack) {
    std::vector<std::string> names;
    for (const model::Frame& frame : stack)
        if (frame.kernel) names.push_back(frame.function);
    if (names.empty()) return nullptr;
    return std::make_shared<const std::vector<std::string>>(std::move(names));
}

const model::Thread* thread_in(const model::Census* census, const model::ThreadActivity& thread) {
    if (census == nullptr) return nullptr;
    const auto found = std::ranges::find_if(census->threads, [&](const model::Thread& one) {
        return one.tid == thread.tid && one.start_ns == thread.start_ns;
    });
    return found == census->threads.end() ? nullptr : &*found;
}

}  // namespace

Captured::Captured(timeline::Timeline& timeline, const model::Activity& activity, const model::Census* last)
    : timeline_(timeline),
      activity_(activity),
      last_(last),
      running_(timeline.strings.add("running")),
      runnable_(timeline.strings.add("waiting for a CPU")),
      not_watched_(timeline.strings.add("not watched")) {
    stacks_.reserve(activity.stacks.size());
    for (const model::Stack& stack : activity.stacks)
        stacks_.push_back(timeline.stacks.add(frames_of(without_switch(stack), timeline.strings)));
    for (const model::ThreadActivity& thread : activity.threads) by_ids_[{thread.pid, thread.tid}] = &thread;
}

const model::ThreadActivity* Captured::find(std::uint32_t pid, std::uint32_t tid) const {
    const auto found = by_ids_.find({pid, tid});
    return found == by_ids_.end() ? nullptr : found->second;
}

StackId Captured::stack_id(std::uint32_t index) const {
    return index < stacks_.size() ? stacks_[index] : StackId::kNone;
}

Captured::Words Captured::words_of(const model::ThreadActivity& thread, const model::Sleep& sleep,
                                   std::uint32_t stack) const {
    model::Thread asleep;
    asleep.tid = thread.tid;
    asleep.state = sleep.in_iowait ? model::RunState::kDiskSleep : model::RunState::kSleeping;
    asleep.syscall = sleep.syscall;
    asleep.arguments = sleep.arguments;
    asleep.file = sleep.file;
    asleep.in_iowait = sleep.in_iowait;
    if (stack < activity_.stacks.size())
        asleep.kernel_stack = kernel_names(without_switch(activity_.stacks[stack]));
    const model::Thread* now = thread_in(last_, thread);
    if (now && now->syscall == sleep.syscall && now->arguments == sleep.arguments && sleep.syscall) {
        asleep.polled = now->polled;
        if (!asleep.file || asleep.polled) asleep.file = now->file;
        // Whose a lock is may change with every sleep.
        if (thread.intervals.size() == 1) asleep.lock_owner_tid = now->lock_owner_tid;
        if (thread.intervals.size() == 1) asleep.lock_holder = now->lock_holder;
    }
    const diagnose::Wait wait = diagnose::wait_of(asleep);
    return {timeline_.strings.add(diagnose::id_of(wait.what)),
            wait.detail.empty() ? StringId::kNone : timeline_.strings.add(wait.detail), stack_id(stack)};
}

const Captured::Words& Captured::words_of(const model::ThreadActivity& thread,
                                          const model::Interval& interval) {
    const bool has_sleep = interval.sleep < activity_.sleeps.size();
    const auto [place, is_new] = words_.try_emplace({&thread, has_sleep ? interval.sleep : kNoSleep});
    if (!is_new) return place->second;
    static const model::Sleep kNothingKnown;
    const model::Sleep& sleep = has_sleep ? activity_.sleeps[interval.sleep] : kNothingKnown;
    const bool rested = &interval == thread.intervals.data() && sleep.stack == model::kNowhere;
    place->second = words_of(thread, sleep, rested ? thread.resting_stack : sleep.stack);
    return place->second;
}

StringId Captured::waker_text(const model::ThreadActivity& thread, std::uint32_t waker) {
    if (waker >= activity_.wakers.size()) return StringId::kNone;
    const model::Actor& actor = activity_.wakers[waker];
    if (actor.tid == 0) return StringId::kNone;
    const std::string pid = actor.pid == thread.pid ? "" : fmt::format("pid {}, ", actor.pid);
    return timeline_.strings.add(fmt::format("{} ({}tid {})", actor.comm_text(), pid, actor.tid));
}

/// Each sample stands for the time that it is nearest to.
void Captured::add_run(const model::ThreadActivity& thread, const model::Interval& run,
                       std::vector<Slice>& slices) const {
    const auto after = [](std::uint64_t at_ns, const model::CpuSample& sample) {
        return at_ns < sample.at_ns;
    };
    const auto before = [](const model::CpuSample& sample, std::uint64_t at_ns) {
        return sample.at_ns < at_ns;
    };
    auto sample = std::lower_bound(thread.samples.begin(), thread.samples.end(), run.begin_ns, before);
    const auto end = std::upper_bound(sample, thread.samples.end(), run.end_ns, after);
    std::uint64_t at = run.begin_ns;
    do {
        const StackId stack = sample == end ? StackId::kNone : stack_id(sample->stack);
        const auto next = sample == end ? end : std::next(sample);
        const std::uint64_t to = next == end ? run.end_ns : sample->at_ns + (next->at_ns - sample->at_ns) / 2;
        if (to > at) slices.push_back({at, to, Activity::kRunning, {}, {}, stack, {}});
        at = std::max(at, to);
        sample = next;
    } while (sample != end);
}

std::vector<Slice> Captured::slices(const model::ThreadActivity& thread) {
    std::vector<Slice> made;
    const timeline::Window& window = timeline_.window;
    std::uint64_t at = std::max(thread.from_ns, window.from_ns);
    const std::uint64_t to = std::min(thread.to_ns, window.to_ns);
    const auto gap_until = [&](std::uint64_t until) {
        if (until > at) made.push_back({at, until, Activity::kUnknown, {}, {}, {}, {}});
        at = std::max(at, until);
    };
    if (thread.intervals.empty()) return made;
    for (const model::Interval& whole : thread.intervals) {
        model::Interval interval = whole;
        interval.begin_ns = std::max(whole.begin_ns, at);
        interval.end_ns = std::min(whole.end_ns, to);
        if (interval.begin_ns >= interval.end_ns) continue;
        gap_until(interval.begin_ns);
        switch (interval.doing) {
        case Doing::kRunning: add_run(thread, interval, made); break;
        case Doing::kRunnable:
            made.push_back({at, interval.end_ns, Activity::kRunnable, {}, {}, {}, {}});
            break;
        case Doing::kBlocked: {
            const Words& words = words_of(thread, whole);
            made.push_back({at, interval.end_ns, Activity::kBlocked, words.what, words.detail, words.stack,
                            waker_text(thread, whole.waker)});
            break;
        }
        case Doing::kUnknown: break;
        }
        if (interval.doing != Doing::kUnknown) at = interval.end_ns;
        gap_until(interval.end_ns);
    }
    gap_until(to);
    return made;
}

/// Every sample counts the same; what does not divide evenly goes to the first.
void Captured::share_run(const model::ThreadActivity& thread, std::uint64_t since_ns, std::uint64_t end_ns,
                         std::uint64_t ran_ns, Sums& sums) const {
    if (ran_ns == 0) return;
    std::map<StackId, std::uint64_t> counts;
    std::uint64_t all = 0;
    for (const model::CpuSample& sample : thread.samples) {
        if (sample.at_ns < since_ns || sample.at_ns > end_ns) continue;
        ++counts[stack_id(sample.stack)];
        ++all;
    }
    if (all == 0) {
        sums[{running_, StackId::kNone}] += ran_ns;
        return;
    }
    std::uint64_t left = ran_ns;
    for (const auto& [stack, count] : counts) {
        const std::uint64_t part = ran_ns / all * count + ran_ns % all * count / all;
        sums[{running_, stack}] += part;
        left -= part;
    }
    sums[{running_, counts.begin()->first}] += left;
}

/// What was before the capture, and after it.
void Captured::add_edges(const model::ThreadActivity& thread, const Lanes& lanes, std::uint64_t since_ns,
                         std::uint64_t end_ns, Sums& sums) {
    const std::uint64_t from = thread.from_ns;
    const std::uint64_t to = thread.to_ns;
    std::uint64_t unwatched = overlap(since_ns, end_ns, 0, from) + overlap(since_ns, end_ns, to, UINT64_MAX);
    const auto give = [&](const model::Interval& interval, std::uint64_t begin, std::uint64_t end) {
        const std::uint64_t slept = overlap(begin, end, since_ns, end_ns);
        if (interval.doing != Doing::kBlocked || slept == 0) return;
        const Words& words = words_of(thread, interval);
        sums[{words.what, words.stack}] += slept;
        unwatched -= slept;
    };
    if (thread.intervals.front().begin_ns == from)
        give(thread.intervals.front(), std::min(lanes.rests_since(thread, from), from), from);
    if (thread.intervals.back().end_ns == to && !thread.ended)
        give(thread.intervals.back(), to, std::max(lanes.rests_until(thread, to), to));
    if (unwatched > 0) sums[{not_watched_, StackId::kNone}] += unwatched;
}

std::vector<Share> Captured::shares(const model::ThreadActivity& thread, const Lanes& lanes,
                                    std::uint64_t since_ns, std::uint64_t end_ns) {
    std::vector<Share> made;
    if (thread.intervals.empty() || since_ns >= end_ns) return made;
    if (overlap(thread.from_ns, thread.to_ns, since_ns, end_ns) == 0) return made;
    Sums sums;
    add_edges(thread, lanes, since_ns, end_ns, sums);
    std::uint64_t ran_ns = 0;
    std::uint64_t told_ns = 0;
    for (const model::Interval& interval : thread.intervals) {
        const std::uint64_t ns = overlap(interval.begin_ns, interval.end_ns, since_ns, end_ns);
        if (ns == 0 || interval.doing == Doing::kUnknown) continue;
        told_ns += ns;
        if (interval.doing == Doing::kRunning) ran_ns += ns;
        if (interval.doing == Doing::kRunnable) sums[{runnable_, StackId::kNone}] += ns;
        if (interval.doing != Doing::kBlocked) continue;
        const Words& words = words_of(thread, interval);
        sums[{words.what, words.stack}] += ns;
    }
    share_run(thread, since_ns, end_ns, ran_ns, sums);
    const std::uint64_t within = overlap(thread.from_ns, thread.to_ns, since_ns, end_ns);
    if (within > told_ns) sums[{not_watched_, StackId::kNone}] += within - told_ns;
    for (const auto& [what, ns] : sums)
        if (ns > 0) made.push_back({what.first, what.second, ns});
    std::ranges::stable_sort(made, std::greater<>(), &Share::ns);
    return made;
}

}  // namespace waitclose::replay
