// SPDX-License-Identifier: BSD-2-Clause
#include "model/provider.h"

#include <algorithm>
#include <set>
#include <span>

#include <sys/syscall.h>
#include <sys/wait.h>

#include "model/syscalls.h"

namespace waitclose::model {

namespace {

constexpr int kPidfd = 3;  // P_PIDFD of waitid(), since 5.4

/// In a process with more threads than this nobody looks for the one: thousands that wait for it would each
/// go through all of them.
constexpr std::size_t kMostThreads = 4096;

bool lives(const Thread& thread) {
    return !thread.exiting && thread.state != RunState::kZombie;
}

/// A thread that is stopped or frozen waits for whoever did that, not for what its system call waits for.
bool sleeps(const Thread& thread) {
    return lives(thread) && (thread.state == RunState::kSleeping || thread.state == RunState::kDiskSleep);
}

/// A wait with a timeout is part of no deadlock.
bool ends_by_itself(const Thread& thread) {
    return thread.polled && thread.polled->timeout_ns;
}

bool waits_for_child(const Thread& thread) {
    return thread.syscall == static_cast<std::uint32_t>(SYS_wait4) ||
           thread.syscall == static_cast<std::uint32_t>(SYS_waitid);
}

/// The one child that a wait4() or waitid() names; nothing when any of several would do.
std::optional<std::uint32_t> named_child(const Thread& thread) {
    const auto first = static_cast<std::int32_t>(static_cast<std::uint32_t>(thread.arguments[0]));
    if (thread.syscall == static_cast<std::uint32_t>(SYS_wait4))
        return first > 0 ? std::optional(static_cast<std::uint32_t>(first)) : std::nullopt;
    return first == P_PID ? std::optional(static_cast<std::uint32_t>(thread.arguments[1])) : std::nullopt;
}

/// A wait for some process group, or for a pidfd, may be for one child of many.
bool waits_for_some_children(const Thread& thread) {
    const auto first = static_cast<std::int32_t>(static_cast<std::uint32_t>(thread.arguments[0]));
    if (thread.syscall == static_cast<std::uint32_t>(SYS_wait4)) return first == 0 || first < -1;
    return first == P_PGID || first == kPidfd;
}

std::span<const Answer> answers_to(const Census& census, const Question& question) {
    const auto [begin, end] = std::ranges::equal_range(census.answers, question, {}, &Answer::question);
    return {begin, end};
}

const Process* process_of(const Census& census, const Answer& end) {
    return end.process == kNone ? nullptr : &census.processes[static_cast<std::size_t>(end.process)];
}

/// Collects who could end one wait.
class Search {
public:
    Search(const Census& census, const Process& process, const Thread& thread, const Question& question)
        : census_(census), process_(process), thread_(thread), all_(answers_to(census, question)) {}

    Provider at_the_other_end();
    Provider among_children();

private:
    bool is_own(const Answer& end) const {
        return end.pid == process_.pid && end.start_ns == process_.start_ns;
    }
    bool others_live_here() const;
    void add(const Answer& end);
    void name_thread();
    const Thread* asleep_on_it(std::span<const Thread> threads) const;
    bool has_no_other_references(std::span<const Thread> threads) const;

