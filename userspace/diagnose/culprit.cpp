// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/culprit.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Thread;

namespace {

// A read of a socket whose peer has hung up returns at once. A thread that sleeps in one sleeps on the file
// its descriptor number meant before, or went to sleep before the FIN: nobody to name.
bool names_somebody(const Sleeper& sleeper) {
    return sleeper.access != Access::kRead;
}

const Process* only_process_at_it(const Scene& scene) {
    const Process* found = nullptr;
    for (const Sleeper& sleeper : scene.sleepers) {
        if (!names_somebody(sleeper)) continue;
        const Process* process = process_of(scene, *sleeper.thread);
        if (found && process != found) return nullptr;
        found = process;
    }
    return found;
}

// Who is older than the socket can have opened it; who is younger was given it.
const Process* only_older_process(const Scene& scene) {
    const Process* found = nullptr;
    for (const Process* process : scene.processes) {
        if (process->start_ns == 0) return nullptr;
        if (process->start_ns > scene.socket.oldest_sign_ns) continue;
        if (found) return nullptr;
        found = process;
    }
    return found;
}

const Process* responsible(const Scene& scene) {
    if (scene.processes.size() < 2) return scene.only_process();
    if (const Process* process = only_process_at_it(scene)) return process;
    for (const Seen* seen : {&scene.last, &scene.eof, &scene.opened})
        if (seen->process) return seen->process;
    return only_older_process(scene);
}

std::vector<const Thread*> threads_at_it(const Scene& scene, const Process& process) {
    std::vector<const Thread*> threads;
    for (const Sleeper& sleeper : scene.sleepers)
        if (names_somebody(sleeper) && process_of(scene, *sleeper.thread) == &process &&
            std::ranges::find(threads, sleeper.thread) == threads.end())
            threads.push_back(sleeper.thread);
    return threads;
}

bool by_one_at_it(Who& who, const Scene& scene) {
    if (scene.sleepers.empty()) return false;
    const auto threads = threads_at_it(scene, *who.process);
    if (threads.empty()) return false;
    who.basis = Basis::kBlockedOnIt;
    if (threads.size() == 1)
        who.thread = threads.front();
    else if (std::ranges::find(threads, scene.last.thread) != threads.end())
        who.thread = scene.last.thread;
    else
        who.doubt = Doubt::kSeveralBlocked;
    return true;
}

// A thread that used the socket last and has exited leaves nobody to name: whoever accepted the connection
// had handed it over.
bool by_deed(Who& who, const Scene& scene) {
    const auto names = [&](const Seen& seen, Basis basis) {
        if (!seen || seen.process != who.process) return false;
        who.deed = seen.deed;
        who.thread = seen.thread;
        who.basis = basis;
        who.doubt = seen.thread ? Doubt::kNone : Doubt::kThreadExited;
        return true;
    };
    if (names(scene.eof, Basis::kReadEof) && who.thread) return true;
    if (names(scene.last, Basis::kLastTouch)) return true;
    if (who.deed) return true;
    if (!names(scene.opened, Basis::kOpened)) return false;
    // Acceptors hand connections to workers: with others at work, having accepted it accuses nobody.
    const Roster& roster = scene.rosters.of(*who.process);
    if (who.thread && !is_at_work(*who.thread) && roster.at_work()) {
        who.thread = nullptr;
        who.doubt = Doubt::kMayHaveHandedOver;
    }
    return true;
}

void by_elimination(Who& who, const Roster& roster) {
    who.thread = roster.only_ever();
    who.basis = Basis::kOnlyThread;
    if (who.thread) return;
    who.doubt = roster.only()   ? Doubt::kOthersEnded
                : roster.live() ? Doubt::kManyThreads
                                : Doubt::kNoLiveThread;
}

}  // namespace

Who find_culprit(const Scene& scene) {
    Who who;
    if (scene.processes.empty()) {
        who.doubt = Doubt::kNoHolder;
        return who;
    }
    who.process = responsible(scene);
    who.doubt = who.process ? Doubt::kNone : Doubt::kSeveralProcesses;
    if (!who.process) return who;
    const Roster& roster = scene.rosters.of(*who.process);
    if (roster.threads().empty())
        who.doubt = Doubt::kThreadsUnread;
    else if (!by_one_at_it(who, scene) && !by_deed(who, scene))
        by_elimination(who, roster);
    if (!who.thread) who.basis = Basis::kProcess;
    return who;
}

std::optional<Culprit> culprit_of(const Who& who) {
    if (!who.process) return std::nullopt;
    Culprit culprit{who.process->pid, std::nullopt, who.process->comm, who.basis};
    if (who.thread) {
        culprit.tid = who.thread->tid;
        culprit.comm = who.thread->comm;
    }
    return culprit;
}

