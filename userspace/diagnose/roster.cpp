// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/roster.h"

#include <algorithm>
#include <limits>

#include <sys/syscall.h>

#include "diagnose/collector.h"
#include "model/provider.h"

namespace waitclose::diagnose {

using model::RunState;
using model::Thread;

namespace {

/// Since when it has waited in a lock that nobody in particular owns, as idle workers of a runtime do;
/// endless for any other thread.
std::uint64_t parked_since_ns(const Thread& thread) {
    constexpr std::uint64_t kNotParked = std::numeric_limits<std::uint64_t>::max();
    const bool parked = thread.syscall == static_cast<std::uint32_t>(SYS_futex) && !thread.lock_owner_tid;
    return parked ? thread.asleep_since_ns.value_or(kNotParked) : kNotParked;
}

}  // namespace

bool is_live(const Thread& thread) {
    return thread.state != RunState::kZombie && !thread.exiting;
}

bool is_stopped(const Thread& thread) {
    return thread.state == RunState::kStopped || thread.state == RunState::kTraced ||
           thread.state == RunState::kFrozen;
}

bool is_at_work(const Thread& thread) {
    return !waits_for_work(thread);
}

bool waits_for_orders(const model::Census& census, const model::Process& process, const Thread& thread) {
    if (!thread.syscall) return false;
    if (accepts(*thread.syscall)) return true;
    const bool by_pipe = thread.file && (thread.file->kind == model::FileKind::kPipe ||
                                         thread.file->kind == model::FileKind::kUnix);
    if (!by_pipe || uses_of(thread)[0].access != Access::kRead) return false;
    const model::Provider writer = model::provider_of(census, process, thread);
    return !writer.end || writer.within || writer.end->pid == process.parent_pid;
}

Roster::Roster(const model::Census& census, const model::Process& process)
    : threads_(census.threads_of(process)) {
    by_tid_.reserve(threads_.size());
    for (const Thread& thread : threads_) {
        by_tid_.emplace_back(thread.tid, &thread);
        if (thread.state != RunState::kZombie) ++not_zombies_;
        if (is_stopped(thread)) ++stopped_;
        if (!is_live(thread)) continue;
        ++live_;
        a_live_one_ = &thread;
        watches_ = watches_ || (thread.syscall && watches_descriptors(*thread.syscall));
        at_work_ = at_work_ || is_at_work(thread);
        has_collectors_ = has_collectors_ || is_collector(thread.comm);
        for (const Use& use : uses_of(thread))
            if (use.fd >= 0) sleepers_.push_back({use.fd, &thread, use.access});
    }
    std::ranges::sort(by_tid_);
    std::ranges::stable_sort(sleepers_, {}, &Sleeper::fd);
}

const Thread* Roster::find(const model::Actor& actor) const {
    // A census that lists a thread id twice saw it change hands: the start time picks the right one.
    for (auto at =
             std::ranges::lower_bound(by_tid_, actor.tid, {}, [](const auto& entry) { return entry.first; });
         at != by_tid_.end() && at->first == actor.tid; ++at)
        if (at->second->start_ns == actor.start_ns) return at->second;
    return nullptr;
}

std::span<const Sleeper> Roster::asleep_on(std::int32_t fd) const {
    const auto found = std::ranges::equal_range(sleepers_, fd, {}, &Sleeper::fd);
    return {found.begin(), found.end()};
}

Rosters::Made& Rosters::made_for(const model::Process& process) {
    return made_[static_cast<std::size_t>(&process - census_.processes.data())];
}

const Roster& Rosters::of(const model::Process& process) {
    auto& roster = made_for(process).roster;
    if (!roster) roster = std::make_unique<Roster>(census_, process);
    return *roster;
}

const std::vector<const Thread*>& Rosters::unseen_workers(const model::Process& process) {
    auto& workers = made_for(process).unseen_workers;
    if (!workers) {
        workers.emplace();
        for (const Thread& thread : census_.threads_of(process))
            if (is_live(thread) && is_at_work(thread) && !was_seen(process, thread))
                workers->push_back(&thread);
    }
    return *workers;
}

bool Rosters::works(const model::Process& process, std::uint64_t came_ns) {
    constexpr std::uint64_t kLateByNs = 30'000'000;  // how late a moment told by ticks may be
    auto& since_ns = made_for(process).works_since_ns;
    if (!since_ns) {
        since_ns = 0;
        for (const Thread& thread : census_.threads_of(process))
            if (is_live(thread) && is_at_work(thread) && !waits_for_orders(census_, process, thread))
                since_ns = std::max(*since_ns, parked_since_ns(thread));
    }
    return *since_ns > 0 && (came_ns < kLateByNs || *since_ns > came_ns - kLateByNs);
}

bool Rosters::was_seen(const model::Process& process, const Thread& thread) {
    if (!seen_) {
        seen_.emplace();
        for (const model::Socket& socket : census_.sockets)
            if (socket.touches && socket.touches->last) {
                const model::Actor& actor = socket.touches->last->actor;
                seen_->emplace_back(actor.pid, actor.tid, actor.start_ns);
            }
        std::ranges::sort(*seen_);
    }
    return std::ranges::binary_search(*seen_, std::tuple(process.pid, thread.tid, thread.start_ns));
}

}  // namespace waitclose::diagnose
