// SPDX-License-Identifier: BSD-2-Clause
// The threads of some processes as they are now, from an iterator.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bpf/activity_records.h"
#include "failure.h"
#include "kernel/iterator.h"
#include "kernel/probes.h"
#include "kernel/sleeping_stacks.h"

namespace waitclose::kernel {

class RestingReader {
public:
    /// `probes` must outlive it. Nothing where the kernel has no way to tell.
    static Result<std::optional<RestingReader>> prepare(const Probes& probes);

    /// All threads of the processes, ids in waitclose's PID namespace.
    Result<std::vector<wc_resting>> read(std::span<const std::uint32_t> processes) const;

private:
    RestingReader(const Probes& probes, Iterator&& iterator)
        : probes_(&probes), iterator_(std::move(iterator)) {}

    const Probes* probes_;
    Iterator iterator_;
};

/// Whether the thread sleeps, and not because somebody stopped it half-way through its exit.
bool sleeps(const wc_resting& record);

/// Whether a thread did not run between two looks at it.
bool rested_between(const wc_resting& before, const wc_resting& after);

/// The stacks of those among `threads` that sleep, with their memory; see sleeping_stacks(). `threads` was
/// read a moment ago.
Result<std::vector<model::RawStack>> read_stacks(const RestingReader& reader,
                                                 const std::vector<wc_resting>& threads,
                                                 const StackLimits& limits);

}  // namespace waitclose::kernel
