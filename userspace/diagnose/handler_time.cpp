// SPDX-License-Identifier: BSD-2-Clause
// The thread that handles the connection computes, or wants to and gets no CPU: the line with close() is not
// reached. This explains a hold; whether the computing ever ends nobody can tell from here.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/at_work.h"
#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Thread;
using model::ThreadTime;

namespace {

std::string percent(double share) {
    return fmt::format("{:.0f} %", share * 100);
}

/// The latest deed of the culprit with this socket; 0 when it was seen with it by nobody.
std::uint64_t own_latest_deed(const Scene& scene) {
    std::uint64_t latest = 0;
    for (const Seen* seen : {&scene.opened, &scene.last, &scene.eof, &scene.let_go})
        if (*seen && seen->thread == scene.who.thread) latest = std::max(latest, seen->deed->at_ns);
    return latest;
}

/// The close() is due since the later of the FIN and the last time it was seen with the connection.
std::uint64_t due_since(const Scene& scene) {
    return std::max(scene.socket.held_since_ns, own_latest_deed(scene));
}

double lost_share(const Shares& shares) {
    const double wanted = shares.on_cpu + shares.waiting;
    return wanted > 0 ? shares.waiting / wanted : 0;
}

/// Throttled for the most of the window: the tightest quota above the process.
const model::Throttling* quota_of(const Scene& scene, const model::Process& process) {
    const model::Throttling* found = nullptr;
    for (const model::Throttling& one : scene.census.window->throttled) {
        const bool above = process.cpu_cgroup && (*process.cpu_cgroup == one.cgroup ||
                                                  process.cpu_cgroup->starts_with(one.cgroup + "/"));
        if (above && one.throttled_periods > 0 && (!found || one.throttled_ns > found->throttled_ns))
            found = &one;
    }
    return found;
}

void add_shares(const Scene& scene, const Verdict& verdict, const Shares& shares, Diagnosis& diagnosis) {
    const Thread& thread = *verdict.who.thread;
    const std::string length = duration_text(scene.census.window->length_ns());
    add_fact(diagnosis, "on_cpu", percent(shares.on_cpu).c_str(),
             fmt::format("{} ran for {} of a window of {} (window)", thread_text(thread),
                         percent(shares.on_cpu), length));
    add_fact(diagnosis, "waiting_for_cpu", percent(shares.waiting).c_str(),
             fmt::format("for {} of it, it could have run but had no CPU (window)", percent(shares.waiting)));
    add_fact(diagnosis, "asleep", percent(shares.asleep()).c_str(),
             fmt::format("it slept for {} of it, and waited for no other piece of work (window)",
                         percent(shares.asleep())));
    add_function(thread, diagnosis);
    const std::uint64_t deed_ns = own_latest_deed(scene);
    if (deed_ns)
        add_fact(diagnosis, "untouched_ns", scene.ago(deed_ns),
                 fmt::format("it has not touched this connection for {} (traced)",
                             duration_text(scene.ago(deed_ns))));
}

const ThreadTime& time_of(const Scene& scene, const Verdict& verdict) {
    return *scene.census.window->find(verdict.who.thread->tid, verdict.who.thread->start_ns);
}

void word_busy(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Shares shares = shares_of(time_of(scene, verdict));
    diagnosis.summary =
        fmt::format("thread {}{} computes: {} of the last {} on a CPU, and no close() meanwhile",
                    verdict.who.thread->comm, in_function_text(*verdict.who.thread), percent(shares.on_cpu),
                    duration_text(scene.census.window->length_ns()));
    add_shares(scene, verdict, shares, diagnosis);
}

void word_starved(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Shares shares = shares_of(time_of(scene, verdict));
    const model::Window& window = *scene.census.window;
    const model::Throttling* quota = quota_of(scene, *verdict.who.process);
    diagnosis.summary = fmt::format(
        "thread {}{} could have run for {} of the last {} but had no CPU{}", verdict.who.thread->comm,
        in_function_text(*verdict.who.thread), percent(shares.waiting), duration_text(window.length_ns()),
        quota ? fmt::format(": the quota of cgroup {} is used up", quota->cgroup) : "");
    add_shares(scene, verdict, shares, diagnosis);
    if (quota)
        add_fact(diagnosis, "throttled", quota->cgroup.c_str(),
                 fmt::format("cgroup {} was throttled in {} of {} periods, for {} in all (cpu.stat)",
                             quota->cgroup, quota->throttled_periods, quota->periods,
                             duration_text(quota->throttled_ns)));
    if (window.steal_ns && *window.steal_ns > 0)
        add_fact(diagnosis, "steal_ns", *window.steal_ns,
                 fmt::format("the hypervisor took {} of {} CPUs (/proc/stat)",
                             duration_text(*window.steal_ns), window.cpus));
}

/// A handler learns once that the peer has hung up, or twice. Who has read it so often reads in a loop,
/// also where it gets too little CPU to be seen spinning.
constexpr std::uint64_t kReadsOfALoop = 10;

/// Of a thread that has read end-of-file it is not known whether it still means to close: while it may be at
/// its answer, the computing explains the hold; later it is for the rules about leaks to judge.
bool may_still_answer(const Scene& scene, bool starved) {
    if (!scene.eof) return !eof_read(scene.census, scene.socket);
    if (scene.socket.touches->eof_reads >= kReadsOfALoop) return false;
    return scene.eof.thread == scene.who.thread &&
           scene.ago(scene.eof.deed->at_ns) < (starved ? kHardlyAnswersNs : kMayAnswerNs);
}

Confidence confidence_of(const Scene& scene, Since since) {
    const bool seen = scene.who.basis == Basis::kLastTouch || scene.who.basis == Basis::kOnlyThread;
    return seen && !scene.eof && since == Since::kSurely ? Confidence::kLikely : Confidence::kPossible;
}

}  // namespace

