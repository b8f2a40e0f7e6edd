// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/collected.h"

#include <algorithm>

#include "kernel/records.h"
#include "kernel/resting.h"
#include "kernel/stack_records.h"
#include "model/syscalls.h"
#include "system/thread_facts.h"

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kMostKept = 4'000'000;  // stretches and samples: some 200 MB
constexpr std::size_t kMostThreads = 1 << 16;
constexpr std::size_t kMostStacks = 1 << 17;
constexpr std::size_t kMostSleeps = 1 << 18;
constexpr std::size_t kMostWakers = 1 << 16;
constexpr std::size_t kMostNames = 1 << 13;

template <typename Record>
const Record* as(const void* data, std::size_t size) {
    return size >= sizeof(Record) ? static_cast<const Record*>(data) : nullptr;
}

AtFirst at_first(const wc_resting& record) {
    if (sleeps(record)) return {model::Doing::kBlocked, model::kNowhere};
    if (record.on_cpu == WC_ON_CPU_YES) return {model::Doing::kRunning, model::kNowhere};
    if (record.state == 0 && record.on_cpu == WC_ON_CPU_NO) return {model::Doing::kRunnable, model::kNowhere};
    return {};
}

/// Whether it had no CPU since before the capture, for as long as is told.
bool rested(const Track& track, std::uint64_t at_ns) {
    if (!track.stretches.empty())
        return !track.stretches.front().left_ns && track.stretches.front().on_ns > at_ns;
    return track.first.doing == model::Doing::kBlocked && (!track.open || !track.open->left_ns);
}

}  // namespace

void Collected::add(const void* data, std::size_t size) {
    const auto* header = as<wc_header>(data, size);
    if (!header) return;
    ++records_;
    if (header->kind == WC_KIND_STRETCH) {
        if (const auto* record = as<wc_stretch>(data, size)) add(*record);
    } else if (header->kind == WC_KIND_SAMPLE) {
        if (const auto* record = as<wc_sample>(data, size)) add(*record);
    } else if (header->kind == WC_KIND_STACK && size >= offsetof(wc_stack, bytes)) {
        add_stack(*static_cast<const wc_stack*>(data), size);
    }
}

Collected::Thread* Collected::thread_of(const wc_actor& actor, std::uint64_t leader_start_ns) {
    if (!actor.tid || !actor.tgid) return nullptr;  // not visible in our PID namespace
    const ThreadKey key{actor.tid, actor.start_ns};
    const auto found = threads_.find(key);
    if (found == threads_.end() && threads_.size() >= kMostThreads) return nullptr;
    if (found == threads_.end() && processes_.emplace(actor.tgid, leader_start_ns).second)
        newcomers_.push_back({actor.tgid, leader_start_ns});
    Thread& thread = found == threads_.end() ? threads_[key] : found->second;
    thread.actor = actor;
    thread.leader_start_ns = leader_start_ns;
    return &thread;
}

void Collected::add(const wc_stretch& record) {
    Thread* thread = thread_of(record.thread, record.leader_start_ns);
    if (!thread || kept_ >= kMostKept) {
        ++dropped_;
        return;
    }
    ++kept_;
    thread->track.stretches.push_back(stretch_of(record, *thread));
}

void Collected::add(const wc_sample& record) {
    Thread* thread = thread_of(record.thread, record.leader_start_ns);
    if (!thread || kept_ >= kMostKept) {
        ++dropped_;
        return;
    }
    ++kept_;
    thread->samples.push_back({record.at_ns, stack_index(record.stack)});
}

void Collected::add_stack(const wc_stack& record, std::size_t size) {
    if (stack_ids_.contains(record.id)) return;
    if (auto stack = stack_of(record, size)) stack_ids_[record.id] = keep(std::move(*stack));
}

std::uint32_t Collected::keep(model::RawStack&& stack) {
    if (stacks_.size() >= kMostStacks) {
        ++cut_;
        return model::kNowhere;
    }
    if (stack.bytes.size() > bytes_left_) {
        ++cut_;
        stack.bytes.clear();
        stack.bytes.shrink_to_fit();
    }
    bytes_left_ -= stack.bytes.size();
    stacks_.push_back(std::move(stack));
    return static_cast<std::uint32_t>(stacks_.size() - 1);
}

std::uint32_t Collected::stack_index(std::uint64_t id) const {
    const auto found = stack_ids_.find(id);
    return found == stack_ids_.end() ? model::kNowhere : found->second;
}

