// SPDX-License-Identifier: BSD-2-Clause
// The runtime has stopped its threads to collect garbage: by its own counters, or by what its threads did.
#include "diagnose/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "diagnose/at_work.h"
#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Thread;

namespace {

/// So much of the window must have been pauses: for the most of it the program stood still.
constexpr double kPausedShare = 0.5;
/// Collector threads together ran for so much of the window,
constexpr double kCollectingShare = 0.5;
/// while none of the others ran for more than this.
constexpr double kParkedShare = 0.02;
constexpr std::uint64_t kSameTimeNs = 1'000'000'000;

constexpr std::array<std::string_view, 12> kCollectors{
    "GC Thread#", "ParGC Thread#", "VM Thread",      "G1 ",      "ZWorker", "ZDriver", "XWorker",
    "XDriver",    "Shenandoah GC", ".NET Server GC", ".NET BGC", ".NET GC"};

const model::JvmPauses* pauses_of(const model::Window& window, const Process& process) {
    const auto found = std::ranges::find(window.jvms, process.pid, &model::JvmPauses::pid);
    return found == window.jvms.end() ? nullptr : &*found;
}

double paused_share(const model::Window& window, const model::JvmPauses& pauses) {
    if (pauses.whole) return 1;
    return std::min(1.0, static_cast<double>(pauses.collecting_ns) / static_cast<double>(window.length_ns()));
}

struct Parking {
    bool found = false;
    double collecting = 0;
    std::size_t parked = 0;
};

/// What the threads did, where no counters tell.
Parking parking_of(const Scene& scene, const model::Window& window, const Process& process) {
    Parking parking;
    if (!scene.rosters.of(process).has_collectors()) return parking;
    for (const Thread& thread : scene.census.threads_of(process)) {
        const auto* time = window.find(thread.tid, thread.start_ns);
        if (!time || time->length_ns() < kShortestWindowNs) return parking;
        const Shares shares = shares_of(*time);
        if (is_collector(thread.comm))
            parking.collecting += shares.on_cpu;
        else if (shares.on_cpu + shares.waiting > kParkedShare)
            return parking;
        else
            ++parking.parked;
    }
    parking.found = parking.collecting >= kCollectingShare && parking.parked > 0;
    return parking;
}

void word_counted(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const model::Window& window = *scene.census.window;
    const model::JvmPauses& pauses = *pauses_of(window, *verdict.who.process);
    const double share = paused_share(window, pauses);
    diagnosis.summary =
        fmt::format("the garbage collector of {} stopped all its threads for {:.0f} % of the last {}",
                    verdict.who.process->comm, share * 100, duration_text(window.length_ns()));
    add_fact(diagnosis, "collecting_ns", pauses.collecting_ns,
             pauses.whole ? "one collection lasted all of the window (hsperfdata)"
                          : fmt::format("{} stop-the-world collections took {} (hsperfdata)",
                                        pauses.collections, duration_text(pauses.collecting_ns)));
    if (pauses.safepoints_ns)
        add_fact(
            diagnosis, "safepoints_ns", pauses.safepoints_ns,
            fmt::format("all threads stood still for {} (hsperfdata)", duration_text(pauses.safepoints_ns)));
}

void word_parked(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const model::Window& window = *scene.census.window;
    const Parking parking = parking_of(scene, window, *verdict.who.process);
    diagnosis.summary =
        fmt::format("only the collector threads of {} ran in the last {}; the other {} stood still",
                    verdict.who.process->comm, duration_text(window.length_ns()), parking.parked);
    add_fact(diagnosis, "collector_on_cpu", fmt::format("{:.0f} %", parking.collecting * 100).c_str(),
             fmt::format("its collector threads ran for {:.0f} % of the window together (window)",
                         parking.collecting * 100));
}

}  // namespace

bool is_collector(std::string_view comm) {
    return std::ranges::any_of(kCollectors, [&](std::string_view name) { return comm.starts_with(name); });
}

std::optional<Verdict> gc_pause(const Scene& scene) {
    const model::Window* window = telling_window(scene);
    const Process* process = scene.who.process;
    if (!window || !process || scene.census.held_ns(scene.socket) < kMayComputeNs) return std::nullopt;
    // Who waits for other work has done with this connection, pause or not; so has, perhaps, whoever read
    // end-of-file.
    const Thread* thread = scene.who.thread;
    if ((thread && !is_at_work(*thread)) || eof_read(scene.census, scene.socket)) return std::nullopt;
    const bool since_then = scene.socket.held_since_ns + kSameTimeNs >= window->from_ns;
    if (const auto* pauses = pauses_of(*window, *process)) {
        const auto held = static_cast<double>(scene.census.held_ns(scene.socket));
        const bool paused = paused_share(*window, *pauses) >= kPausedShare;
        const bool all_along = static_cast<double>(pauses->collecting_ever_ns) >= kPausedShare * held;
        if (!paused || (!since_then && !all_along && !pauses->whole)) return std::nullopt;
        return Verdict{Cause::kGcPause, since_then ? Confidence::kLikely : Confidence::kPossible, scene.who,
                       word_counted};
    }
    if (!since_then || !parking_of(scene, *window, *process).found) return std::nullopt;
    return Verdict{Cause::kGcPause, Confidence::kPossible, scene.who, word_parked};
}

}  // namespace waitclose::diagnose
