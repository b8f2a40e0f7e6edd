// SPDX-License-Identifier: BSD-2-Clause
// An epoll has the socket registered, and the program has not seen end-of-file: was its loop told, will it
// be, or does it not ask?
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/chain.h"
#include "diagnose/families.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"
#include "diagnose/watched.h"

namespace waitclose::diagnose {

using model::Process;
using model::Thread;
using model::Watch;
using model::WatchKind;

namespace {

/// Longer than a census takes, and than a loop takes that is merely between two events.
constexpr std::uint64_t kNoticedNs = 1'000'000'000;

const std::vector<Watch>& watches_of(const Scene& scene) {
    static const std::vector<Watch> none;
    return scene.socket.watches ? *scene.socket.watches : none;
}

/// The next look of its epoll finds the hang-up: the loop has only to come back for it.
bool is_pending(const Watch& watch) {
    if (watch.kind != WatchKind::kEpoll || model::is_disarmed(watch) || !model::tells_of_fin(watch))
        return false;
    return !model::is_edge_triggered(watch) || watch.ready;
}

/// Nothing more will be reported of the hang-up, unless the program asks again.
bool is_deaf(const Watch& watch) {
    if (watch.kind != WatchKind::kEpoll) return watch.kind == WatchKind::kPoll && !model::tells_of_fin(watch);
    return !is_pending(watch);
}

/// Runtimes that give every socket of a program to one epoll (Go, tokio) register it edge-triggered for both
/// directions, once: what was told woke nobody, because the code that should read waits for something else.
bool is_of_runtime(const Watch& watch) {
    return model::is_edge_triggered(watch) && model::tells_of_fin(watch) && model::waits_for_room(watch);
}

void add_unread(const Scene& scene, Diagnosis& diagnosis) {
    const model::Socket& socket = scene.socket;
    add_fact(diagnosis, "unread_bytes", std::uint64_t{socket.unread_bytes},
             fmt::format("{} bytes of data are unread{} (census)", socket.unread_bytes,
                         socket.fin_consumed ? ", and one read took the last of them with the FIN"
                                             : ", and so is the peer's FIN"));
}

void add_activity(const Scene& scene, Diagnosis& diagnosis) {
    if (scene.who.thread)
        add_fact(
            diagnosis, "activity", activity_text(*scene.who.thread).c_str(),
            fmt::format("{} {} (census)", thread_text(*scene.who.thread), activity_text(*scene.who.thread)));
}

void add_all(const Scene& scene, Diagnosis& diagnosis) {
    add_watches(scene, diagnosis);
    add_unread(scene, diagnosis);
    add_held_back(scene, diagnosis);
    add_activity(scene, diagnosis);
}

/// What it means that the loop hears no more of it, in a clause.
const char* deaf_text(const Watch& watch) {
    if (watch.kind == WatchKind::kPoll) return "it is polled, but not for the events of a hang-up";
    if (model::is_disarmed(watch)) return "its one-shot registration was told once and not armed again";
    if (!model::tells_of_fin(watch)) return "it is registered for events that no hang-up raises";
    return "its edge-triggered registration was told, and will be told no more";
}

void word_deaf(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    diagnosis.summary =
        fmt::format("{} hears nothing of the hang-up on {}: {}", subject_text(verdict.who),
                    descriptors_text(scene, verdict.who.process), deaf_text(watches_of(scene).front()));
    add_all(scene, diagnosis);
    if (std::ranges::any_of(watches_of(scene), is_of_runtime))
        add_fact(
            diagnosis, "registered_by_runtime", true,
            "it is registered for both directions at once, as a runtime does with every socket: the code "
            "that should read may wait for something else (census)");
}

void word_may_come_back(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary =
        held_back(scene) ? "its loop does not ask for the hang-up now, maybe on purpose: it has data to "
                           "send that nobody takes"
                         : "its loop does not ask for the hang-up now; too early to say whether it forgot to";
    add_all(scene, diagnosis);
}

void word_waits_for_room(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = fmt::format("its loop waits until the peer takes {} bytes that are still to be sent",
                                    scene.socket.unsent_bytes);
    add_all(scene, diagnosis);
    add_fact(diagnosis, "unsent_bytes", std::uint64_t{scene.socket.unsent_bytes},
             fmt::format("{} bytes are written and not yet acknowledged by the peer (census)",
                         scene.socket.unsent_bytes));
}

void word_waited_for(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const bool ring = std::ranges::any_of(watches_of(scene),
                                          [](const Watch& watch) { return watch.kind == WatchKind::kRing; });
    diagnosis.summary = ring ? "an io_uring watches it; whether the program was told cannot be seen"
                             : "somebody waits for this very socket and is about to be told";
    add_all(scene, diagnosis);
}

void word_pending(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "the hang-up is reported to its epoll, and the loop has not acted on it yet";
    add_all(scene, diagnosis);
}

// ---- the loop has only to come back ----

/// The one thread that can be the loop's: the others wait for their next piece of work. Null when several
/// can.
const Thread* only_candidate(const Scene& scene) {
    const Process* process = scene.only_process();
    if (!process) return nullptr;
    const Thread* found = nullptr;
    for (const Thread& thread : scene.rosters.of(*process).threads()) {
        if (!is_live(thread) || !is_at_work(thread)) continue;
        if (found) return nullptr;
        found = &thread;
    }
    return found;
}

/// It sleeps in something that ends without this socket's doing; not in what a worker sleeps in that has
/// nothing to do.
bool is_kept(const Wait& wait) {
    switch (wait.what) {
    case WaitClass::kDisk:
    case WaitClass::kDownstream:
    case WaitClass::kPipe:
    case WaitClass::kSleep:
    case WaitClass::kChild: return true;
    case WaitClass::kMemory: return true;
    case WaitClass::kLock: return wait.blocked || wait.owner_tid.has_value();
    case WaitClass::kOther: return wait.blocked;
    default: return false;
    }
}

void word_loop_blocked(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Thread& thread = *only_candidate(scene);
    const Wait wait = wait_of(thread);
    const std::string slept = duration_text(scene.ago(*thread.asleep_since_ns));
    Chain chain = chain_from(scene.census, *verdict.who.process, thread);
    diagnosis.summary = fmt::format(
        "the event loop has not come back to its epoll: thread {}{} is in {} for {}{}", thread.comm,
        in_function_text(thread), chain.links.front().detail, slept, end_of_chain_text(chain));
    add_all(scene, diagnosis);
    add_fact(diagnosis, "wait", std::string(id_of(wait.what)).c_str(),
             fmt::format(
                 "{} is in {} for {}, and no other thread of {} can be the loop's: {} (census)",
                 thread_text(thread), wait.detail, slept, process_text(*verdict.who.process),
                 verdict.who.basis == Basis::kOnlyThread ? "it has none" : "they wait for work elsewhere"));
    diagnosis.because = std::move(chain.links);
}

Verdict loop_to_come(const Scene& scene, const Watch& watch) {
    const Verdict undecided{Cause::kUnknown, Confidence::kPossible, scene.who, word_pending};
    const Thread* thread = only_candidate(scene);
    // Somebody is at that epoll: the event is on its way to them, or comes to them again and again.
    if (watch.awaited || server_of(scene, watch) || !thread || !thread->asleep_since_ns) return undecided;
    if (!is_kept(wait_of(*thread)) || scene.ago(*thread->asleep_since_ns) < kNoticedNs ||
        scene.census.held_ns(scene.socket) < kNoticedNs)
        return undecided;
    Who who = scene.who;
    if (who.thread != thread) {
        who.thread = nullptr;
        who.basis = Basis::kProcess;
        who.doubt = Doubt::kManyThreads;
    }
    const Chain chain = chain_from(scene.census, *scene.only_process(), *thread);
    return {chain.deadlock ? Cause::kDeadlock : Cause::kHandlerBlocked, Confidence::kLikely, who,
            word_loop_blocked};
}

// ---- the loop hears no more of it ----

/// The loop has come back from what it was told, and has slept at that epoll since: long enough that it did
/// so before the socket was looked at, too.
bool came_back(const Scene& scene, const Watch& watch) {
    const Thread* thread = watch.kind == WatchKind::kEpoll ? server_of(scene, watch) : nullptr;
    return thread && thread->asleep_since_ns && scene.ago(*thread->asleep_since_ns) >= kNoticedNs;
}

// A loop that does not ask may do so on purpose, until something else has come: another connection, a timer.
// That it never asks again no look can prove.
Confidence deaf_confidence(const Scene& scene) {
    if (scene.census.held_ns(scene.socket) < kHardlyAnswersNs) return Confidence::kPossible;
    const auto& watches = watches_of(scene);
    const bool runtime = std::ranges::any_of(watches, is_of_runtime);
    const bool served =
        std::ranges::all_of(watches, [&](const Watch& watch) { return came_back(scene, watch); });
    const bool measured = scene.socket.watching == model::Watching::kSome && served && scene.only_process() &&
                          scene.socket.unread_bytes == 0;
    return measured && !runtime && all_idle(scene) ? Confidence::kLikely : Confidence::kPossible;
}

std::optional<Verdict> deaf(const Scene& scene) {
    const auto& watches = watches_of(scene);
    if (scene.socket.unsent_bytes > 0 && std::ranges::any_of(watches, model::waits_for_room))
        return Verdict{Cause::kHalfOpen, Confidence::kLikely, {}, word_waits_for_room};
    // A client's connection that nobody looks at is one in a pool, whoever watches it.
    if (scene.socket.role == model::Role::kClient) return std::nullopt;
    if (held_back(scene) || scene.census.held_ns(scene.socket) < kMayAnswerNs)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_may_come_back};
    return Verdict{Cause::kUnwatchedEvent, deaf_confidence(scene), scene.who, word_deaf};
}

}  // namespace

std::optional<Verdict> event_loop(const Scene& scene) {
    const auto& watches = watches_of(scene);
    // Who sleeps in a read or write of it is on its wait queue, too, and another family's subject.
    if (watches.empty() || !scene.sleepers.empty()) return std::nullopt;
    const auto pending = std::ranges::find_if(watches, is_pending);
    if (pending != watches.end()) return loop_to_come(scene, *pending);
    if (!std::ranges::all_of(watches, is_deaf))
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_waited_for};
    return deaf(scene);
}

}  // namespace waitclose::diagnose
