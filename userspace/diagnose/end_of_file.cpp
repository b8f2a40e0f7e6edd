// SPDX-License-Identifier: BSD-2-Clause
// The program has read end-of-file, and that says: the peer is done, close it.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/chain.h"
#include "diagnose/doors.h"
#include "diagnose/families.h"
#include "diagnose/text.h"
#include "diagnose/watched.h"
#include "model/syscalls.h"

namespace waitclose::diagnose {

using model::Thread;

namespace {

void add_fin_consumed(Diagnosis& diagnosis) {
    add_fact(diagnosis, "fin_consumed", true, "copied_seq has passed the peer's FIN (census)");
}

void add_received_data(const Scene& scene, Diagnosis& diagnosis) {
    if (!scene.socket.received_data) return;
    add_fact(
        diagnosis, "received_data", true,
        "the peer had sent data, too: one read may have taken the FIN together with it, and then the program "
        "has not seen end-of-file yet (census)");
}

void add_activity(const Thread* thread, Diagnosis& diagnosis) {
    if (thread)
        add_fact(diagnosis, "activity", activity_text(*thread).c_str(),
                 fmt::format("{} {} (census)", thread_text(*thread), activity_text(*thread)));
}

// What the reader's process did with its copy afterwards, when it holds none now.
std::string fate_of_reader(const Scene& scene) {
    if (scene.eof.thread) return "";
    if (scene.eof.process) return ", and has exited since";
    const bool closed = scene.let_go && scene.let_go.deed->actor.pid == scene.eof.deed->actor.pid;
    return closed ? fmt::format(", and its process closed its own copy (fd {})", scene.let_go.deed->fd)
                  : ", and its process holds the socket no more";
}

void add_eof(const Scene& scene, Diagnosis& diagnosis) {
    const model::Touches& touches = *scene.socket.touches;
    const std::string ago = duration_text(scene.ago(scene.eof.deed->at_ns));
    add_fact(diagnosis, "eof_read", true,
             fmt::format("{} read end-of-file {} ago (traced){}", actor_text(scene.eof.deed->actor), ago,
                         fate_of_reader(scene)));
    if (touches.eof_reads > 1)
        add_fact(diagnosis, "eof_reads", touches.eof_reads,
                 fmt::format("end-of-file was read {} times (traced)", touches.eof_reads));
    if (touches.sent_since_fin > 0)
        add_fact(diagnosis, "sent_since_fin", touches.sent_since_fin,
                 fmt::format("{} bytes were sent since the FIN (traced)", touches.sent_since_fin));
}

bool runs_an_event_loop(const Thread& thread) {
    return thread.syscall && watches_descriptors(*thread.syscall) && !thread.polled;
}

bool is_last_touch(const Scene& scene) {
    const std::uint64_t eof_ns = scene.eof.deed->at_ns;
    // A write that no hook saw leaves its stamp.
    return scene.last && scene.last.deed->at_ns <= eof_ns &&
           scene.socket.last_sent_ns <= eof_ns + kStampErrorNs;
}

// The thread that has, or could have, the close() before it.
const Thread* reader_of(const Scene& scene) {
    return scene.eof.process ? scene.eof.thread : scene.who.thread;
}

void word_eof_seen(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const std::string ago = duration_text(scene.ago(scene.eof.deed->at_ns));
    const std::string kept = descriptors_text(scene, verdict.who.process);
    if (!scene.eof.process)
        diagnosis.summary =
            fmt::format("{} read end-of-file {} ago; {} never closed its copy, {}",
                        scene.eof.deed->actor.comm_text(), ago, subject_text(verdict.who), kept);
    else if (!scene.eof.thread)
        diagnosis.summary = fmt::format("thread {} read end-of-file {} ago and exited without closing {}",
                                        scene.eof.deed->actor.comm_text(), ago, kept);
    else if (may_be_handed_on(scene))
        diagnosis.summary = fmt::format("thread {} read end-of-file {} ago, and nobody has closed {} since",
                                        scene.eof.thread->comm, ago, kept);
    else
        diagnosis.summary = fmt::format("thread {} read end-of-file {} ago and never closed {}",
                                        scene.eof.thread->comm, ago, kept);
    add_eof(scene, diagnosis);
    if (is_last_touch(scene))
        add_fact(diagnosis, "last_touch", "read-eof", "nobody has read or written it since (traced)");
    add_activity(reader_of(scene), diagnosis);
    add_handed_on(scene, diagnosis);
    add_watches(scene, diagnosis);
    add_waits_elsewhere(scene, diagnosis);
}

void word_fin_taken(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    diagnosis.summary = fmt::format("the stream has been read to its end, and {} never closed {}",
                                    subject_text(verdict.who), descriptors_text(scene, verdict.who.process));
    add_fin_consumed(diagnosis);
    add_received_data(scene, diagnosis);
    add_activity(verdict.who.thread, diagnosis);
    add_watches(scene, diagnosis);
    add_waits_elsewhere(scene, diagnosis);
}

void word_still_at_work(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Thread* reader = scene.eof ? reader_of(scene) : verdict.who.thread;
    const bool seen_elsewhere = scene.eof && !scene.eof.process;
    const char* doing = !reader || seen_elsewhere     ? ", and somebody may still answer"
                        : runs_an_event_loop(*reader) ? ", and its event loop may still answer"
                        : is_at_work(*reader)         ? " and is still at work"
                                                      : ", and somebody may still answer";
    diagnosis.summary =
        scene.eof
            ? fmt::format("{} read end-of-file only {} ago{}", scene.eof.deed->actor.comm_text(),
                          duration_text(scene.ago(scene.eof.deed->at_ns)), doing)
            : fmt::format("the stream has been read to its end only {} ago or less{}",
                          duration_text(scene.census.held_ns(scene.socket)),
                          reader && is_at_work(*reader) ? ", and whoever reads it is still at work" : doing);
    if (scene.eof)
        add_eof(scene, diagnosis);
    else
        add_fin_consumed(diagnosis);
    add_activity(reader, diagnosis);
}

// The one thread there is, or one of those that may have it.
void word_asleep_since_its_data(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Worker sleeper =
        verdict.who.thread ? Worker{verdict.who.process, verdict.who.thread} : sleeper_since_data(scene);
    const Thread& thread = *sleeper.thread;
    Chain chain = chain_from(scene.census, *sleeper.process, thread);
    diagnosis.summary =
        fmt::format("thread {}{} {}, ever since the last data came{}: it may still be at its answer",
                    thread.comm, in_function_text(thread), activity_text(thread), end_of_chain_text(chain));
    add_fin_consumed(diagnosis);
    add_received_data(scene, diagnosis);
    add_fact(diagnosis, "asleep_since_data", true,
             fmt::format("{} fell asleep {} ago, when the last data came, and has sent no answer (census)",
                         thread_text(thread), duration_text(scene.ago(*thread.asleep_since_ns))));
    add_activity(&thread, diagnosis);
    diagnosis.because = std::move(chain.links);
    advise_to_watch(scene, diagnosis);
}

void word_unseen_read(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "something took the peer's FIN without a read that tracing saw";
    add_fin_consumed(diagnosis);
    add_fact(diagnosis, "reader_unknown", true,
             "tracing ran when the FIN came, but noted no read after it: its note was lost, or the read went "
             "another "
             "way (traced)");
}

// How strongly a leak is shown by what the process does so long after the end of the stream was read; nothing
// while an answer may still come. `handler`: the thread that would send it, null when it is gone or not
// known.
std::optional<Confidence> strength(const Scene& scene, const Thread* handler, std::uint64_t age_ns) {
    // Its answer may have to wait for somebody else, whatever its thread does meanwhile.
    if (age_ns < kMayAnswerNs) return std::nullopt;
    const bool busy = handler && is_at_work(*handler);
    const bool loops = handler ? runs_an_event_loop(*handler)
                               : scene.who.process && scene.rosters.of(*scene.who.process).watches();
    // A thread may have handed the connection to another one, and one process to another.
    const bool others = some_work(scene) || some_wait_elsewhere(scene);
    if (busy || ((loops || others) && age_ns < kHardlyAnswersNs)) return Confidence::kPossible;
    // However long ago: it may wait in a queue for somebody, or somebody come by even less often.
    if (may_be_handed_on(scene)) return Confidence::kPossible;
    // Never proven: a signal, another connection or a child may yet bring the answer, whatever waits now.
    return Confidence::kLikely;
}

std::optional<Verdict> from_deed(const Scene& scene) {
    const auto shown = strength(scene, reader_of(scene), scene.ago(scene.eof.deed->at_ns));
    const bool elsewhere = may_be_in_other_hands(scene, scene.eof.deed->at_ns);
    const Who who = elsewhere ? without_thread(scene.who) : scene.who;
    if (!shown) return Verdict{Cause::kUnknown, Confidence::kPossible, who, word_still_at_work};
    return Verdict{Cause::kEofIgnored, *shown, who, word_eof_seen};
}

// Nobody saw who read it, or when: it may have been just now, by any thread.
std::optional<Verdict> from_census(const Scene& scene) {
    const std::uint64_t held_ns = scene.census.held_ns(scene.socket);
    if (asleep_since_its_data(scene) && is_at_work(*scene.who.thread) &&
        !waits_for_orders(scene.census, *scene.who.process, *scene.who.thread))
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_asleep_since_its_data};
    if (!answered_since_data(scene.socket) && sleeper_since_data(scene))
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_asleep_since_its_data};
    const auto shown = strength(scene, scene.who.thread, held_ns);
    if (!shown) return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_still_at_work};
    // Whoever is at work there may be at its answer, and where several processes hold it, the other one.
    const model::Process* only = scene.only_process();
    const bool may_be_handled = !only || some_work(scene) || scene.rosters.of(*only).at_work();
    const Confidence weakest = may_be_handled ? Confidence::kPossible : Confidence::kLikely;
    return Verdict{Cause::kEofIgnored, std::max(*shown, weakest), scene.who, word_fin_taken};
}

}  // namespace

bool eof_read(const model::Census& census, const model::Socket& socket) {
    if (socket.touches && socket.touches->eof) return true;
    // Who watched since the FIN and saw a read, but none of end-of-file, knows that the FIN was taken
    // together with data; without any read it was taken in a way that is not seen, by splice() for instance.
    const bool watched = census.traced && socket.precision == model::Precision::kExact;
    const bool by_a_read =
        socket.touches && socket.touches->last && socket.touches->last->at_ns >= socket.held_since_ns;
    return socket.fin_consumed && !(watched && by_a_read);
}

std::optional<Verdict> end_of_file(const Scene& scene) {
    if (scene.eof) return from_deed(scene);
    if (!eof_read(scene.census, scene.socket)) return std::nullopt;
    const bool watched = scene.census.traced && scene.socket.precision == model::Precision::kExact;
    if (watched) return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_unseen_read};
    return from_census(scene);
}

}  // namespace waitclose::diagnose