Stretch Collected::stretch_of(const wc_stretch& record, Thread& thread) {
    Stretch stretch{.left_ns = record.left_ns,
                    .woken_ns = record.woken_ns,
                    .on_ns = record.on_ns,
                    .sequence = record.sequence,
                    .how = record.how,
                    .sleep = model::kNowhere,
                    .waker = waker_of(record.waker),
                    .switches = record.switches,
                    .missed = record.missed != 0};
    if (record.left_ns && record.how == WC_OFF_CPU_ASLEEP)
        stretch.sleep = sleep_of(record, stack_index(record.stack), thread);
    return stretch;
}

template <typename Record>
std::uint32_t Collected::sleep_of(const Record& record, std::uint32_t stack, Thread& thread) {
    SleepKey key{.pid = record.thread.tgid,
                 .syscall = record.syscall,
                 .arguments = {},
                 .inode = record.file.inode,
                 .file = record.file.address,
                 .in_iowait = record.in_iowait,
                 .stack = stack};
    std::copy(std::begin(record.arguments), std::end(record.arguments), key.arguments.begin());
    if (record.syscall == ~0U) key.arguments = {};
    if (thread.last_sleep == model::kNowhere || key != thread.last_key)
        thread.last_sleep = keep_sleep(key, kernel::thread_of(record));
    thread.last_key = key;
    return thread.last_sleep;
}

std::uint32_t Collected::keep_sleep(const SleepKey& key, const model::Thread& thread) {
    const auto found = sleep_keys_.find(key);
    if (found != sleep_keys_.end()) return found->second;
    if (sleeps_.size() >= kMostSleeps) return model::kNowhere;
    std::optional<model::FileFact> fact = thread.file;
    if (fact)
        fact->name = name_of(key.pid, static_cast<std::uint64_t>(model::uses_of(thread)[0].fd), fact->inode);
    const std::array<std::uint64_t, 4> none{};
    sleeps_.push_back({thread.syscall, thread.syscall ? thread.arguments : none, std::move(fact),
                       key.in_iowait != 0, key.stack});
    const auto index = static_cast<std::uint32_t>(sleeps_.size() - 1);
    sleep_keys_.emplace(key, index);
    return index;
}

/// Asked while the capture runs: afterwards the descriptor may be another file's.
const std::string& Collected::name_of(std::uint32_t pid, std::uint64_t fd, std::uint64_t inode) {
    static const std::string kNone;
    const FileKey key{pid, fd, inode};
    const auto found = names_.find(key);
    if (found != names_.end()) return found->second;
    if (names_.size() >= kMostNames) return kNone;
    return names_[key] = system::descriptor_name(pid, fd, inode);
}

std::uint32_t Collected::waker_of(const wc_actor& waker) {
    const auto actor = actor_of(waker);
    if (!actor) return model::kNowhere;
    const ThreadKey key{waker.tid, waker.start_ns};
    const auto found = waker_keys_.find(key);
    if (found != waker_keys_.end()) return found->second;
    if (wakers_.size() >= kMostWakers) return model::kNowhere;
    wakers_.push_back(*actor);
    const auto index = static_cast<std::uint32_t>(wakers_.size() - 1);
    waker_keys_.emplace(key, index);
    return index;
}

void Collected::add_first(const wc_resting& record) {
    Thread* thread = thread_of(record.thread, record.leader_start_ns);
    if (!thread) return;
    thread->ended = record.exit_state != 0;
    thread->track.first = at_first(record);
    thread->track.first.switches = record.switches;
    if (thread->track.first.doing == model::Doing::kBlocked)
        thread->track.first.sleep = sleep_of(record, thread->resting_stack, *thread);
}

void Collected::add_first(model::RawStack&& stack) {
    const auto found = threads_.find({stack.tid, stack.start_ns});
    if (found == threads_.end()) return;
    Thread& thread = found->second;
    thread.resting_stack = keep(std::move(stack));
    const std::uint32_t sleep = thread.track.first.sleep;
    if (sleep == model::kNowhere) return;
    // Ways of sleeping are shared, and this one is with its stack another.
    model::Sleep with_stack = sleeps_[sleep];
    with_stack.stack = thread.resting_stack;
    sleeps_.push_back(std::move(with_stack));
    thread.track.first.sleep = static_cast<std::uint32_t>(sleeps_.size() - 1);
}

