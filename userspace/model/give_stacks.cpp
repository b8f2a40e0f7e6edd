// SPDX-License-Identifier: BSD-2-Clause
#include "model/give_stacks.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace waitclose::model {
namespace {

/// Fewer samples tell by accident where a thread was.
constexpr std::uint64_t kLeastSamples = 3;

/// Two clocks, one of jiffies: the begin of a sleep is known to a tick (10 ms at most), read twice.
constexpr std::uint64_t kJitterNs = 20'000'000;

const Stack* stack_at(const Activity& activity, std::uint32_t index) {
    return index < activity.stacks.size() ? &activity.stacks[index] : nullptr;
}

/// Where it went to sleep, when what it does at the end of the capture is that sleep.
std::uint32_t open_sleep(const Activity& activity, const ThreadActivity& thread) {
    if (thread.ended) return kNowhere;
    if (thread.intervals.empty()) return thread.resting_stack;
    const Interval& last = thread.intervals.back();
    if (last.doing != Doing::kBlocked) return kNowhere;
    if (last.sleep < activity.sleeps.size() && activity.sleeps[last.sleep].stack != kNowhere)
        return activity.sleeps[last.sleep].stack;
    return thread.intervals.size() == 1 ? thread.resting_stack : kNowhere;
}

/// The thread of the census is in the very sleep that the capture saw last.
bool is_same_sleep(const Thread& now, const ThreadActivity& then) {
    if (!now.asleep_since_ns) return false;
    if (then.intervals.empty()) return *now.asleep_since_ns <= then.from_ns + kJitterNs;
    const Interval& last = then.intervals.back();
    // It began before the capture did, or in it when the capture says.
    if (then.intervals.size() == 1) return *now.asleep_since_ns <= last.begin_ns + kJitterNs;
    return *now.asleep_since_ns <= last.begin_ns + kJitterNs &&
           *now.asleep_since_ns + kJitterNs >= last.begin_ns;
}

}  // namespace

Stack user_part(const Stack& stack) {
    Stack part;
    std::ranges::copy_if(stack, std::back_inserter(part), [](const Frame& frame) { return !frame.kernel; });
    return part;
}

ActivityIndex::ActivityIndex(const Activity& activity) {
    for (const ThreadActivity& thread : activity.threads)
        by_ids_.emplace(std::tuple(thread.pid, thread.tid), &thread);
}

const ThreadActivity* ActivityIndex::find(std::uint32_t pid, std::uint64_t process_start_ns,
                                          std::uint32_t tid, std::uint64_t start_ns) const {
    const auto [first, last] = by_ids_.equal_range(std::tuple(pid, tid));
    const auto found = std::find_if(first, last, [&](const auto& entry) {
        const ThreadActivity& thread = *entry.second;
        return thread.start_ns == start_ns &&
               (process_start_ns == 0 || thread.process_start_ns == process_start_ns);
    });
    return found == last ? nullptr : found->second;
}

std::uint32_t busiest_stack(const Activity& activity, const ThreadActivity& thread) {
    std::unordered_map<std::string_view, std::uint64_t> functions;
    std::unordered_map<std::uint32_t, std::uint64_t> stacks;
    std::uint64_t most = 0;
    std::string_view busiest;
    for (const CpuSample& sample : thread.samples) {
        const Stack* stack = stack_at(activity, sample.stack);
        if (stack == nullptr) continue;
        ++stacks[sample.stack];
        const Frame* own = own_function(*stack);
        if (own == nullptr) continue;
        const std::uint64_t count = ++functions[own->function];
        if (count > most || (count == most && own->function < busiest)) {
            most = count;
            busiest = own->function;
        }
    }
    if (most < kLeastSamples) return kNowhere;
    std::uint32_t best = kNowhere;
    std::uint64_t met = 0;
    for (const auto& [index, count] : stacks) {
        const Frame* own = own_function(activity.stacks[index]);
        if (own == nullptr || own->function != busiest) continue;
        if (count < met || (count == met && index > best)) continue;
        best = index;
        met = count;
    }
    return best;
}

void give_stacks(Census& last, const Activity& activity) {
    const ActivityIndex index(activity);
    for (const Process& process : last.processes) {
        for (std::uint32_t i = 0; i < process.thread_count; ++i) {
            Thread& thread = last.threads[process.first_thread + i];
            if (thread.user_stack) continue;
            const ThreadActivity* found =
                index.find(process.pid, process.start_ns, thread.tid, thread.start_ns);
            if (found == nullptr) continue;
            std::uint32_t stack = kNowhere;
            if (thread.state == RunState::kRunning)
                stack = busiest_stack(activity, *found);
            else if (is_same_sleep(thread, *found))
                stack = open_sleep(activity, *found);
            const Stack* known = stack_at(activity, stack);
            if (known == nullptr) continue;
            Stack user = user_part(*known);
            if (!user.empty()) thread.user_stack = std::make_shared<const Stack>(std::move(user));
        }
    }
}

}  // namespace waitclose::model
