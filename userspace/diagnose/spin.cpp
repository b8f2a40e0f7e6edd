// SPDX-License-Identifier: BSD-2-Clause
// A thread reads end-of-file again and again: a busy loop on a dead connection.
#include <fmt/format.h>

#include "diagnose/at_work.h"
#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Thread;

namespace {

/// A program that looks now and then, on a timer, is no spin.
constexpr double kFewestReadsPerSecond = 100;
/// Nor is one that hardly runs: on a CPU, or waiting for one.
constexpr double kLeastAtWork = 0.1;
/// It goes on: the last read is so recent, as far as the thread had a CPU since.
constexpr std::uint64_t kStillReadsNs = 500'000'000;

/// And it has gone on for so long.
constexpr std::uint64_t kLongEnoughNs = 500'000'000;

struct Spin {
    const model::Window* window = nullptr;
    const Thread* thread = nullptr;  // null: several threads read it, or the one that did has exited
    const model::Process* process = nullptr;
    std::uint64_t reads = 0;
    double at_work = 0;           // of the window; 0 when it is not known
    std::uint64_t waited_ns = 0;  // of the window, for a CPU
};

double per_second(const Spin& spin) {
    return static_cast<double>(spin.reads) * 1e9 / static_cast<double>(spin.window->length_ns());
}

// Whoever reads end-of-file now spins, also where somebody read it before tracing began (scene.eof is then
// empty on purpose).
Spin find_spin(const Scene& scene) {
    Spin spin{.window = telling_window(scene)};
    const auto* touches = scene.socket.touches.get();
    if (!spin.window || !touches || !touches->eof || !touches->last) return spin;
    if (touches->last->operation != model::Operation::kRead) return spin;
    spin.reads = spin.window->eof_reads_of({scene.socket.netns, scene.socket.cookie});
    const model::Actor& reader = touches->last->actor;
    for (const model::Process* process : scene.processes) {
        if (process->pid != reader.pid || process->start_ns > reader.start_ns) continue;
        spin.process = process;
        const Thread* thread = scene.rosters.of(*process).find(reader);
        const bool alone =
            touches->eof->actor.tid == reader.tid && touches->eof->actor.start_ns == reader.start_ns;
        if (thread && is_live(*thread) && alone) spin.thread = thread;
    }
    if (!spin.thread) return spin;
    if (const auto* time = spin.window->find(spin.thread->tid, spin.thread->start_ns)) {
        const Shares shares = shares_of(*time);
        spin.at_work = shares.on_cpu + shares.waiting;
        spin.waited_ns =
            static_cast<std::uint64_t>(shares.waiting * static_cast<double>(spin.window->length_ns()));
    }
    return spin;
}

void word_spin(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Spin spin = find_spin(scene);
    diagnosis.summary = fmt::format(
        "{} reads end-of-file again and again, {:.0f} times a second, and does not close {}",
        subject_text(verdict.who), per_second(spin), descriptors_text(scene, verdict.who.process));
    add_fact(diagnosis, "eof_reads", spin.reads,
             fmt::format("end-of-file was read {} times in {} (traced)", spin.reads,
                         duration_text(spin.window->length_ns())));
    if (spin.thread)
        add_fact(diagnosis, "at_work", fmt::format("{:.0f} %", spin.at_work * 100).c_str(),
                 fmt::format("{} ran, or waited for a CPU, for {:.0f} % of it (window)",
                             thread_text(*spin.thread), spin.at_work * 100));
}

}  // namespace

std::optional<Verdict> spin_on_eof(const Scene& scene) {
    const Spin spin = find_spin(scene);
    if (!spin.window || !spin.process || per_second(spin) < kFewestReadsPerSecond) return std::nullopt;
    const model::Touches& touches = *scene.socket.touches;
    if (scene.ago(touches.last->at_ns) > kStillReadsNs + spin.waited_ns) return std::nullopt;
    if (scene.ago(touches.eof->at_ns) < kLongEnoughNs) return std::nullopt;
    if (spin.thread && spin.at_work < kLeastAtWork) return std::nullopt;
    Who who{spin.process, spin.thread, &*touches.last, Basis::kReadEof, Doubt::kNone};
    if (!spin.thread) {
        who.basis = Basis::kProcess;
        who.doubt = Doubt::kManyThreads;
    }
    return Verdict{Cause::kSpinOnEof, spin.thread ? Confidence::kProven : Confidence::kLikely, who,
                   word_spin};
}

}  // namespace waitclose::diagnose
