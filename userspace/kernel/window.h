// SPDX-License-Identifier: BSD-2-Clause
// A window between two censuses: what threads and the machine did in it.
#pragma once

#include <optional>
#include <vector>

#include "kernel/probes.h"
#include "kernel/shares.h"
#include "model/census.h"
#include "system/jvm.h"
#include "system/machine_time.h"

namespace waitclose::kernel {

/// Opened with the census that begins it; the census that ends it is given what happened in between. Where
/// switches are traced it can be opened once.
class WindowTaker {
public:
    /// `probes` must outlive it.
    explicit WindowTaker(const Probes& probes);

    /// Before the first census: the processes it reads threads of are those to follow.
    void prepare();

    void open(const model::Census& first);

    /// Adds the window to the census that ends it. Nothing happens to one that was never opened.
    void close(model::Census& last);

private:
    Switches switches() const;

    const Probes* probes_;
    bool traces_switches_;
    std::optional<std::uint64_t> from_ns_;
    std::vector<ThreadLook> first_;
    std::unordered_map<model::SocketKey, std::uint64_t, model::SocketKeyHash> eof_reads_;
    system::MachineTime machine_;
    std::vector<system::CgroupTime> cgroups_;
    std::vector<system::JvmCounters> jvms_;
};

}  // namespace waitclose::kernel
