// SPDX-License-Identifier: BSD-2-Clause
#include "replay/thread_story.h"

#include <algorithm>
#include <map>
#include <utility>

#include "model/give_stacks.h"
#include "replay/captured.h"

namespace waitclose::replay {

using model::Doing;
using timeline::StackId;
using timeline::StringId;

namespace {

void add(ThreadStory::Slept& sum, StringId detail, std::uint64_t ns) {
    sum.ns += ns;
    ++sum.times;
    if (ns < sum.longest_ns) return;
    sum.longest_ns = ns;
    sum.detail = detail;
}

template <typename Map, typename Amount>
auto largest_first(Map& sums, const Amount& amount) {
    std::vector<typename Map::mapped_type> sorted;
    for (auto& [key, one] : sums) sorted.push_back(std::move(one));
    std::ranges::stable_sort(sorted, std::greater<>(), amount);
    return sorted;
}

/// What to call where it ran: by its own function, else by the innermost that has a name.
std::string function_of(const model::Stack& stack) {
    if (const model::Frame* own = model::own_function(stack)) return own->function;
    const auto named =
        std::ranges::find_if(stack, [](const model::Frame& frame) { return !frame.function.empty(); });
    return named == stack.end() ? std::string("(not known)") : named->function;
}

std::vector<ThreadStory::Ran> ran_of(const model::Activity& activity, const model::ThreadActivity& thread) {
    std::map<std::string, ThreadStory::Ran> functions;
    for (const model::CpuSample& sample : thread.samples) {
        const std::string name = sample.stack < activity.stacks.size()
                                     ? function_of(activity.stacks[sample.stack])
                                     : std::string("(not known)");
        ThreadStory::Ran& ran = functions[name];
        ran.function = name;
        ++ran.samples;
    }
    return largest_first(functions, &ThreadStory::Ran::samples);
}

/// In which function of the program it spent most of its time: running, or in its longest way of sleeping.
std::string main_function(const model::Activity& activity, const model::ThreadActivity& thread,
                          const ThreadStory& story, std::uint32_t longest_sleep) {
    const bool ran_most = story.on_cpu_ns + story.runnable_ns > story.blocked_ns;
    const std::uint32_t stack = ran_most ? model::busiest_stack(activity, thread) : longest_sleep;
    if (stack >= activity.stacks.size()) return {};
    const model::Frame* own = model::own_function(activity.stacks[stack]);
    return own ? own->function : std::string();
}

}  // namespace

ThreadStory Captured::story(const model::ThreadActivity& thread) {
    ThreadStory story;
    story.pid = thread.pid;
    story.tid = thread.tid;
    story.comm = thread.comm;
    story.ended = thread.ended;
    story.length_ns = thread.to_ns - thread.from_ns;
    story.samples = thread.samples.size();
    std::map<StringId, ThreadStory::Slept> classes;
    std::map<std::pair<StringId, StackId>, ThreadStory::Slept> slept;
    std::map<StringId, ThreadStory::Waker> wakers;
    for (const model::Interval& interval : thread.intervals) {
        const std::uint64_t ns = interval.end_ns - interval.begin_ns;
        if (interval.doing == Doing::kRunning) story.on_cpu_ns += ns;
        if (interval.doing == Doing::kRunnable) story.runnable_ns += ns;
        if (interval.doing != Doing::kBlocked) continue;
        story.blocked_ns += ns;
        const Words words = words_of(thread, interval);
        ThreadStory::Slept& by_class = classes[words.what];
        by_class.what = words.what;
        add(by_class, words.detail, ns);
        ThreadStory::Slept& way = slept[{words.what, words.stack}];
        way.what = words.what;
        way.stack = words.stack;
        add(way, words.detail, ns);
        const StringId who = waker_text(thread, interval.waker);
        if (who == StringId::kNone) continue;
        ThreadStory::Waker& waker = wakers[who];
        waker.who = who;
        ++waker.times;
        waker.ended_ns += ns;
    }
    const std::uint64_t told = story.on_cpu_ns + story.runnable_ns + story.blocked_ns;
    story.unknown_ns = story.length_ns - std::min(told, story.length_ns);
    story.classes = largest_first(classes, &ThreadStory::Slept::ns);
    story.slept = largest_first(slept, &ThreadStory::Slept::ns);
    story.wakers = largest_first(wakers, &ThreadStory::Waker::ended_ns);
    story.ran = ran_of(activity_, thread);
    const auto longest = std::ranges::find_if(
        story.slept, [](const ThreadStory::Slept& one) { return one.stack != StackId::kNone; });
    std::uint32_t index = model::kNowhere;
    if (longest != story.slept.end())
        index = static_cast<std::uint32_t>(std::ranges::find(stacks_, longest->stack) - stacks_.begin());
    story.function = main_function(activity_, thread, story, index);
    return story;
}

}  // namespace waitclose::replay
