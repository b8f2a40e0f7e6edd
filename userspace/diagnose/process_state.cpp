// SPDX-License-Identifier: BSD-2-Clause
// Owners that cannot close anything: they are dying, or not allowed to run.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Thread;

namespace {

bool all_holders(const Scene& scene, bool (Roster::*state)() const) {
    return !scene.processes.empty() && std::ranges::all_of(scene.processes, [&](const Process* process) {
        return (scene.rosters.of(*process).*state)();
    });
}

bool responsible_one(const Scene& scene, bool (Roster::*state)() const) {
    return scene.who.process && (scene.rosters.of(*scene.who.process).*state)();
}

// The process the words are about: the one that should close it, else the first of those that hold it.
const Process& subject_of(const Scene& scene, const Verdict& verdict) {
    return verdict.who.process ? *verdict.who.process : *scene.processes.front();
}

const char* state_text(const Thread& thread) {
    switch (thread.state) {
    case model::RunState::kStopped: return "stopped";
    case model::RunState::kTraced: return "stopped by a tracer";
    case model::RunState::kFrozen: return "frozen";
    default: return "stopped";
    }
}

void word_exiting(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Process& process = subject_of(scene, verdict);
    const auto threads = scene.rosters.of(process).threads();
    diagnosis.summary = fmt::format("{} is exiting but has not finished", process.comm);
    add_fact(diagnosis, "exiting", true,
             fmt::format("all {} threads of {} are exiting or zombies (census)", threads.size(),
                         process_text(process)));
    for (const Thread& thread : threads)
        if (thread.state == model::RunState::kDiskSleep)
            add_fact(diagnosis, "stuck_thread", std::uint64_t{thread.tid},
                     fmt::format("{} is stuck in disk sleep on its way out (census)", thread_text(thread)));
    if (scene.processes.size() > 1)
        add_fact(diagnosis, "other_holders", scene.processes.size() - 1,
                 "other processes hold the socket, too (census)");
}

void word_stopped_process(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Process& process = subject_of(scene, verdict);
    const auto threads = scene.rosters.of(process).threads();
    const auto stopped = std::ranges::find_if(threads, is_stopped);
    const auto traced =
        std::ranges::find_if(threads, [](const Thread& thread) { return thread.tracer_tid != 0; });
    const std::string tracer = traced == threads.end() ? "" : fmt::format(" ({})", tracer_text(*traced));
    const char* state = state_text(*stopped);
    diagnosis.summary = fmt::format("{} is {}{} and cannot close {}", process.comm, state, tracer,
                                    descriptors_text(scene, &process));
    add_fact(diagnosis, "stopped", true,
             fmt::format("every thread of {} is {}{} (census)", process_text(process), state, tracer));
    if (traced != threads.end())
        add_fact(diagnosis, "tracer_tid", std::uint64_t{traced->tracer_tid},
                 traced->tracer ? fmt::format("it is {} (census, /proc)", tracer_text(*traced))
                                : fmt::format("thread {} traces it (census)", traced->tracer_tid));
}

void word_stopped_thread(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Thread& thread = *verdict.who.thread;
    const std::string tracer = thread.tracer_tid ? fmt::format(" ({})", tracer_text(thread)) : "";
    diagnosis.summary = fmt::format("{} is {}{} and cannot close {}", subject_text(verdict.who),
                                    state_text(thread), tracer, descriptors_text(scene, verdict.who.process));
    add_fact(diagnosis, "stopped", true,
             fmt::format("{} is {}{}; other threads of its process are not (census)", thread_text(thread),
                         state_text(thread), tracer));
}

}  // namespace

std::optional<Verdict> exiting(const Scene& scene) {
    const bool all = all_holders(scene, &Roster::exiting);
    if (!all && !responsible_one(scene, &Roster::exiting)) return std::nullopt;
    return Verdict{Cause::kExiting, all ? Confidence::kProven : Confidence::kLikely, scene.who, word_exiting};
}

std::optional<Verdict> stopped(const Scene& scene) {
    if (all_holders(scene, &Roster::stopped) || responsible_one(scene, &Roster::stopped))
        return Verdict{Cause::kStopped, Confidence::kProven, scene.who, word_stopped_process};
    // Who merely opened it may have handed it over, and says nothing when it is stopped.
    const bool used_it = scene.who.basis == Basis::kReadEof || scene.who.basis == Basis::kLastTouch ||
                         scene.who.basis == Basis::kBlockedOnIt;
    if (!scene.who.thread || !used_it || !is_stopped(*scene.who.thread)) return std::nullopt;
    return Verdict{Cause::kStopped, Confidence::kLikely, scene.who, word_stopped_thread};
}

}  // namespace waitclose::diagnose
