// SPDX-License-Identifier: BSD-2-Clause
// Connections that no program has yet: they wait in the accept queue of a listener.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/acceptors.h"
#include "diagnose/chain.h"
#include "diagnose/families.h"
#include "diagnose/queue_words.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;
using model::Thread;

namespace {

/// What its acceptors do instead; where none is known, what its threads do, if they are few.
void add_activities(const Scene& scene, const Process& owner, Diagnosis& diagnosis) {
    constexpr std::size_t kShown = 4;
    const Roster& roster = scene.rosters.of(owner);
    const auto known = acceptors_of(scene, *scene.listener(), owner);
    for (std::size_t i = 0; i < std::min(known.size(), kShown); ++i)
        add_fact(diagnosis, "acceptor_activity", std::uint64_t{known[i]->tid},
                 fmt::format("{}, which takes connections from it, {} (counted, census)",
                             thread_text(*known[i]), activity_text(*known[i])));
    if (!known.empty() || roster.live() > kShown) return;
    for (const Thread& thread : roster.threads())
        if (is_live(thread))
            add_fact(diagnosis, "thread_activity", std::uint64_t{thread.tid},
                     fmt::format("{} {} (census)", thread_text(thread), activity_text(thread)));
}

void add_owner(const Scene& scene, const Process& owner, Diagnosis& diagnosis) {
    const Socket& listener = *scene.listener();
    const Roster& roster = scene.rosters.of(owner);
    const auto threads = threads_in_accept(scene, listener, owner);
    const std::string at_it = threads.empty() ? "none of them sleeps in accept() on it"
                                              : fmt::format("{} of them in accept() on it", threads.size());
    if (!roster.threads().empty())
        add_fact(diagnosis, "acceptors", threads.size(),
                 fmt::format("{} has {} live {}, {} (census)", process_text(owner), roster.live(),
                             roster.live() == 1 ? "thread" : "threads", at_it));
    add_activities(scene, owner, diagnosis);
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
    return fmt::format("{} processes, which share it", owners.size());
}

/// What one of several owners does about it: its acceptors where they are known, else its only thread.
std::string owner_activity(const Scene& scene, const Process& owner) {
    const Roster& roster = scene.rosters.of(owner);
    if (roster.threads().empty()) return "its threads could not be read";
    if (roster.exiting()) return "is exiting";
    if (roster.stopped()) return "is stopped";
    const auto at_it = threads_in_accept(scene, *scene.listener(), owner);
    if (!at_it.empty())
        return fmt::format("{} of its {} in accept() on it", at_it.size(),
                           roster.live() == 1 ? "1 thread" : fmt::format("{} threads", roster.live()));
    const auto known = acceptors_of(scene, *scene.listener(), owner);
    if (known.size() == 1)
        return fmt::format("{}, which takes connections from it, {}", thread_text(*known.front()),
                           activity_text(*known.front()));
    if (const Thread* only = roster.only()) return fmt::format("its only thread {}", activity_text(*only));
    return fmt::format("{} live threads, none of them in accept() on it", roster.live());
}

/// What each of several owners does, as far as there is room: none of them is singled out.
void add_owners(const Scene& scene, const std::vector<const Process*>& owners, Diagnosis& diagnosis) {
    constexpr std::size_t kShown = 8;
    for (std::size_t i = 0; i < std::min(owners.size(), kShown); ++i) {
        const Process& owner = *owners[i];
        const std::string files =
            owner.fds_used && owner.fd_limit
                ? fmt::format("; it uses {} of {} descriptors (/proc)", *owner.fds_used, *owner.fd_limit)
                : "";
        add_fact(diagnosis, "shares_listener", std::uint64_t{owner.pid},
                 fmt::format("{}: {} (census){}", process_text(owner), owner_activity(scene, owner), files));
    }
    if (owners.size() > kShown)
        add_fact(diagnosis, "more_share_listener", owners.size() - kShown,
                 fmt::format("and {} more processes share it (census)", owners.size() - kShown));
}

/// What the thread that should take it does instead; of one that is stopped, what it slept in means nothing.
void add_chain(const Scene& scene, const Who& who, Diagnosis& diagnosis) {
    if (who.thread && !is_stopped(*who.thread))
        diagnosis.because = chain_from(scene.census, *who.process, *who.thread).links;
}

void word_never_accepted(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Socket& listener = *scene.listener();
    const auto owners = processes_of(scene.census, listener);
    const std::string disability = disability_of(scene, owners);
    const std::string where = fmt::format("in the accept queue of port {} ({} of {})", listener.local.port,
                                          listener.backlog, listener.backlog_limit);
    const std::string owner = verdict.who.process ? verdict.who.process->comm : "any owner of the listener";
    diagnosis.summary = disability.empty() ? fmt::format("{}: it waits for {} to call accept(){}", where,
                                                         owner, pace_clause(scene.census, listener))
                        : owners.size() > 1
                            ? fmt::format("{}, because every one of the {} processes that share it is {}",
                                          where, owners.size(), disability)
                            : fmt::format("{}, because its owner {} is {}", where, owner, disability);
    add_fact(diagnosis, "accepted", false, "it has no file and sits in its listener's accept queue (census)");
    add_fact(diagnosis, "listener_owner", owners.size(),
             fmt::format("the listener on port {} is held by {} (census)", listener.local.port,
                         owners_text(owners)));
    add_fact(
        diagnosis, "backlog", std::uint64_t{listener.backlog},
        fmt::format("{} {} in that queue, its limit is {} (census)", listener.backlog,
                    listener.backlog == 1 ? "connection waits" : "connections wait", listener.backlog_limit));
    // Its stamps are set when it comes into the queue, and then by the peer alone.
    const std::uint64_t waits =
        std::max(scene.ago(scene.socket.oldest_sign_ns), scene.census.held_ns(scene.socket));
    add_fact(diagnosis, "queued_ns", waits,
             fmt::format("it waits in that queue for at least {} (census)", duration_text(waits)));
    add_queue_facts(scene.census, listener, diagnosis);
    if (!disability.empty())
        add_fact(
            diagnosis, "owner_state", disability.c_str(),
            owners.size() > 1
                ? fmt::format("every thread of the {} processes is {} (census)", owners.size(), disability)
                : fmt::format("every thread of {} is {} (census)", owners_text(owners), disability));
    if (owners.size() > 1) add_owners(scene, owners, diagnosis);
    if (owners.size() == 1)
        add_owner(scene, *owners.front(), diagnosis);
    else if (verdict.who.process)
        add_owner(scene, *verdict.who.process, diagnosis);
    add_chain(scene, verdict.who, diagnosis);
    if (disability.starts_with("stopped")) diagnosis.advice = advice_of(Cause::kStopped);
}

void word_fd_limit(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    word_never_accepted(scene, verdict, diagnosis);
    const Socket& listener = *scene.listener();
    const std::string where = fmt::format("in the accept queue of port {}", listener.local.port);
    const std::string failures = failures_clause(scene.census, listener);
    const Process* owner = verdict.who.process;
    const auto owners = processes_of(scene.census, listener);
    const bool full = owner ? is_out_of_descriptors(*owner) : all_out_of_descriptors(owners);
    if (!failures.empty())
        diagnosis.summary =
            fmt::format("{}: {} {}", where, owner ? "accept() of " + owner->comm : "accept()", failures);
    else if (full && !owner)
        diagnosis.summary = fmt::format(
            "{}: every one of the {} processes that share it has as many descriptors open as it "
            "may, so accept() fails",
            where, owners.size());
    else if (full)
        diagnosis.summary = fmt::format("{}: {} has {} descriptors open and may have {}, so accept() fails",
                                        where, owner->comm, *owner->fds_used, *owner->fd_limit);
    else
        diagnosis.summary =
            fmt::format("{}: the machine has as many files open as it may, so accept() fails", where);
    if (scene.census.accept.files && !full)
        add_fact(diagnosis, "files_open", scene.census.accept.files->used,
                 fmt::format("the machine has {} of {} files open (/proc/sys/fs/file-nr)",
                             scene.census.accept.files->used, scene.census.accept.files->limit));
}

void word_no_listener(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "no program has it, and the listener it waits at is not known";
    add_fact(diagnosis, "accepted", false, "it has no file (census)");
    add_fact(diagnosis, "listener_unknown", true,
             "no listener was found whose accept queue it sits in (census)");
}

void word_just_come(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const std::string held = duration_text(scene.census.held_ns(scene.socket));
    diagnosis.summary = fmt::format("it has come into the accept queue of port {} just now: too early to say",
                                    scene.listener()->local.port);
    add_fact(diagnosis, "accepted", false, "it has no file and sits in its listener's accept queue (census)");
    add_fact(diagnosis, "too_young", true,
             fmt::format("{} after the peer's FIN a healthy program may not have come to it (census)", held));
}

/// Held for a moment, and not in the queue for long either.
bool has_just_come(const Scene& scene) {
    return scene.census.held_ns(scene.socket) < kTooYoungNs &&
           scene.ago(scene.socket.oldest_sign_ns) < kTooYoungNs;
}

}  // namespace

std::optional<Verdict> accept_queue(const Scene& scene) {
    // A holder proves a file, whatever was read a moment earlier.
    if (scene.socket.has_file || !scene.processes.empty()) return std::nullopt;
    const Socket* listener = scene.listener();
    if (!listener) return Verdict{Cause::kUnknown, Confidence::kPossible, {}, word_no_listener};
    const auto owners = processes_of(scene.census, *listener);
    const bool disabled = !disability_of(scene, owners).empty();
    if (!disabled && has_just_come(scene))
        return Verdict{Cause::kUnknown, Confidence::kPossible, {}, word_just_come};
    if (const auto found = disabled ? std::nullopt : shortage(scene, *listener))
        return Verdict{Cause::kFdLimit, found->confidence, found->who, word_fd_limit};
    return Verdict{Cause::kNeverAccepted, Confidence::kProven, acceptor(scene, *listener),
                   word_never_accepted};
}

}  // namespace waitclose::diagnose
