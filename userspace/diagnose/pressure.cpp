// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/pressure.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/at_work.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

namespace {

// Of the window. Some thread waits for a CPU now and then on any busy machine; memory is short only when it
// is short.
constexpr double kCpuShare = 0.4;
constexpr double kDiskShare = 0.2;
constexpr double kMemoryShare = 0.1;
constexpr double kStealShare = 0.1;      // of all CPUs
constexpr double kThrottledShare = 0.2;  // of a quota's periods

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

void add_cpu(const model::Window& window, const model::Process* process, Diagnosis& diagnosis) {
    constexpr const char* kId = "cpu-pressure";
    add_stall(kId, "a CPU", window.cpu, kCpuShare, window, diagnosis);
    if (window.steal_ns && window.cpus && share_of(*window.steal_ns, window) / window.cpus >= kStealShare)
        add(diagnosis, kId,
            fmt::format("the hypervisor took {:.0f} % of the CPUs' time (/proc/stat)",
                        share_of(*window.steal_ns, window) / window.cpus * 100));
    for (const model::Throttling& one : window.throttled) {
        const bool is_its =
            process && process->cpu_cgroup &&
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
    if (from.cpu) add_cpu(*window, verdict.who.process, diagnosis);
    if (from.disk) add_stall("disk-pressure", "a disk", window->io, kDiskShare, *window, diagnosis);
    if (from.memory) add_stall("memory-pressure", "memory", window->memory, kMemoryShare, *window, diagnosis);
}

}  // namespace waitclose::diagnose
