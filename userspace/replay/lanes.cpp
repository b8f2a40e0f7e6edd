// SPDX-License-Identifier: BSD-2-Clause
#include "replay/lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/wording.h"

namespace waitclose::replay {

using timeline::Activity;
using timeline::Slice;
using timeline::StackId;
using timeline::StringId;

/// What is known in sum of a stretch of a thread's time.
struct Lanes::Spent {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::uint64_t on_cpu_ns = 0;
    std::uint64_t waiting_ns = 0;          // for a CPU
    const Slice* asleep_before = nullptr;  // it began asleep, and woke only once

    std::uint64_t length_ns() const { return to_ns - from_ns; }
};

namespace {

/// "ran 12 ms, waited for a CPU 1 ms, slept the rest, in pieces"
std::string sums_text(std::uint64_t length_ns, std::uint64_t on_cpu_ns, std::uint64_t waiting_ns) {
    std::string text = fmt::format("ran {}", model::duration_text(on_cpu_ns));
    if (waiting_ns > 0) text += fmt::format(", waited for a CPU {}", model::duration_text(waiting_ns));
    return on_cpu_ns + waiting_ns < length_ns ? text + ", slept the rest, in pieces" : text + ", in pieces";
}

/// What the clock ticks, interrupts and the hypervisor take out of the sums does not count.
bool is_nearly_all(std::uint64_t part, std::uint64_t whole) {
    return part >= whole - whole / 20;
}

std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
    return now > before ? now - before : 0;
}

StringId known(timeline::StringTable& strings, const std::optional<std::string>& text) {
    return text ? strings.add(*text) : StringId::kNone;
}

StringId named(timeline::StringTable& strings, const std::string& name) {
    return name.empty() ? StringId::kNone : strings.add(name);
}

}  // namespace

std::vector<timeline::Frame> frames_of(const model::Stack& stack, timeline::StringTable& strings) {
    std::vector<timeline::Frame> frames;
    frames.reserve(stack.size());
    for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame)
        frames.push_back(
            {named(strings, frame->function), named(strings, frame->module), frame->offset, frame->kernel});
    return frames;
}

std::uint32_t Lanes::follow(const model::Process& process) {
    const auto next = static_cast<std::uint32_t>(timeline_.processes.size());
    const auto [at, is_new] = processes_.try_emplace({process.pid, process.start_ns}, next);
    if (is_new) timeline_.processes.emplace_back();
    timeline::Process& made = timeline_.processes[at->second];
    made.pid = process.pid;
    if (process.start_ns) made.started_ns = process.start_ns;
    // Names that were read once stay: a process on its way out loses them.
    auto& strings = timeline_.strings;
    if (!process.comm.empty()) {
        const StringId comm = strings.add(process.comm);
        if (made.comm != StringId::kNone && made.comm != comm) formerly_[at->second] = made.comm;
        made.comm = comm;
    }
    if (process.exe) made.exe = known(strings, process.exe);
    if (process.cgroup) made.cgroup = known(strings, process.cgroup);
    if (process.container) made.container = known(strings, process.container);
    return at->second;
}

void Lanes::look(const model::Census& census) {
    ++looks_;
    for (const model::Process& process : census.processes) {
        const auto followed = processes_.find({process.pid, process.start_ns});
        if (followed == processes_.end()) continue;
        for (const model::Thread& thread : census.threads_of(process)) {
            const std::uint64_t read_ns = thread.read_ns ? thread.read_ns : census.taken_ns;
            advance(lane_of(followed->second, thread, read_ns), thread, read_ns);
        }
    }
    if (census.window)
        for (const model::ThreadTime& time : census.window->threads)
            if (time.ended) end(time);
}

