// SPDX-License-Identifier: BSD-2-Clause
// What the system was like while a capture ran: what its programs may use and do use, what the machine was
// short of. Gathered at the two ends of the capture.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/census.h"
#include "system/cgroup_limits.h"
#include "system/descriptor_kinds.h"
#include "system/disk_statistics.h"
#include "system/limits.h"
#include "system/machine_facts.h"
#include "system/machine_time.h"
#include "system/mounts.h"
#include "system/tcp_table.h"

namespace waitclose::bundle {

/// A process that holds what was asked for, or that is waited for.
struct ProcessEvidence {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    std::string comm;
    std::optional<std::string> exe;
    std::optional<std::string> program;  // argv[0], or all of the command line where that was asked for
    std::optional<std::string> cgroup;
    std::uint64_t threads = 0;
    bool owner = true;  // it holds; else it is waited for
    std::vector<system::Limit> limits;
    system::DescriptorKinds descriptors;
    system::TcpStates tcp;
};

/// A cgroup's files at both ends; the values of the begin are those that changed.
struct CgroupEvidence {
    std::string path;
    std::vector<system::CgroupValue> values;
    std::vector<system::CgroupValue> before;
};

/// A file that threads wait for, and what it lies on.
struct FileEvidence {
    std::string path;
    std::uint32_t pid = 0;  // of the first of them
    std::uint64_t threads = 0;
    std::optional<system::Mount> mount;
    std::optional<system::Space> space;
};

struct Evidence {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::optional<std::string> kernel_version;
    std::optional<std::string> clock_source;
    std::optional<std::string> load;
    std::uint32_t cpus = 0;
    model::PressureTime cpu;
    model::PressureTime memory_pressure;
    model::PressureTime io;
    std::optional<std::uint64_t> steal_ns;
    std::vector<std::pair<std::string, std::uint64_t>> memory;
    system::NamedTexts settings;
    std::vector<system::DiskActivity> disks;
    std::vector<ProcessEvidence> processes;
    std::uint64_t processes_left_out = 0;
    std::vector<CgroupEvidence> cgroups;
    std::vector<FileEvidence> files;
};

/// Reads the counters of the begin; end() those of the end; and finish() what lasts longer.
class EvidenceTaker {
public:
    /// `census`, `scope`: the first, and its processes that the capture is about, owners first.
    EvidenceTaker(const model::Census& census, const std::vector<std::uint32_t>& scope);

    void end();

    /// After end(). `owners`: so many of the processes in scope hold something; `with_arguments`: whole
    /// command lines.
    Evidence finish(const model::Census& last, const std::vector<std::uint32_t>& scope, std::size_t owners,
                    bool with_arguments) const;

private:
    std::uint64_t from_ns_;
    Evidence found_;
    system::DiskTable disks_;
    system::MachineTime machine_;
    std::map<std::string, std::vector<system::CgroupValue>> cgroups_;
};

}  // namespace waitclose::bundle