namespace {

const char* verb_of(model::Operation operation) {
    switch (operation) {
    case model::Operation::kRead: return "read it";
    case model::Operation::kWrite: return "wrote to it";
    case model::Operation::kAccept: return "accepted it";
    case model::Operation::kConnect: return "connected it";
    case model::Operation::kNone: break;
    }
    return "used it";
}

void explain_named(const Scene& scene, const Who& who, Diagnosis& diagnosis) {
    const std::string thread = thread_text(*who.thread);
    const std::string ago = who.deed ? duration_text(scene.ago(who.deed->at_ns)) : "";
    switch (who.basis) {
    case Basis::kReadEof: {
        // Where the cause has said so already it need not be said twice.
        const bool is_said =
            std::ranges::find(diagnosis.evidence, "eof_read", &Evidence::fact) != diagnosis.evidence.end();
        add_fact(diagnosis, "named_by", "read-eof",
                 is_said ? fmt::format("{} is named for that read (traced)", thread)
                         : fmt::format("{} read end-of-file {} ago (traced)", thread, ago));
        break;
    }
    case Basis::kLastTouch:
        add_fact(diagnosis, "named_by", "last-touch",
                 fmt::format("{} {} last, {} ago (traced)", thread, verb_of(who.deed->operation), ago));
        break;
    case Basis::kOpened:
        add_fact(diagnosis, "named_by", "opened",
                 fmt::format("{} {} {} ago, and nobody else was seen with it (traced)", thread,
                             verb_of(who.deed->operation), ago));
        break;
    case Basis::kBlockedOnIt:
        add_fact(diagnosis, "named_by", "blocked-on-it",
                 fmt::format("{} {}, which is this socket (census)", thread, activity_text(*who.thread)));
        break;
    case Basis::kOnlyThread:
        add_fact(diagnosis, "named_by", "only-thread",
                 fmt::format("{} is the only thread that {} ever had (census)", thread,
                             process_text(*who.process)));
        break;
    case Basis::kAcceptor:
        add_fact(diagnosis, "named_by", "acceptor",
                 fmt::format("{} is the one to call accept(); it {} (census)", thread,
                             activity_text(*who.thread)));
        break;
    case Basis::kProcess: break;
    }
}

std::string others_ended_text(const Scene& scene, const Who& who) {
    const bool known = scene.rosters.of(*who.process).threads_ended().has_value();
    return fmt::format("{} has one thread, but {} (census)", process_text(*who.process),
                       known ? "others of it have ended, and one of them may have handled it"
                             : "whether others of it have ended is not known");
}

std::string thread_doubt_text(const Scene& scene, const Who& who) {
    const std::string process = process_text(*who.process);
    switch (who.doubt) {
    case Doubt::kThreadsUnread:
        return fmt::format("the threads of {} could not be read: it went away between two looks", process);
    case Doubt::kThreadExited:
        return fmt::format("{} {} last, {} ago (traced), and has exited since", actor_text(who.deed->actor),
                           verb_of(who.deed->operation), duration_text(scene.ago(who.deed->at_ns)));
    case Doubt::kMayHaveHandedOver:
        return fmt::format("{} {} {} ago (traced); whether it still handles it is not known",
                           actor_text(who.deed->actor), verb_of(who.deed->operation),
                           duration_text(scene.ago(who.deed->at_ns)));
    case Doubt::kSeveralBlocked:
        return fmt::format("several threads of {} are in a system call on it", process);
    case Doubt::kNoAcceptor:
        return fmt::format("{} has {} live threads, and not exactly one of them waits in accept()", process,
                           scene.rosters.of(*who.process).live());
    case Doubt::kOthersEnded: return others_ended_text(scene, who);
    case Doubt::kNoLiveThread: return fmt::format("every thread of {} has begun to exit", process);
    default: break;
    }
    return fmt::format("{} has {} threads and {}", process, scene.rosters.of(*who.process).live(),
                       scene.census.traced ? "none of them was seen with it: that was before tracing began"
                                           : "nothing was traced, so which of them handled it is not known");
}

}  // namespace

void explain_culprit(const Scene& scene, const Who& who, Diagnosis& diagnosis) {
    if (who.doubt == Doubt::kNotAsked || who.doubt == Doubt::kNoHolder) return;
    if (who.thread) return explain_named(scene, who, diagnosis);
    if (who.process) {
        add_fact(diagnosis, "thread_unknown", true, thread_doubt_text(scene, who));
        return;
    }
    add_fact(diagnosis, "process_unknown", true,
             who.doubt == Doubt::kSeveralOwners
                 ? "several processes share the listener, and any of them may call accept()"
                 : fmt::format("{} processes hold it, and nothing shows which of them opened or used it",
                               scene.processes.size()));
}

}  // namespace waitclose::diagnose