Lanes::Lane& Lanes::lane_of(std::uint32_t process, const model::Thread& thread, std::uint64_t read_ns) {
    const auto [at, is_new] = lanes_.try_emplace({process, thread.tid, thread.start_ns});
    Lane& lane = at->second;
    lane.look = looks_;
    if (is_new) {
        auto& threads = timeline_.processes[process].threads;
        lane.where = {process, static_cast<std::uint32_t>(threads.size())};
        threads.emplace_back();
        threads.back().tid = thread.tid;
        threads.back().from_ns = std::max(from_ns_, std::min(thread.start_ns, read_ns));
        threads.back().to_ns = threads.back().from_ns;
    }
    if (!thread.comm.empty()) thread_at(lane).comm = named(timeline_.strings, thread.comm);
    return lane;
}

timeline::Thread& Lanes::thread_at(const Lane& lane) {
    return timeline_.processes[lane.where.process].threads[lane.where.thread];
}

void Lanes::advance(Lane& lane, const model::Thread& thread, std::uint64_t read_ns) {
    const std::uint64_t begin = thread_at(lane).to_ns;
    latest_ns_ = std::max(latest_ns_, read_ns);
    if (read_ns < begin || lane.ended || (lane.last && read_ns == begin)) return;
    const diagnose::Wait wait = diagnose::wait_of(thread);
    const bool sleeps = wait.what != diagnose::WaitClass::kNothing && thread.asleep_since_ns;
    Reading now{read_ns, thread.on_cpu_ns, thread.run_delay_ns, thread.switches, std::nullopt};
    if (sleeps) now.asleep = blocked(thread, wait);
    if (sleeps && !lane.last && *thread.asleep_since_ns < begin)
        lane.rests_since_ns = *thread.asleep_since_ns;
    const std::uint64_t since = sleeps ? std::clamp(*thread.asleep_since_ns, begin, read_ns) : read_ns;
    if (lane.last) {
        Spent spent{begin, since, growth(lane.last->on_cpu_ns, now.on_cpu_ns),
                    growth(lane.last->run_delay_ns, now.run_delay_ns), nullptr};
        const std::uint64_t most = sleeps ? 1 : 0;  // it was switched away only to sleep as it does now
        if (lane.last->asleep && growth(lane.last->switches, now.switches) <= most)
            spent.asleep_before = &*lane.last->asleep;
        lay_out(lane, spent);
    } else {
        append(lane, {begin, since, Activity::kUnknown, {}, {}, {}, {}});
    }
    if (sleeps) {
        Slice slice = *now.asleep;
        slice.begin_ns = since;
        slice.end_ns = read_ns;
        append(lane, slice);
    }
    lane.last = std::move(now);
}

void Lanes::lay_out(Lane& lane, const Spent& spent) {
    const std::uint64_t length = spent.length_ns();
    const std::uint64_t on_cpu = std::min(spent.on_cpu_ns, length);
    const std::uint64_t waiting = std::min(spent.waiting_ns, length - on_cpu);
    const auto whole = [&](Activity activity, StringId detail) {
        append(lane, {spent.from_ns, spent.to_ns, activity, {}, detail, {}, {}});
    };
    if (spent.asleep_before) {
        const std::uint64_t woke = spent.to_ns - on_cpu - waiting;
        Slice slept = *spent.asleep_before;
        slept.begin_ns = spent.from_ns;
        slept.end_ns = woke;
        append(lane, slept);
        append(lane, {woke, woke + waiting, Activity::kRunnable, {}, {}, {}, {}});
        append(lane, {woke + waiting, spent.to_ns, Activity::kRunning, {}, {}, {}, {}});
    } else if (is_nearly_all(on_cpu, length)) {
        whole(Activity::kRunning, {});
    } else if (is_nearly_all(waiting, length)) {
        whole(Activity::kRunnable, {});
    } else {
        whole(Activity::kUnknown, timeline_.strings.add(sums_text(length, on_cpu, waiting)));
    }
}