    const Census& census_;
    const Process& process_;
    const Thread& thread_;
    std::span<const Answer> all_;
    std::vector<const Answer*> fitting_;  // those on the side that is waited for
    Provider found_;
};

bool Search::others_live_here() const {
    return std::ranges::any_of(census_.threads_of(process_),
                               [&](const Thread& other) { return other.tid != thread_.tid && lives(other); });
}

void Search::add(const Answer& end) {
    // A thread that sleeps cannot provide what it waits for itself.
    if (is_own(end) && !others_live_here()) return;
    found_.within = found_.within || is_own(end);
    if (!found_.end || !found_.end->is_of_same_process(end)) ++found_.processes;
    found_.end = &end;
}

const Thread* Search::asleep_on_it(std::span<const Thread> threads) const {
    const Thread* only = nullptr;
    for (const Thread& one : threads) {
        if (one.tid == thread_.tid || !lives(one)) continue;
        const std::int32_t fd = uses_of(one)[0].fd;
        const bool on_it = fd >= 0 && std::ranges::any_of(fitting_, [&](const Answer* end) {
                               return end->fd == fd && end->is_of_same_process(*found_.end);
                           });
        if (!on_it) continue;
        if (only) return nullptr;
        only = &one;
    }
    return only;
}

/// Every reference to the open files is that of a descriptor found, or of a thread that sleeps on one: a
/// process with several threads takes one for the time of a system call. Others may be in a message that
/// passes a descriptor, in an io_uring, or in a process that cannot be seen from here.
bool Search::has_no_other_references(std::span<const Thread> threads) const {
    std::set<std::uint64_t> files;
    for (const Answer* end : fitting_) files.insert(end->file);
    for (const std::uint64_t file : files) {
        std::uint64_t known = 0;
        std::uint64_t references = 0;
        for (const Answer* end : fitting_) {
            if (end->file != file) continue;
            ++known;
            references = end->references;
            if (threads.size() > 1)
                known += static_cast<std::uint64_t>(std::ranges::count_if(
                    threads, [&](const Thread& one) { return uses_of(one)[0].fd == end->fd; }));
        }
        if (references > known) return false;
    }
    return true;
}

void Search::name_thread() {
    found_.process = process_of(census_, *found_.end);
    if (!found_.process) return;
    const auto threads = census_.threads_of(*found_.process);
    if (threads.size() > kMostThreads) return;
    const Thread* one = nullptr;
    std::size_t count = 0;
    for (const Thread& other : threads) {
        if (!lives(other) || (found_.process == &process_ && other.tid == thread_.tid)) continue;
        ++count;
        one = &other;
    }
    if (count == 1) {
        found_.thread = one;
        found_.only = !census_.nested && !ends_by_itself(thread_) &&
                      (found_.end->fd < 0 || has_no_other_references(threads));
        return;
    }
    if (found_.end->fd < 0) return;
    found_.thread = asleep_on_it(threads);
    if (found_.thread || !found_.end->last_touch) return;
    const Actor& last = *found_.end->last_touch;
    const auto seen = std::ranges::find_if(threads, [&](const Thread& other) {
        return other.tid == last.tid && other.start_ns == last.start_ns && lives(other) && &other != &thread_;
    });
    if (seen != threads.end()) found_.thread = &*seen;
}

Provider Search::at_the_other_end() {
    const bool reads = uses_of(thread_)[0].access == Access::kRead;
    std::set<std::uint64_t> files;
    std::uint32_t there_are = 0;
    for (const Answer& end : all_) {
        if (reads ? !end.writes : !end.reads) continue;
        fitting_.push_back(&end);
        files.insert(end.file);
        there_are = std::max(there_are, reads ? end.writers : end.readers);
    }
    for (const Answer* end : fitting_) add(*end);
    found_.hidden = files.size() < there_are;
    if (found_.processes != 1 || found_.hidden)
        found_.end = nullptr;
    else
        name_thread();
    return found_;
}

Provider Search::among_children() {
    const auto named = named_child(thread_);
    for (const Answer& child : all_)
        if (!named || thread_.foreign_ids || child.pid == *named) add(child);
    if (found_.processes != 1)
        found_.end = nullptr;
    else
        name_thread();
    // Who waits for some of its children is not known to wait for this one, unless there is no other.
    if (waits_for_some_children(thread_) && all_.size() != 1) found_ = {};
    return found_;
}

Provider owner_of_lock(const Census& census, const Process& process, const Thread& thread) {
    const auto threads = census.threads_of(process);
    const auto owner = std::ranges::find(threads, *thread.lock_owner_tid, &Thread::tid);
    if (owner == threads.end()) return {};
    // The fourth argument of futex() is how long it waits; null is for ever.
    return {.processes = 1, .process = &process, .thread = &*owner, .only = thread.arguments[3] == 0};
}

/// They all have slept since before the census was taken: it is one state of affairs, although they were
/// looked at one after the other.
bool is_deadlock(const Census& census, std::span<const Step> circle) {
    return std::ranges::all_of(circle, [&](const Step& step) {
        return step.next.only && step.thread->asleep_since_ns &&
               *step.thread->asleep_since_ns <= census.taken_ns;
    });
}

}  // namespace

std::optional<Question> question_of(const Process& process, const Thread& thread) {
    if (!thread.syscall || !sleeps(thread)) return std::nullopt;
    if (waits_for_child(thread)) return Question{Question::Kind::kChildren, process.pid};
    if (!thread.file || !thread.file->other_end) return std::nullopt;
    const auto uses = uses_of(thread);
    // splice() may wait for either of its two.
    if (uses[1].fd >= 0 || uses[0].access == Access::kOther) return std::nullopt;
    return Question{Question::Kind::kFile, thread.file->other_end};
}

Provider provider_of(const Census& census, const Process& process, const Thread& thread) {
    if (thread.lock_owner_tid && sleeps(thread)) return owner_of_lock(census, process, thread);
    const auto question = question_of(process, thread);
    if (!question) return {};
    Search search(census, process, thread, *question);
    return question->kind == Question::Kind::kChildren ? search.among_children() : search.at_the_other_end();
}

Steps follow_waits(const Census& census, const Process& process, const Thread& first) {
    Steps chain;
    Step step{&process, &first, {}};
    while (chain.steps.size() < kLongestChain) {
        step.next = provider_of(census, *step.process, *step.thread);
        chain.steps.push_back(step);
        if (!step.next.thread) return chain;
        const auto seen = std::ranges::find(chain.steps, step.next.thread, &Step::thread);
        if (seen != chain.steps.end()) {
            chain.end = ChainEnd::kReturns;
            chain.returns_to = static_cast<std::size_t>(seen - chain.steps.begin());
            chain.deadlock = is_deadlock(census, std::span(chain.steps).subspan(chain.returns_to));
            return chain;
        }
        step = {step.next.process, step.next.thread, {}};
    }
    chain.end = ChainEnd::kTooLong;
    return chain;
}

}  // namespace waitclose::model