bool Collected::lacks_resting_stack(const wc_resting& record) const {
    const auto found = threads_.find({record.thread.tid, record.thread.start_ns});
    if (found == threads_.end() || found->second.resting_stack != model::kNowhere) return false;
    const AtFirst& first = found->second.track.first;
    return first.doing == model::Doing::kBlocked && first.switches == record.switches && sleeps(record);
}

void Collected::add_open(const wc_stretch& record) {
    Thread* thread = thread_of(record.thread, record.leader_start_ns);
    if (thread) thread->track.open = stretch_of(record, *thread);
}

bool Collected::add_last(const wc_resting& record) {
    const auto found = threads_.find({record.thread.tid, record.thread.start_ns});
    if (found == threads_.end()) return false;
    Track& track = found->second.track;
    track.switches_at_end = record.switches;
    if (!track.open || track.open->switches != record.switches || !track.open->left_ns || !sleeps(record))
        return false;
    const std::uint32_t sleep = track.open->sleep;
    return sleep == model::kNowhere || sleeps_[sleep].stack == model::kNowhere;
}

void Collected::add_last(const wc_resting& record, model::RawStack&& stack) {
    const auto found = threads_.find({record.thread.tid, record.thread.start_ns});
    if (found == threads_.end() || !found->second.track.open || stack.moved) return;
    found->second.track.open->sleep = sleep_of(record, keep(std::move(stack)), found->second);
}

/// Those that are preferred and those that did most, when there are more.
std::vector<Collected::Thread*> Collected::chosen(std::uint32_t most) {
    std::vector<Thread*> all;
    for (auto& [key, thread] : threads_)
        if (!thread.ended) all.push_back(&thread);
    const auto preferred = [&](const Thread* thread) {
        return preferred_.contains({thread->actor.tgid, thread->actor.tid});
    };
    std::ranges::stable_sort(all, std::greater<>(), [&](const Thread* thread) {
        return std::pair(preferred(thread), thread->track.stretches.size() + thread->samples.size());
    });
    const std::size_t kept =
        std::max<std::size_t>(most, static_cast<std::size_t>(std::ranges::count_if(all, preferred)));
    if (all.size() > kept) {
        left_out_ = all.size() - kept;
        all.resize(kept);
    }
    std::ranges::sort(all, {},
                      [](const Thread* thread) { return std::pair(thread->actor.tgid, thread->actor.tid); });
    return all;
}

model::ThreadActivity Collected::activity_of(Thread& thread, const Ending& ending) const {
    Track& track = thread.track;
    const auto late = followed_from_.find(thread.actor.tgid);
    const std::uint64_t since = late == followed_from_.end() ? ending.from_ns : late->second;
    track.born_meanwhile = thread.actor.start_ns > since;
    track.from_ns = std::min(std::max(thread.actor.start_ns, since), ending.to_ns);
    track.to_ns = ending.to_ns;
    Course course = course_of(track, ending.watched);
    model::ThreadActivity activity;
    activity.pid = thread.actor.tgid;
    activity.process_start_ns = thread.leader_start_ns;
    activity.tid = thread.actor.tid;
    activity.start_ns = thread.actor.start_ns;
    activity.comm = actor_of(thread.actor).value_or(model::Actor{}).comm_text();
    activity.from_ns = track.from_ns;
    activity.to_ns = course.to_ns;
    activity.ended = course.ended;
    activity.intervals = std::move(course.intervals);
    for (const model::CpuSample& sample : thread.samples)
        if (sample.at_ns >= activity.from_ns && sample.at_ns < activity.to_ns)
            activity.samples.push_back(sample);
    if (thread.resting_stack != model::kNowhere && rested(track, stacks_[thread.resting_stack].at_ns))
        activity.resting_stack = thread.resting_stack;
    return activity;
}

model::Activity Collected::join(const Ending& ending) {
    model::Activity activity;
    activity.from_ns = ending.from_ns;
    activity.to_ns = ending.to_ns;
    for (Thread* thread : chosen(ending.max_threads))
        if (thread->actor.start_ns < ending.to_ns) activity.threads.push_back(activity_of(*thread, ending));
    activity.sleeps = std::move(sleeps_);
    activity.wakers = std::move(wakers_);
    activity.lost = dropped_;
    return activity;
}

}  // namespace waitclose::kernel
