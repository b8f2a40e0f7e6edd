// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/acceptors.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "diagnose/text.h"
#include "model/accept_history.h"

namespace waitclose::diagnose {

using model::AcceptCalls;
using model::Process;
using model::Socket;
using model::Thread;

namespace {

/// A program whose accept() has failed pauses before the next attempt: so long is no sign that there is none.
constexpr std::uint64_t kLongestPauseNs = model::AcceptHistory::kLeastWindowNs;

void add_once(std::vector<const Thread*>& threads, const Thread* thread) {
    if (thread && std::ranges::find(threads, thread) == threads.end()) threads.push_back(thread);
}

/// The calls counted on a listener.
auto calls_on(const Scene& scene, const Socket& listener) {
    const auto index = static_cast<std::int32_t>(&listener - scene.census.listeners.data());
    return std::ranges::equal_range(scene.census.accept.calls, index, {}, &AcceptCalls::listener);
}

/// The live thread that made the calls; null when it has gone.
const Thread* caller_of(const Scene& scene, const Process& process, const AcceptCalls& calls) {
    if (calls.pid != process.pid) return nullptr;
    model::Actor actor;
    actor.tid = calls.tid;
    actor.start_ns = calls.thread_start_ns;
    const Thread* thread = scene.rosters.of(process).find(actor);
    return thread && is_live(*thread) ? thread : nullptr;
}

bool fails_lately(const AcceptCalls& calls, const Process& owner) {
    const bool for_want_of_files = calls.error == EMFILE || calls.error == ENFILE;
    return for_want_of_files && calls.recent.value_or(0) > 0 && calls.pid == owner.pid &&
           calls.thread_start_ns >= owner.start_ns;
}

/// The owners whose calls failed lately for want of files.
std::vector<const Process*> failing_owners(const Scene& scene, const Socket& listener) {
    auto owners = processes_of(scene.census, listener);
    std::erase_if(owners, [&](const Process* owner) {
        return std::ranges::none_of(calls_on(scene, listener),
                                    [&](const AcceptCalls& calls) { return fails_lately(calls, *owner); });
    });
    return owners;
}

/// The only one of them, and its only thread that fails.
Who who_fails(const Scene& scene, const Socket& listener, const std::vector<const Process*>& failing) {
    Who who;
    who.doubt = failing.empty() ? Doubt::kNoHolder : Doubt::kSeveralOwners;
    if (failing.size() != 1) return who;
    who.process = failing.front();
    who.doubt = Doubt::kNoAcceptor;
    std::vector<const Thread*> threads;
    for (const AcceptCalls& calls : calls_on(scene, listener))
        if (fails_lately(calls, *who.process)) add_once(threads, caller_of(scene, *who.process, calls));
    if (threads.size() != 1) return who;
    who.thread = threads.front();
    who.basis = Basis::kAcceptor;
    who.doubt = Doubt::kNone;
    return who;
}

bool is_file_table_full(const model::AcceptSide& side) {
    return side.files && side.files->used >= side.files->limit;
}

/// The kernel counts files by CPU and adds up exactly only when it is about to refuse one: what it shows may
/// lag a little.
bool is_file_table_nearly_full(const model::AcceptSide& side) {
    return side.files && side.files->used >= side.files->limit - side.files->limit / 64;
}

/// accept() failed while the first of the queue was waiting, gave nobody anything since, and would fail now.
bool is_proven(const Scene& scene, const Socket& listener, const model::AcceptPace& pace,
               const std::vector<const Process*>& failing) {
    const auto index = static_cast<std::size_t>(&listener - scene.census.listeners.data());
    const model::AcceptSide& side = scene.census.accept;
    const auto since = index < side.queues.size() ? side.queues[index].oldest_since_ns : std::nullopt;
    if (!since || pace.taken.recent > 0 || pace.out_of_files().last_ns < *since) return false;
    const bool machine = pace.failed.contains(ENFILE) && is_file_table_nearly_full(side);
    return machine || all_out_of_descriptors(failing);
}

/// It runs, waits for work, or sleeps so shortly that this may be the pause between two attempts.
bool may_call_accept(const Scene& scene, const Thread& thread) {
    if (!is_live(thread) || is_stopped(thread)) return false;
    if (!thread.syscall || waits_for_work(thread)) return true;
    return thread.asleep_since_ns && scene.ago(*thread.asleep_since_ns) < kLongestPauseNs;
}

/// Its last attempt, maybe before the window, failed.
bool last_failed(const model::AcceptPace& pace) {
    const model::Outcome failed = pace.out_of_files();
    return failed.total > 0 && failed.last_ns > pace.taken.last_ns;
}

/// Long enough counted, and accept() never failed: nobody asks.
bool nobody_asks(const model::AcceptSide& side, const model::AcceptPace& pace) {
    return side.counted && side.window_ns && *side.window_ns >= kLongestPauseNs && !last_failed(pace);
}

std::optional<Shortage> by_limits(const Scene& scene, const Socket& listener, const model::AcceptPace& pace) {
    const auto owners = processes_of(scene.census, listener);
    if (owners.empty() || nobody_asks(scene.census.accept, pace)) return std::nullopt;
    // Of several that share it each could take the connection.
    if (!all_out_of_descriptors(owners) && !is_file_table_full(scene.census.accept)) return std::nullopt;
    const bool asks =
        last_failed(pace) || std::ranges::any_of(owners, [&](const Process* owner) {
            return std::ranges::any_of(scene.rosters.of(*owner).threads(),
                                       [&](const Thread& one) { return may_call_accept(scene, one); });
        });
    if (!asks) return std::nullopt;
    return Shortage{Confidence::kLikely, pace.out_of_files(), acceptor(scene, listener)};
}

const Thread* a_traced_one(const Roster& roster) {
    for (const Thread& thread : roster.threads())
        if (thread.tracer_tid) return &thread;
    return nullptr;
}

}  // namespace

const Process* head_of(const std::vector<const Process*>& owners) {
    if (owners.size() < 2) return owners.empty() ? nullptr : owners.front();
    const Process& first = *owners.front();
    if (!first.exe ||
        !std::ranges::all_of(owners, [&](const Process* owner) { return owner->exe == first.exe; }))
        return nullptr;
    const auto is_parent = [&](const Process* parent) {
        return std::ranges::all_of(owners, [&](const Process* owner) {
            return owner == parent ||
                   (owner->parent_pid == parent->pid && owner->start_ns >= parent->start_ns);
        });
    };
    const auto found = std::ranges::find_if(owners, is_parent);
    return found == owners.end() ? nullptr : *found;
}

bool is_out_of_descriptors(const Process& process) {
    return process.fds_used && process.fd_limit && *process.fds_used >= *process.fd_limit;
}

bool all_out_of_descriptors(const std::vector<const Process*>& processes) {
    return !processes.empty() && std::ranges::all_of(processes, [](const Process* process) {
        return is_out_of_descriptors(*process);
    });
}

std::vector<const Thread*> threads_in_accept(const Scene& scene, const Socket& listener,
                                             const Process& process) {
    std::vector<const Thread*> threads;
    for (const model::Holder& holder : scene.census.holders_of(listener)) {
        if (&scene.census.process_of(holder) != &process) continue;
        for (const Sleeper& sleeper : scene.rosters.of(process).asleep_on(holder.fd))
            if (accepts(*sleeper.thread->syscall)) add_once(threads, sleeper.thread);
    }
    return threads;
}

std::vector<const Thread*> acceptors_of(const Scene& scene, const Socket& listener, const Process& process) {
    auto threads = threads_in_accept(scene, listener, process);
    for (const AcceptCalls& calls : calls_on(scene, listener))
        add_once(threads, caller_of(scene, process, calls));
    return threads;
}

Who acceptor(const Scene& scene, const Socket& listener) {
    Who who;
    const auto owners = processes_of(scene.census, listener);
    who.doubt = owners.empty() ? Doubt::kNoHolder : Doubt::kSeveralOwners;
    if (owners.size() != 1) return who;
    who.process = owners.front();
    const Roster& roster = scene.rosters.of(*who.process);
    who.thread = roster.only();
    for (const auto& threads :
         {threads_in_accept(scene, listener, *who.process), acceptors_of(scene, listener, *who.process)})
        if (!who.thread && threads.size() == 1) who.thread = threads.front();
    if (who.thread) {
        who.basis = Basis::kAcceptor;
        who.doubt = Doubt::kNone;
    } else {
        who.doubt = roster.threads().empty() ? Doubt::kThreadsUnread
                    : roster.exiting()       ? Doubt::kNoLiveThread
                                             : Doubt::kNoAcceptor;
    }
    return who;
}

std::optional<Shortage> shortage(const Scene& scene, const Socket& listener) {
    const auto index = static_cast<std::int32_t>(&listener - scene.census.listeners.data());
    const model::AcceptPace pace = model::pace_at(scene.census.accept, index);
    const model::Outcome failed = pace.out_of_files();
    if (failed.recent == 0 || pace.taken.last_ns > failed.last_ns) return by_limits(scene, listener, pace);
    const auto failing = failing_owners(scene, listener);
    const bool proven = is_proven(scene, listener, pace, failing);
    return Shortage{proven ? Confidence::kProven : Confidence::kLikely, failed,
                    who_fails(scene, listener, failing)};
}

std::string disability_of(const Scene& scene, const std::vector<const Process*>& owners) {
    const auto all = [&](bool (Roster::*state)() const) {
        return !owners.empty() && std::ranges::all_of(owners, [&](const Process* owner) {
            return (scene.rosters.of(*owner).*state)();
        });
    };
    if (all(&Roster::exiting)) return "exiting";
    if (!all(&Roster::stopped)) return "";
    const Thread* traced = a_traced_one(scene.rosters.of(*owners.front()));
    return traced ? fmt::format("stopped ({})", tracer_text(*traced)) : "stopped";
}

}  // namespace waitclose::diagnose
