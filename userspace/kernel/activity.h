// SPDX-License-Identifier: BSD-2-Clause
// What threads do, moment by moment, while a capture runs: the kernel's records kept, joined and bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "failure.h"
#include "kernel/probes.h"
#include "model/activity.h"
#include "model/stack.h"

namespace waitclose::kernel {

struct ActivitySettings {
    std::vector<std::uint32_t> processes;  // whose threads are followed, also those born meanwhile
    std::uint32_t max_threads = 4096;      // of more, those that did least are left out,
    std::set<std::pair<std::uint32_t, std::uint32_t>> preferred = {};  // but none of these (pid, tid)
    std::uint32_t sample_hz = 99;                                      // 0: no samples
    double max_overhead = 0.03;               // of one core; see ActivityTracer::overhead()
    std::uint64_t max_bytes = 256ULL << 20U;  // of stack memory that is kept
};

/// As the machine has it: in `activity`, Sleep::stack, CpuSample::stack and resting_stack are indices into
/// `stacks` here, and activity.stacks is empty.
struct RawActivity {
    model::Activity activity;
    std::vector<model::RawStack> stacks;
};

/// Follows threads from start() to finish(). Needs probes attached with ProbeSettings::captures.
class ActivityTracer {
public:
    /// Begins. `probes` must outlive it. Hooks that this kernel lacks are no failure: what they would tell is
    /// missing, and activity.lacks says so.
    static Result<ActivityTracer> start(const Probes& probes, const ActivitySettings& settings);

    ActivityTracer(ActivityTracer&&) noexcept;
    ActivityTracer& operator=(ActivityTracer&&) noexcept;
    ~ActivityTracer();  // ends the following, too

    /// Takes what has been recorded, and sheds load when it costs too much. To be called every 20 to 50 ms.
    void drain();

    /// From now on the threads of these processes are followed, too; those already followed are left alone.
    /// What their sleeping threads do is looked at, with the stacks, as start() does. Fails where the
    /// iterator does.
    Result<void> follow(const std::vector<std::uint32_t>& processes);

    /// From now on these threads (pid, tid) are preferred, in place of those of the settings. Those asleep
    /// since the first look whose stack was not read then have it read now.
    void prefer(const std::set<std::pair<std::uint32_t, std::uint32_t>>& threads);

    /// A process that is followed; ids in waitclose's PID namespace, the start in ns of CLOCK_BOOTTIME.
    struct Process {
        std::uint32_t pid = 0;
        std::uint64_t start_ns = 0;
    };

    /// Those born meanwhile to processes that are followed, which the kernel follows from their birth on
    /// (with the typed hook): such as have been seen on a CPU since the last call.
    std::vector<Process> take_newborn();

    /// When it began, CLOCK_BOOTTIME in ns.
    std::uint64_t from_ns() const;

    /// Ends it and joins what was recorded; `to_ns`: a moment that has passed, in ns of CLOCK_BOOTTIME. To be
    /// called once.
    RawActivity finish(std::uint64_t to_ns);

    /// What was given up so far to stay within the overhead allowed, a sentence each.
    const std::vector<std::string>& shed() const;

    /// The share of one core so far that waitclose itself and its programs in the kernel have had.
    double overhead() const;

private:
    struct Parts;
    explicit ActivityTracer(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace waitclose::kernel
