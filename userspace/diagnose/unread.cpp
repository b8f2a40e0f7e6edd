// SPDX-License-Identifier: BSD-2-Clause
// The program has not seen end-of-file: nobody has looked at the connection since the peer hung up.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/chain.h"
#include "diagnose/doors.h"
#include "diagnose/families.h"
#include "diagnose/text.h"
#include "diagnose/watched.h"

namespace waitclose::diagnose {

using model::Process;
using model::Role;
using model::Socket;
using model::Thread;

namespace {

/// Pools reap every few seconds, and a server that shuts down may take as long over its connections. Who has
/// not come by for longer than that has forgotten them. The rhythm of reapers and no request's work: that it
/// is as long as kMayAnswerNs is chance.
constexpr std::uint64_t kMayComeByNs = 10'000'000'000;
/// A pause this long before the FIN is no part of a conversation.
constexpr std::uint64_t kIdleNs = 100'000'000;

// The last thing that happened on the connection, or that it existed when nothing ever did; 0: not known.
std::uint64_t last_activity_ns(const Scene& scene) {
    const Socket& socket = scene.socket;
    const std::uint64_t touched = scene.last ? scene.last.deed->at_ns : 0;
    const std::uint64_t active = std::max({socket.last_data_ns, socket.last_sent_ns, touched});
    return active ? active : socket.oldest_sign_ns;
}

std::uint64_t idle_before_fin_ns(const Scene& scene) {
    const std::uint64_t active = last_activity_ns(scene);
    return active != 0 && active < scene.socket.held_since_ns ? scene.socket.held_since_ns - active : 0;
}

bool owes_no_answer(const Socket& socket) {
    return socket.last_sent_ns == 0 || socket.last_data_ns >= socket.last_sent_ns;
}

// Whether anything of what the peer had to say was ever read.
void add_request_read(const Socket& socket, Diagnosis& diagnosis) {
    const std::uint64_t sent = socket.received_bytes;
    if (sent == 0) return;
    const std::uint64_t read = sent > socket.unread_bytes ? sent - socket.unread_bytes : 0;
    const char* so = socket.role == Role::kServer   ? ", so not even its request"
                     : socket.role == Role::kClient ? ", so nothing of its answers"
                                                    : "";
    const std::string text =
        read == 0     ? fmt::format("none of the {} bytes that the peer sent was ever read{}", sent, so)
        : read < sent ? fmt::format("{} of the {} bytes that the peer sent were read", read, sent)
                      : fmt::format("all {} bytes that the peer sent were read", sent);
    add_fact(diagnosis, "request_read", read > 0, text + " (census)");
}

void add_unread(const Scene& scene, Diagnosis& diagnosis) {
    const Socket& socket = scene.socket;
    if (socket.fin_consumed)
        add_fact(diagnosis, "fin_with_data", true,
                 "one read took the peer's last data together with its FIN, and nobody has read since, so "
                 "the program "
                 "has not seen end-of-file (traced)");
    else
        add_fact(diagnosis, "fin_consumed", false,
                 "copied_seq has not passed the peer's FIN: it is unread (census)");
    add_fact(diagnosis, "unread_bytes", std::uint64_t{socket.unread_bytes},
             fmt::format("{} bytes of data are unread (census)", socket.unread_bytes));
    add_request_read(socket, diagnosis);
}

void add_activity(const Who& who, Diagnosis& diagnosis) {
    if (who.thread)
        add_fact(diagnosis, "activity", activity_text(*who.thread).c_str(),
                 fmt::format("{} {} (census)", thread_text(*who.thread), activity_text(*who.thread)));
}

void word_idle_in_pool(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const std::uint64_t idle_ns = idle_before_fin_ns(scene);
    diagnosis.summary = fmt::format(
        "{} keeps a connection to {} that the server has closed{}, and has not looked at it since",
        subject_text(verdict.who), service_text(scene.socket),
        idle_ns ? fmt::format(" after {} without traffic", duration_text(idle_ns)) : "");
    add_unread(scene, diagnosis);
    add_fact(diagnosis, "role", "client", "this side opened the connection (census)");
    if (idle_ns)
        add_fact(diagnosis, "idle_before_fin_ns", idle_ns,
                 fmt::format("nothing moved for {} before the FIN (census)", duration_text(idle_ns)));
    const bool no_answer_due = owes_no_answer(scene.socket);
    add_fact(diagnosis, "request_outstanding", !no_answer_due,
             no_answer_due ? "the last data came from the server: no request is outstanding (census)"
                           : "the last data went to the server: its answer may be outstanding (census)");
    add_activity(verdict.who, diagnosis);
    add_watches(scene, diagnosis);
}

void word_held_back(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary =
        "nobody watches it, maybe on purpose: its program has data to send elsewhere that nobody takes";
    add_unread(scene, diagnosis);
    add_watches(scene, diagnosis);
    add_held_back(scene, diagnosis);
}

/// Some thread of it has been awake since the connection was opened, as far as known.
bool may_have_it(const Scene& scene, const Process& process) {
    return !scene.opened || scene.rosters.works_since(process, scene.opened.deed->at_ns);
}

void word_abandoned(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Socket& socket = scene.socket;
    const std::string subject = subject_text(verdict.who);
    const std::string descriptors = descriptors_text(scene, verdict.who.process);
    const std::string held = (socket.precision == model::Precision::kExact ? "" : "at least ") +
                             duration_text(scene.census.held_ns(socket));
    if (socket.fin_consumed)
        diagnosis.summary = fmt::format("{} took the peer's last data and has not read {} again in {}",
                                        subject, descriptors, held);
    else
        diagnosis.summary = fmt::format(
            "{} has left {}the peer's FIN unread on {} for {}", subject,
            socket.unread_bytes ? fmt::format("{} bytes and ", socket.unread_bytes) : "", descriptors, held);
    add_unread(scene, diagnosis);
    add_fact(diagnosis, "asleep_on_it", false, "no thread sleeps in a system call on it (census)");
    add_watches(scene, diagnosis);
    for (const Process* process : scene.processes)
        if (scene.socket.watching == model::Watching::kUnknown && scene.rosters.of(*process).watches())
            add_fact(
                diagnosis, "may_be_watched", true,
                fmt::format("a thread of {} sleeps in epoll, poll or select, which may watch it (census)",
                            process_text(*process)));
    add_waits_elsewhere(scene, diagnosis);
    const Process* process = verdict.who.process;
    if (!verdict.who.thread && process && scene.rosters.of(*process).at_work() &&
        may_have_it(scene, *process))
        add_fact(diagnosis, "may_be_handled", true,
                 fmt::format("threads of {} run, or sleep in what is no wait for work: one of them may be "
                             "handling it (census)",
                             process_text(*process)));
    add_handed_on(scene, diagnosis);
    add_activity(verdict.who, diagnosis);
}

void word_may_be_handling(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const Thread& thread = *scene.who.thread;
    diagnosis.summary =
        fmt::format("thread {} {}: it may still be handling it", thread.comm, activity_text(thread));
    add_unread(scene, diagnosis);
    add_fact(diagnosis, "may_be_handled", true,
             fmt::format("{} {}, so it may still be handling it (census)", thread_text(thread),
                         activity_text(thread)));
}

/// "p20 (pid 20), p21 (pid 21)": of those who may have it, whose threads have been awake since it was there,
/// or have not.
std::string names_of_workers(const Scene& scene, bool awake) {
    std::string names;
    for (const Process* process : scene.processes)
        if (scene.rosters.works(*process, scene.socket.last_data_ns) &&
            may_have_it(scene, *process) == awake && (!scene.who.process || process == scene.who.process))
            names += fmt::format("{}{}", names.empty() ? "" : ", ", process_text(*process));
    return names;
}

void word_some_may_handle(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const std::string awake = names_of_workers(scene, true);
    const std::string asleep = names_of_workers(scene, false);
    const Worker sleeper = sleeper_since_data(scene);
    if (sleeper) {
        Chain chain = chain_from(scene.census, *sleeper.process, *sleeper.thread);
        diagnosis.summary = fmt::format(
            "nobody has read it since the peer's FIN, but thread {} {}, ever since the last data "
            "came{}: it may be handling it",
            sleeper.thread->comm, activity_text(*sleeper.thread), end_of_chain_text(chain));
        diagnosis.because = std::move(chain.links);
    } else {
        diagnosis.summary =
            awake.empty()
                ? "nobody has read it since the peer's FIN, but a thread that has slept since before "
                  "the connection may yet come by"
                : "nobody has read it since the peer's FIN, but threads are in the middle of "
                  "something, and one of them may be handling it";
    }
    add_unread(scene, diagnosis);
    const std::string given = scene.who.thread
                                  ? fmt::format("{}, which had the connection, may have handed it on",
                                                thread_text(*scene.who.thread))
                                  : std::string("which thread had the connection was not seen");
    if (!awake.empty())
        add_fact(diagnosis, "may_be_handled", true,
                 fmt::format("threads of {} run, or sleep in what is no wait for work, and {}: one of them "
                             "may be handling it (census)",
                             awake, given));
    if (!asleep.empty())
        add_fact(diagnosis, "may_come_by", true,
                 fmt::format("all threads of {} that are not idle have slept since before the connection was "
                             "opened: they may come by when they wake (census)",
                             asleep));
    if (sleeper)
        add_fact(diagnosis, "asleep_since_data", true,
                 fmt::format("{} {}, ever since the connection's last data came (census)",
                             thread_text(*sleeper.thread), activity_text(*sleeper.thread)));
    add_handed_on(scene, diagnosis);
    advise_to_watch(scene, diagnosis);
}

void word_somebody_on_it(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const Thread& thread = *scene.sleepers.front().thread;
    diagnosis.summary = fmt::format("thread {} {}, which is this socket", thread.comm, activity_text(thread));
    add_unread(scene, diagnosis);
    add_fact(
        diagnosis, "asleep_on_it", true,
        fmt::format(
            "{} {} (census){}", thread_text(thread), activity_text(thread),
            scene.reading_from_it()
                ? "; the FIN wakes a reader, so it went to sleep before, or on another file that had this "
                  "number"
                : ""));
}

void word_may_come_by(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const std::string held = duration_text(scene.census.held_ns(scene.socket));
    diagnosis.summary = fmt::format("nobody has looked at it since the peer's FIN, known for {} only", held);
    add_unread(scene, diagnosis);
    add_fact(diagnosis, "may_be_reaped", true,
             fmt::format("{} after the FIN, a pool that reaps its connections, or a server that lets go of "
                         "one after the other, may still come by (census)",
                         held));
    add_activity(verdict.who, diagnosis);
}

Verdict still_handling(const Scene& scene) {
    Who who = scene.who;
    if (who.basis == Basis::kOpened) {
        who.thread = nullptr;
        who.basis = Basis::kProcess;
        who.doubt = Doubt::kMayHaveHandedOver;
    }
    return {Cause::kUnknown, Confidence::kPossible, who, word_may_be_handling};
}

Verdict idle_in_pool(const Scene& scene, bool busy) {
    const Socket& socket = scene.socket;
    const bool quiet = socket.unread_bytes == 0 && !socket.fin_consumed && owes_no_answer(socket);
    const bool measured = socket.precision == model::Precision::kExact && socket.unsent_bytes == 0 &&
                          idle_before_fin_ns(scene) >= kIdleNs;
    const Confidence confidence = busy || !quiet ? Confidence::kPossible
                                  : measured     ? Confidence::kProven
                                                 : Confidence::kLikely;
    return {Cause::kIdleInPool, confidence, scene.who, word_idle_in_pool};
}

// An event loop may hold back on purpose and ask again later, or do in pieces, between other connections,
// what this one waits for: then no thread shows it.
Confidence abandoned_confidence(const Scene& scene) {
    const bool by_loop = std::ranges::any_of(
        scene.processes, [&](const Process* process) { return scene.rosters.of(*process).watches(); });
    const bool any_of_several =
        !scene.who.thread && (!scene.who.process || scene.rosters.of(*scene.who.process).live() > 1);
    if (some_wait_elsewhere(scene) || may_be_handed_on(scene)) return Confidence::kPossible;
    const std::uint64_t held_ns = scene.census.held_ns(scene.socket);
    const bool measured = nobody_watches(scene) && all_idle(scene) && scene.only_process();
    if (by_loop) return measured && held_ns >= kHardlyAnswersNs ? Confidence::kLikely : Confidence::kPossible;
    if (measured && held_ns >= kHardlyAnswersNs && scene.socket.unread_bytes == 0) return Confidence::kProven;
    const bool settled = measured && held_ns >= kMayAnswerNs;
    return any_of_several && !settled ? Confidence::kPossible : Confidence::kLikely;
}

Who who_has_it(const Scene& scene) {
    return may_be_handed_on(scene) ? without_thread(scene.who) : scene.who;
}

Verdict abandoned(const Scene& scene) {
    if (held_back(scene)) return {Cause::kUnknown, Confidence::kPossible, scene.who, word_held_back};
    if (some_may_handle(scene))
        return {Cause::kUnknown, Confidence::kPossible, who_has_it(scene), word_some_may_handle};
    return {Cause::kAbandoned, abandoned_confidence(scene), who_has_it(scene), word_abandoned};
}

}  // namespace

bool some_may_handle(const Scene& scene) {
    // Who read it last, and is idle now, may have given what it read to another thread.
    const bool is_only = scene.who.thread && scene.who.basis == Basis::kOnlyThread;
    if (sleeper_since_data(scene)) return true;
    return !is_only && scene.census.held_ns(scene.socket) < kHardlyAnswersNs && some_work(scene);
}

void advise_to_watch(const Scene& scene, Diagnosis& diagnosis) {
    if (!scene.census.traced) diagnosis.advice = "Watch from before the FIN to see whose connection it is.";
}

Worker sleeper_since_data(const Scene& scene) {
    const std::uint64_t came_ns = scene.socket.last_data_ns;
    if (scene.who.thread || scene.last || came_ns == 0 || scene.socket.role == Role::kClient) return {};
    const std::uint64_t from_ns = came_ns - std::min(came_ns, kStampErrorNs);
    for (const Process* process : scene.processes)
        if (const Thread* thread = scene.rosters.fell_asleep(*process, from_ns, came_ns + kSameWorkNs))
            return {process, thread};
    return {};
}

bool some_work(const Scene& scene) {
    if (scene.who.process) return scene.rosters.works(*scene.who.process, scene.socket.last_data_ns);
    return std::ranges::any_of(scene.processes, [&](const Process* process) {
        return scene.rosters.works(*process, scene.socket.last_data_ns);
    });
}

std::optional<Verdict> unread(const Scene& scene) {
    if (!scene.sleepers.empty())
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_somebody_on_it};
    if (scene.census.held_ns(scene.socket) < kMayComeByNs)
        return Verdict{Cause::kUnknown, Confidence::kPossible, who_has_it(scene), word_may_come_by};
    const bool busy = scene.who.thread && is_at_work(*scene.who.thread);
    const Socket& socket = scene.socket;
    if (socket.role == Role::kClient) {
        // A client does other work while its pool keeps a connection; with an answer due, or data to read,
        // that work may be part of the exchange.
        const bool exchange_open = socket.unread_bytes > 0 || socket.fin_consumed || !owes_no_answer(socket);
        return busy && exchange_open ? still_handling(scene) : idle_in_pool(scene, busy);
    }
    return busy ? still_handling(scene) : abandoned(scene);
}

}  // namespace waitclose::diagnose
