// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/pressure.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/at_work.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"
#include "model/provider.h"

namespace waitclose::diagnose {

namespace {

// Of the window. Some thread waits for a CPU now and then on any busy machine; memory is short only when it
// is short.
constexpr double kCpuShare = 0.4;
constexpr double kDiskShare = 0.2;
constexpr double kMemoryShare = 0.1;
constexpr double kStealShare = 0.1;      // of all CPUs
constexpr double kThrottledShare = 0.2;  // of a quota's periods
/// Of the window; a thread that was short of something for less has not been held up by that.
constexpr double kFeltShare = 0.02;

struct Suffers {
    bool cpu = false;
    bool disk = false;
    bool memory = false;
};

Suffers suffers(Cause cause) {
    switch (cause) {
    case Cause::kHandlerBusy:
    case Cause::kCpuStarved: return {.cpu = true, .disk = false, .memory = true};
    case Cause::kHandlerBlocked:
    case Cause::kNeverAccepted:
    case Cause::kGcPause:
    case Cause::kExiting: return {.cpu = true, .disk = true, .memory = true};
    default: return {};
    }
}

/// What the named thread, and those it waits for, felt of the machine's shortages.
struct Felt {
    bool no_cpu = false;     // some of them could have run, but had none
    bool less_cpu = false;   // some of them ran, or could have
    bool no_disk = false;    // some of them waited for a disk, or it is not known for what
    bool no_memory = false;  // some of them may have waited for memory: who runs has to reclaim it, too
};

/// What a thread does now.
void add_state(const model::Thread& thread, Felt& felt) {
    const WaitClass what = wait_of(thread).what;
    const bool runs = what == WaitClass::kNothing;
    felt.no_cpu = felt.no_cpu || (runs && thread.has_cpu == false);
    felt.less_cpu = felt.less_cpu || runs;
    felt.no_disk = felt.no_disk || what == WaitClass::kDisk || what == WaitClass::kOther;
    felt.no_memory = felt.no_memory || felt.no_disk || runs || what == WaitClass::kMemory;
}

/// What it did over the window.
void add_time(const model::ThreadTime& time, Felt& felt) {
    const Shares shares = shares_of(time);
    const auto asleep_for = [&](WaitClass what) {
        const auto found = shares.slept.find(what);
        return found == shares.slept.end() ? 0 : found->second;
    };
    const double ran = shares.on_cpu + shares.waiting + shares.unaccounted;
    const double disk = asleep_for(WaitClass::kDisk) + asleep_for(WaitClass::kOther) + shares.unsorted;
    felt.no_cpu = felt.no_cpu || shares.waiting >= kFeltShare;
    felt.less_cpu = felt.less_cpu || ran >= kFeltShare;
    felt.no_disk = felt.no_disk || disk >= kFeltShare;
    felt.no_memory =
        felt.no_memory || felt.no_disk || ran >= kFeltShare || asleep_for(WaitClass::kMemory) >= kFeltShare;
}

/// All of it where nothing was measured: of whom nothing is known, anything may be true.
Felt felt_by(const Scene& scene, const Verdict& verdict, const model::Window& window) {
    constexpr Felt kAnything{.no_cpu = true, .less_cpu = true, .no_disk = true, .no_memory = true};
    // Who suffers while the world is stopped is whoever collects.
    if (!verdict.who.thread || !verdict.who.process || verdict.cause == Cause::kGcPause) return kAnything;
    Felt felt;
    bool measured = false;
    const auto chain = model::follow_waits(scene.census, *verdict.who.process, *verdict.who.thread);
    for (const model::Step& step : chain.steps) {
        add_state(*step.thread, felt);
        const model::ThreadTime* time = window.find(step.thread->tid, step.thread->start_ns);
        if (!time || time->length_ns() < kShortestWindowNs) continue;
        add_time(*time, felt);
        measured = true;
    }
    return measured ? felt : kAnything;
}

double share_of(std::uint64_t ns, const model::Window& window) {
    return static_cast<double>(ns) / static_cast<double>(window.length_ns());
}

void add(Diagnosis& diagnosis, const char* id, std::string text) {
    if (diagnosis.contributing.empty() || diagnosis.contributing.back() != id)
        diagnosis.contributing.emplace_back(id);
    add_fact(diagnosis, "pressure", id, std::move(text));
}

void add_stall(const char* id, const char* what, const model::PressureTime& pressure, double threshold,
               const model::Window& window, Diagnosis& diagnosis) {
    if (!pressure.some_ns || share_of(*pressure.some_ns, window) < threshold) return;
    add(diagnosis, id,
        fmt::format("some thread of the machine waited for {} during {:.0f} % of the window (PSI)", what,
                    std::min(1.0, share_of(*pressure.some_ns, window)) * 100));
}

void add_cpu(const model::Window& window, const model::Process* process, const Felt& felt,
             Diagnosis& diagnosis) {
    constexpr const char* kId = "cpu-pressure";
    if (felt.no_cpu) add_stall(kId, "a CPU", window.cpu, kCpuShare, window, diagnosis);
    if (felt.less_cpu && window.steal_ns && window.cpus &&
        share_of(*window.steal_ns, window) / window.cpus >= kStealShare)
        add(diagnosis, kId,
            fmt::format("the hypervisor took {:.0f} % of the CPUs' time (/proc/stat)",
                        share_of(*window.steal_ns, window) / window.cpus * 100));
    for (const model::Throttling& one : window.throttled) {
        const bool is_its =
            felt.less_cpu && process && process->cpu_cgroup &&
            (*process->cpu_cgroup == one.cgroup || process->cpu_cgroup->starts_with(one.cgroup + "/"));
        if (is_its &&
            static_cast<double>(one.throttled_periods) >=
                kThrottledShare * static_cast<double>(one.periods) &&
            one.throttled_periods > 0)
            add(diagnosis, kId,
                fmt::format("cgroup {} was throttled in {} of {} periods (cpu.stat)", one.cgroup,
                            one.throttled_periods, one.periods));
    }
}

/// Where no thread can be named, those that were at work are worth a look; nobody is accused by that.
void add_threads_at_work(const Scene& scene, const Who& who, Diagnosis& diagnosis) {
    constexpr std::size_t kMost = 3;
    if (who.thread || !who.process) return;
    std::size_t added = 0;
    for (const std::uint32_t worker : scene.census.window->workers) {
        const model::ThreadTime& time = scene.census.window->threads[worker];
        if (time.pid != who.process->pid || time.ended || time.length_ns() < kShortestWindowNs) continue;
        const Shares shares = shares_of(time);
        if (shares.on_cpu + shares.waiting < kAtWorkShare) continue;
        add_fact(diagnosis, "thread_at_work", std::uint64_t{time.tid},
                 fmt::format("thread {} (tid {}) ran for {:.0f} % of the window and waited for a CPU for "
                             "{:.0f} %; whether "
                             "for this connection is not known (window)",
                             time.comm, time.tid, shares.on_cpu * 100, shares.waiting * 100));
        if (++added == kMost) return;
    }
}

}  // namespace

void add_pressure(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const model::Window* window = telling_window(scene);
    if (!window) return;
    add_threads_at_work(scene, verdict.who, diagnosis);
    const Suffers from = suffers(verdict.cause);
    if (!from.cpu && !from.disk && !from.memory) return;
    const Felt felt = felt_by(scene, verdict, *window);
    if (from.cpu) add_cpu(*window, verdict.who.process, felt, diagnosis);
    if (from.disk && felt.no_disk)
        add_stall("disk-pressure", "a disk", window->io, kDiskShare, *window, diagnosis);
    if (from.memory && felt.no_memory)
        add_stall("memory-pressure", "memory", window->memory, kMemoryShare, *window, diagnosis);
}

}  // namespace waitclose::diagnose
