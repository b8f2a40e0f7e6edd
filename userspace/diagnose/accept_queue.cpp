// SPDX-License-Identifier: BSD-2-Clause
// Connections that no program has yet: they wait in the accept queue of a listener.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;
using model::Thread;

namespace {

std::vector<const Thread*> threads_in_accept(const Scene& scene, const Socket& listener,
                                             const Process& process) {
    std::vector<const Thread*> threads;
    for (const model::Holder& holder : scene.census.holders_of(listener)) {
        if (&scene.census.process_of(holder) != &process) continue;
        for (const Sleeper& sleeper : scene.rosters.of(process).asleep_on(holder.fd))
            if (accepts(*sleeper.thread->syscall)) threads.push_back(sleeper.thread);
    }
    return threads;
}

Who acceptor(const Scene& scene, const Socket& listener) {
    Who who;
    const auto owners = processes_of(scene.census, listener);
    who.doubt = owners.empty() ? Doubt::kNoHolder : Doubt::kSeveralOwners;
    if (owners.size() != 1) return who;
    who.process = owners.front();
    const Roster& roster = scene.rosters.of(*who.process);
    const auto threads = threads_in_accept(scene, listener, *who.process);
    who.thread = threads.size() == 1 ? threads.front() : roster.only();
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

std::uint32_t tracer_of(const Roster& roster) {
    for (const Thread& thread : roster.threads())
        if (thread.tracer_tid) return thread.tracer_tid;
    return 0;
}

// "stopped (traced by 991)", "exiting"; empty for an owner that could accept.
std::string disability_of(const Scene& scene, const std::vector<const Process*>& owners) {
    const auto all = [&](bool (Roster::*state)() const) {
        return !owners.empty() && std::ranges::all_of(owners, [&](const Process* owner) {
            return (scene.rosters.of(*owner).*state)();
        });
    };
    if (all(&Roster::exiting)) return "exiting";
    if (!all(&Roster::stopped)) return "";
    const std::uint32_t tracer = tracer_of(scene.rosters.of(*owners.front()));
    return tracer ? fmt::format("stopped (traced by {})", tracer) : "stopped";
}

void add_owner(const Scene& scene, const Process& owner, Diagnosis& diagnosis) {
    const Roster& roster = scene.rosters.of(owner);
    const auto threads = threads_in_accept(scene, *scene.listener(), owner);
    const std::string at_it = threads.empty() ? "none of them sleeps in accept() on it"
                                              : fmt::format("{} of them in accept() on it", threads.size());
    if (!roster.threads().empty())
        add_fact(diagnosis, "acceptors", threads.size(),
                 fmt::format("{} has {} live {}, {} (census)", process_text(owner), roster.live(),
                             roster.live() == 1 ? "thread" : "threads", at_it));
    if (owner.fds_used)
        add_fact(diagnosis, "fds_used", *owner.fds_used,
                 owner.fd_limit
                     ? fmt::format("{} uses {} of {} descriptors (/proc)", process_text(owner),
                                   *owner.fds_used, *owner.fd_limit)
                     : fmt::format("{} uses {} descriptors (/proc)", process_text(owner), *owner.fds_used));
}

std::string owners_text(const std::vector<const Process*>& owners) {
    if (owners.empty()) return "no process here";
    if (owners.size() == 1) return process_text(*owners.front());
    return fmt::format("{} processes, {} among them", owners.size(), process_text(*owners.front()));
}

void word_never_accepted(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Socket& listener = *scene.listener();
    const auto owners = processes_of(scene.census, listener);
    const std::string disability = disability_of(scene, owners);
    const std::string where = fmt::format("in the accept queue of port {} ({} of {})", listener.local.port,
                                          listener.backlog, listener.backlog_limit);
    const std::string owner = verdict.who.process ? verdict.who.process->comm : "any owner of the listener";
    diagnosis.summary = disability.empty()
                            ? fmt::format("{}: it waits for {} to call accept()", where, owner)
                            : fmt::format("{}, because its owner {} is {}", where, owner, disability);
    add_fact(diagnosis, "accepted", false, "it has no file and sits in its listener's accept queue (census)");
    add_fact(diagnosis, "listener_owner", owners.size(),
             fmt::format("the listener on port {} is held by {} (census)", listener.local.port,
                         owners_text(owners)));
    add_fact(
        diagnosis, "backlog", std::uint64_t{listener.backlog},
        fmt::format("{} {} in that queue, its limit is {} (census)", listener.backlog,
                    listener.backlog == 1 ? "connection waits" : "connections wait", listener.backlog_limit));
    if (!disability.empty())
        add_fact(diagnosis, "owner_state", disability.c_str(),
                 fmt::format("every thread of {} is {} (census)", owners_text(owners), disability));
    if (owners.size() == 1) add_owner(scene, *owners.front(), diagnosis);
}

bool is_out_of_descriptors(const Process& process) {
    return process.fds_used && process.fd_limit && *process.fds_used >= *process.fd_limit;
}

void word_fd_limit(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    word_never_accepted(scene, verdict, diagnosis);
    const Process& owner = *verdict.who.process;
    diagnosis.summary = fmt::format(
        "in the accept queue of port {}: {} has {} descriptors open and may have {}, so accept() fails",
        scene.listener()->local.port, owner.comm, *owner.fds_used, *owner.fd_limit);
}

void word_no_listener(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "no program has it, and the listener it waits at is not known";
    add_fact(diagnosis, "accepted", false, "it has no file (census)");
    add_fact(diagnosis, "listener_unknown", true,
             "no listener was found whose accept queue it sits in (census)");
}

}  // namespace

std::optional<Verdict> accept_queue(const Scene& scene) {
    // A holder proves a file, whatever was read a moment earlier.
    if (scene.socket.has_file || !scene.processes.empty()) return std::nullopt;
    const Socket* listener = scene.listener();
    if (!listener) return Verdict{Cause::kUnknown, Confidence::kPossible, {}, word_no_listener};
    const Who who = acceptor(scene, *listener);
    // That accept() fails is inferred: nobody counted its errors.
    if (who.process && is_out_of_descriptors(*who.process))
        return Verdict{Cause::kFdLimit, Confidence::kLikely, who, word_fd_limit};
    return Verdict{Cause::kNeverAccepted, Confidence::kProven, who, word_never_accepted};
}

}  // namespace waitclose::diagnose
