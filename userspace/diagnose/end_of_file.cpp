// SPDX-License-Identifier: BSD-2-Clause
// The program has read end-of-file, and that says: the peer is done, close it.
#include <fmt/format.h>

#include "diagnose/families.h"
#include "diagnose/text.h"

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

bool is_last_touch(const Scene& scene) {
    return scene.last && scene.last.deed->at_ns <= scene.eof.deed->at_ns;
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
    else
        diagnosis.summary = fmt::format("thread {} read end-of-file {} ago and never closed {}",
                                        scene.eof.thread->comm, ago, kept);
    add_eof(scene, diagnosis);
    if (is_last_touch(scene))
        add_fact(diagnosis, "last_touch", "read-eof", "nobody has read or written it since (traced)");
    add_activity(reader_of(scene), diagnosis);
}

void word_fin_taken(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    diagnosis.summary = fmt::format("{} has read to the end of the stream and never closed {}",
                                    subject_text(verdict.who), descriptors_text(scene, verdict.who.process));
    add_fin_consumed(diagnosis);
    add_received_data(scene, diagnosis);
    add_activity(verdict.who.thread, diagnosis);
}

void word_still_at_work(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Thread* reader = scene.eof ? reader_of(scene) : verdict.who.thread;
    const std::string doing = reader && is_at_work(*reader) ? " and is still at work" : "";
    diagnosis.summary =
        scene.eof ? fmt::format("{} read end-of-file only {} ago{}", scene.eof.deed->actor.comm_text(),
                                duration_text(scene.ago(scene.eof.deed->at_ns)), doing)
                  : fmt::format("{} has read to the end of the stream{}", subject_text(verdict.who), doing);
    if (scene.eof)
        add_eof(scene, diagnosis);
    else
        add_fin_consumed(diagnosis);
    add_activity(reader, diagnosis);
}

void word_unseen_read(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "something took the peer's FIN without a read that tracing saw";
    add_fin_consumed(diagnosis);
    add_fact(diagnosis, "reader_unknown", true,
             "tracing ran when the FIN came, but noted no read after it: its note was lost, or the read went "
             "another "
             "way (traced)");
}

std::optional<Verdict> from_deed(const Scene& scene) {
    const std::uint64_t age_ns = scene.ago(scene.eof.deed->at_ns);
    const Thread* reader = reader_of(scene);
    const bool busy = reader && is_at_work(*reader);
    if (age_ns < kTooYoungNs || (busy && age_ns < kAboutToCloseNs))
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_still_at_work};
    // A poll of one descriptor may be the wait for something this very connection needs.
    const bool done = !reader || (!busy && !polls_one_descriptor(*reader));
    const bool proven = done && scene.eof.process && is_last_touch(scene) && scene.sleepers.empty();
    return Verdict{Cause::kEofIgnored, proven ? Confidence::kProven : Confidence::kLikely, scene.who,
                   word_eof_seen};
}

std::optional<Verdict> from_census(const Scene& scene) {
    const bool busy = scene.who.thread && is_at_work(*scene.who.thread);
    if (busy && scene.census.held_ns(scene.socket) < kAboutToCloseNs)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_still_at_work};
    // At work on the request that came with the FIN, or on something else long after it: both fit.
    const bool either = busy && scene.socket.received_data;
    return Verdict{Cause::kEofIgnored, either ? Confidence::kPossible : Confidence::kLikely, scene.who,
                   word_fin_taken};
}

}  // namespace

bool eof_read(const model::Census& census, const model::Socket& socket) {
    if (socket.touches && socket.touches->eof) return true;
    // Who watched since the FIN and saw no end-of-file knows that the FIN was taken together with data.
    const bool watched = census.traced && socket.precision == model::Precision::kExact;
    return socket.fin_consumed && !watched;
}

std::optional<Verdict> end_of_file(const Scene& scene) {
    if (scene.eof) return from_deed(scene);
    if (eof_read(scene.census, scene.socket)) return from_census(scene);
    const bool seen = scene.last && scene.last.deed->at_ns >= scene.socket.held_since_ns;
    if (scene.socket.fin_consumed && !seen)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_unseen_read};
    return std::nullopt;
}

}  // namespace waitclose::diagnose
