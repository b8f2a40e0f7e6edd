// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/roster.h"

#include <algorithm>
#include <array>
#include <limits>

#include <sys/syscall.h>

#include "diagnose/collector.h"
#include "diagnose/families.h"
#include "model/provider.h"

namespace waitclose::diagnose {

using model::RunState;
using model::Thread;

namespace {

constexpr std::uint64_t kEndless = std::numeric_limits<std::uint64_t>::max();

/// It waits in a lock that nobody in particular owns, as idle workers of a runtime do.
bool is_parked(const Thread& thread) {
    return thread.syscall == static_cast<std::uint32_t>(SYS_futex) && !thread.lock_owner_tid;
}

/// The fourth argument of futex() is how long it waits; null is for ever.
bool is_parked_for_ever(const Thread& thread) {
    return is_parked(thread) && thread.arguments[3] == 0;
}

/// Since when it has waited in a lock that nobody in particular owns, as idle workers of a runtime do;
/// endless for any other thread.
std::uint64_t parked_since_ns(const Thread& thread) {
    return is_parked(thread) ? thread.asleep_since_ns.value_or(kEndless) : kEndless;
}

/// 0: it is awake, or that is not known.
std::uint64_t fell_asleep_ns(const Thread* thread) {
    return thread->asleep_since_ns.value_or(0);
}

/// Threads that a runtime keeps for itself, by the names it gives them: HotSpot, V8, libuv. None is ever
/// given a connection.
bool is_of_runtime(std::string_view name) {
    constexpr std::array<std::string_view, 14> kOwn{
        "VM Periodic Tas", "Common-Cleaner",  "Signal Dispatch", "Reference Handl", "Finalizer",
        "C1 CompilerThre", "C2 CompilerThre", "Service Thread",  "Monitor Deflati", "Notification Th",
        "Sweeper thread",  "Attach Listener", "V8Worker",        "libuv-worker"};
    return is_collector(name) || std::ranges::find(kOwn, name) != kOwn.end();
}

/// Both wait for work in the same pool, of which the one is idle as far as anybody can tell.
bool is_idle_mate(const Thread& thread, const Thread& handler) {
    const std::string_view stem = without_number(thread.comm);
    return is_parked(thread) && is_parked(handler) && !stem.empty() && thread.comm != handler.comm &&
           stem == without_number(handler.comm);
}

/// The earliest that the socket was used, as far as known, or that its peer hung up.
std::uint64_t used_ns(const model::Socket& socket) {
    std::uint64_t first = socket.held_since_ns;
    if (socket.last_data_ns)
        first = std::min(first, socket.last_data_ns - std::min(socket.last_data_ns, kStampErrorNs));
    if (!socket.touches) return first;
    for (const auto& deed : {socket.touches->opened, socket.touches->last, socket.touches->eof})
        if (deed) first = std::min(first, deed->at_ns);
    return first;
}

}  // namespace

std::string_view without_number(std::string_view name) {
    const auto is_letter = [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    };
    while (!name.empty() && !is_letter(name.back())) name.remove_suffix(1);
    return name;
}

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
    : threads_(census.threads_of(process)), threads_ended_(process.threads_ended) {
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

const std::vector<const Thread*>& Rosters::workers(const model::Process& process) {
    auto& workers = made_for(process).workers;
    if (!workers) {
        workers.emplace();
        for (const Thread& thread : census_.threads_of(process))
            if (is_live(thread) && is_at_work(thread) && !waits_for_orders(census_, process, thread))
                workers->push_back(&thread);
        std::ranges::stable_sort(*workers, {}, &fell_asleep_ns);
    }
    return *workers;
}

const Thread* Rosters::fell_asleep(const model::Process& process, std::uint64_t from_ns,
                                   std::uint64_t to_ns) {
    const auto& all = workers(process);
    const auto found =
        std::ranges::lower_bound(all, std::max(from_ns, std::uint64_t{1}), {}, &fell_asleep_ns);
    return found != all.end() && fell_asleep_ns(*found) <= to_ns ? *found : nullptr;
}

bool Rosters::works(const model::Process& process, std::uint64_t came_ns) {
    auto& since_ns = made_for(process).works_since_ns;
    if (!since_ns) {
        since_ns = 0;
        for (const Thread* thread : workers(process))
            since_ns = std::max(*since_ns, parked_since_ns(*thread));
    }
    return *since_ns > 0 && (came_ns < kStampErrorNs || *since_ns > came_ns - kStampErrorNs);
}

bool Rosters::works_since(const model::Process& process, std::uint64_t since_ns) {
    auto& awake_ns = made_for(process).awake_ns;
    if (!awake_ns) {
        awake_ns = 0;
        for (const Thread* thread : workers(process))
            awake_ns = std::max(*awake_ns, thread->asleep_since_ns.value_or(kEndless));
    }
    return *awake_ns > 0 && *awake_ns >= since_ns;
}

std::uint64_t Rosters::first_used_ns(const model::Process& process) {
    if (!first_used_ns_) {
        first_used_ns_.emplace(census_.processes.size(), kEndless);
        for (const model::Socket& socket : census_.sockets)
            for (const model::Holder& holder : census_.holders_of(socket)) {
                std::uint64_t& first = (*first_used_ns_)[holder.process];
                first = std::min(first, used_ns(socket));
            }
    }
    return (*first_used_ns_)[static_cast<std::size_t>(&process - census_.processes.data())];
}

const Rosters::Heirs& Rosters::heirs(const model::Process& process, const Thread* handler) {
    constexpr std::size_t kSome = 3;
    const auto [found, is_new] = made_for(process).heirs.try_emplace(handler);
    Heirs& heirs = found->second;
    if (!is_new) return heirs;
    const std::uint64_t used_ns = first_used_ns(process);
    for (const Thread* thread : workers(process)) {
        const bool idle =
            is_parked_for_ever(*thread) && thread->asleep_since_ns && *thread->asleep_since_ns < used_ns;
        const bool mate = handler && is_idle_mate(*thread, *handler);
        if (thread == handler || idle || mate || is_of_runtime(thread->comm) ||
            is_at_another(process, *thread))
            continue;
        heirs.awake_ns =
            std::max({heirs.awake_ns, thread->asleep_since_ns.value_or(kEndless), std::uint64_t{1}});
        if (heirs.count++ < kSome) heirs.some.push_back(thread);
    }
    return heirs;
}

bool Rosters::was_seen(const model::Process& process, const Thread& thread) {
    return last_seen_ns(process, thread) > 0;
}

bool Rosters::is_at_another(const model::Process& process, const Thread& thread) {
    const std::uint64_t seen_ns = last_seen_ns(process, thread);
    if (seen_ns == 0) return false;
    if (!thread.asleep_since_ns) return census_.taken_ns <= seen_ns + kHardlyAnswersNs;
    return *thread.asleep_since_ns + kStampErrorNs >= seen_ns &&
           *thread.asleep_since_ns <= seen_ns + kSameWorkNs;
}

std::uint64_t Rosters::last_seen_ns(const model::Process& process, const Thread& thread) {
    if (!seen_) {
        seen_.emplace();
        for (const model::Socket& socket : census_.sockets)
            if (socket.touches && socket.touches->last) {
                const model::Deed& deed = *socket.touches->last;
                seen_->emplace_back(deed.actor.pid, deed.actor.tid, deed.actor.start_ns, deed.at_ns);
            }
        std::ranges::sort(*seen_);
    }
    const std::tuple latest(process.pid, thread.tid, thread.start_ns, kEndless);
    const auto after = std::ranges::upper_bound(*seen_, latest);
    if (after == seen_->begin()) return 0;
    const auto& [pid, tid, start_ns, at_ns] = *(after - 1);
    return pid == process.pid && tid == thread.tid && start_ns == thread.start_ns ? at_ns : 0;
}

}  // namespace waitclose::diagnose