const model::Window* telling_window(const Scene& scene) {
    const auto& window = scene.census.window;
    return window && window->length_ns() >= kShortestWindowNs ? &*window : nullptr;
}

Since at_work_since(const Scene& scene, const Thread& thread, const ThreadTime& time,
                    std::uint64_t since_ns) {
    const auto span = static_cast<double>(scene.ago(since_ns));
    const auto worked = static_cast<double>(thread.on_cpu_ns + thread.run_delay_ns);
    if (worked < kAtWorkShare * span) return Since::kNo;
    if (time.latest_deed_ns > own_latest_deed(scene)) return Since::kNo;
    const auto rested = static_cast<double>(scene.ago(thread.start_ns)) - worked;
    const bool hardly_rested = rested <= (1 - kAtWorkShare) * span;
    const bool in_window = since_ns + kSameWorkNs >= scene.census.window->from_ns;
    return hardly_rested || in_window ? Since::kSurely : Since::kPerhaps;
}

std::optional<Verdict> handler_time(const Scene& scene) {
    const model::Window* window = telling_window(scene);
    const Thread* thread = scene.who.thread;
    if (!window || !thread || !is_live(*thread) || !scene.sleepers.empty()) return std::nullopt;
    if (scene.ago(due_since(scene)) < kMayComputeNs) return std::nullopt;
    const ThreadTime* time = window->find(thread->tid, thread->start_ns);
    if (!time || time->length_ns() < kShortestWindowNs) return std::nullopt;
    const Shares shares = shares_of(*time);
    if (shares.on_cpu + shares.waiting < kAtWorkShare || shares.idle() > kIdleShare) return std::nullopt;
    const bool starved = lost_share(shares) >= kStarvedShare;
    if (!may_still_answer(scene, starved)) return std::nullopt;
    const Since since = at_work_since(scene, *thread, *time, due_since(scene));
    if (since == Since::kNo) return std::nullopt;
    return Verdict{starved ? Cause::kCpuStarved : Cause::kHandlerBusy, confidence_of(scene, since), scene.who,
                   starved ? word_starved : word_busy};
}

}  // namespace waitclose::diagnose