/// It exited: the window knows when, and what it did until then in sum.
void Lanes::end(const model::ThreadTime& time) {
    for (const auto& [process, index] : processes_) {
        if (process.first != time.pid) continue;
        const auto found = lanes_.find({index, time.tid, time.start_ns});
        if (found == lanes_.end() || found->second.ended) continue;
        Lane& lane = found->second;
        const std::uint64_t begin = thread_at(lane).to_ns;
        lane.ended = true;
        if (time.to_ns <= begin) return;
        append(lane, {begin, time.to_ns, Activity::kUnknown, {}, {}, {}, {}});
        latest_ns_ = std::max(latest_ns_, time.to_ns);
        return;
    }
}

void Lanes::append(Lane& lane, Slice slice) {
    if (slice.begin_ns >= slice.end_ns) return;
    timeline::Thread& thread = thread_at(lane);
    thread.to_ns = slice.end_ns;
    if (!thread.slices.empty()) {
        Slice& last = thread.slices.back();
        const bool same = last.activity == slice.activity && last.wait_class == slice.wait_class &&
                          last.detail == slice.detail && last.stack == slice.stack &&
                          last.waker == slice.waker;
        // Sums of two stretches would have to be added up.
        if (same && !(slice.activity == Activity::kUnknown && slice.detail != StringId::kNone)) {
            last.end_ns = slice.end_ns;
            return;
        }
    }
    thread.slices.push_back(slice);
}

Slice Lanes::blocked(const model::Thread& thread, const diagnose::Wait& wait) {
    return {0,
            0,
            Activity::kBlocked,
            timeline_.strings.add(diagnose::id_of(wait.what)),
            named(timeline_.strings, wait.detail),
            stack_of(thread),
            StringId::kNone};
}

StackId Lanes::stack_of(const model::Thread& thread) {
    std::vector<timeline::Frame> frames;
    if (thread.user_stack) frames = frames_of(*thread.user_stack, timeline_.strings);
    if (!thread.kernel_stack) return timeline_.stacks.add(frames);
    for (auto name = thread.kernel_stack->rbegin(); name != thread.kernel_stack->rend(); ++name)
        frames.push_back({named(timeline_.strings, *name), StringId::kNone, std::nullopt, true});
    return timeline_.stacks.add(frames);
}

void Lanes::finish(std::uint64_t to_ns) {
    for (auto& [key, lane] : lanes_) {
        // Whoever is not there any more has exited, or is no longer of interest.
        if (lane.ended || lane.look != looks_) continue;
        const std::uint64_t begin = thread_at(lane).to_ns;
        append(lane, {begin, to_ns, Activity::kUnknown, {}, {}, {}, {}});
    }
}

void Lanes::replace(const model::ThreadActivity& thread, const std::vector<Slice>& slices) {
    const auto process = processes_.find({thread.pid, thread.process_start_ns});
    if (process == processes_.end() || slices.empty()) return;
    Lane& lane = lane_of(process->second, thread);
    timeline::Thread& made = thread_at(lane);
    const std::uint64_t begin = slices.front().begin_ns;
    const std::uint64_t end = slices.back().end_ns;
    const std::vector<Slice> before = std::exchange(made.slices, {});
    const std::uint64_t until = made.to_ns;
    made.from_ns = std::min(made.from_ns, begin);
    made.to_ns = made.from_ns;
    // Puts down what lies between the two moments, and "not known" before it where there is a gap.
    const auto put = [&](Slice slice, std::uint64_t from_ns, std::uint64_t to_ns) {
        slice.begin_ns = std::max(slice.begin_ns, from_ns);
        slice.end_ns = std::min(slice.end_ns, to_ns);
        if (slice.begin_ns >= slice.end_ns) return;
        append(lane, {made.to_ns, slice.begin_ns, Activity::kUnknown, {}, {}, {}, {}});
        append(lane, slice);
    };
    for (const Slice& slice : before) put(slice, 0, begin);
    for (const Slice& slice : slices) put(slice, begin, end);
    for (const Slice& slice : before) put(slice, end, until);
    if (thread.ended) made.to_ns = std::min(made.to_ns, std::max(end, made.from_ns));
    while (!made.slices.empty() && made.slices.back().begin_ns >= made.to_ns) made.slices.pop_back();
    if (!made.slices.empty()) made.slices.back().end_ns = made.to_ns;
}

Lanes::Lane& Lanes::lane_of(std::uint32_t process, const model::ThreadActivity& activity) {
    const auto [at, is_new] = lanes_.try_emplace({process, activity.tid, activity.start_ns});
    Lane& lane = at->second;
    if (!is_new) return lane;
    auto& threads = timeline_.processes[process].threads;
    lane.where = {process, static_cast<std::uint32_t>(threads.size())};
    timeline::Thread& made = threads.emplace_back();
    made.tid = activity.tid;
    made.comm = named(timeline_.strings, activity.comm);
    made.from_ns = std::max(from_ns_, activity.from_ns);
    made.to_ns = made.from_ns;
    return lane;
}

const Lanes::Lane* Lanes::find(const model::ThreadActivity& thread) const {
    const auto process = processes_.find({thread.pid, thread.process_start_ns});
    if (process == processes_.end()) return nullptr;
    const auto found = lanes_.find({process->second, thread.tid, thread.start_ns});
    return found == lanes_.end() ? nullptr : &found->second;
}

std::uint64_t Lanes::rests_since(const model::ThreadActivity& thread, std::uint64_t from_ns) const {
    const Lane* lane = find(thread);
    if (lane == nullptr) return from_ns;
    const timeline::Thread& made = thread_at(*lane);
    std::uint64_t since_ns = from_ns;
    StringId what = StringId::kNone;
    for (auto slice = made.slices.rbegin(); slice != made.slices.rend(); ++slice) {
        if (slice->end_ns > from_ns)
            what = slice->wait_class;
        else if (slice->wait_class != what)
            return since_ns;
        if (what == StringId::kNone && slice->begin_ns <= from_ns) return since_ns;
        since_ns = std::min(since_ns, slice->begin_ns);
    }
    return std::min(since_ns, lane->rests_since_ns.value_or(since_ns));
}

std::uint64_t Lanes::rests_until(const model::ThreadActivity& thread, std::uint64_t to_ns) const {
    const Lane* lane = find(thread);
    if (lane == nullptr) return to_ns;
    StringId what = StringId::kNone;
    std::uint64_t until_ns = to_ns;
    for (const Slice& slice : thread_at(*lane).slices) {
        if (slice.end_ns < to_ns) continue;
        if (slice.begin_ns < to_ns)
            what = slice.wait_class;
        else if (what == StringId::kNone || slice.wait_class != what)
            return until_ns;
        if (slice.end_ns > to_ns && what != StringId::kNone) until_ns = slice.end_ns;
    }
    return until_ns;
}

StringId Lanes::formerly(std::uint32_t process) const {
    const auto found = formerly_.find(process);
    return found == formerly_.end() ? StringId::kNone : found->second;
}

std::uint64_t Lanes::ended_ns(std::uint32_t process) const {
    if (process >= timeline_.processes.size()) return 0;
    std::uint64_t latest_ns = 0;
    for (const timeline::Thread& thread : timeline_.processes[process].threads)
        latest_ns = std::max(latest_ns, thread.to_ns);
    return latest_ns;
}

/// A process is of no interest any more once it has closed all it held: no look sees that close.
timeline::ThreadRef Lanes::reach(const model::Actor& actor, std::uint64_t at_ns) {
    Lane* lane = lane_of(actor);
    if (lane == nullptr) return {};
    append(*lane, {thread_at(*lane).to_ns, at_ns, Activity::kUnknown, {}, {}, {}, {}});
    return lane->where;
}

Lanes::Lane* Lanes::lane_of(const model::Actor& actor) {
    for (auto at = processes_.lower_bound({actor.pid, 0}); at != processes_.end(); ++at) {
        if (at->first.first != actor.pid) break;
        const auto found = lanes_.find({at->second, actor.tid, actor.start_ns});
        if (found != lanes_.end()) return &found->second;
    }
    return nullptr;
}

}  // namespace waitclose::replay
