// SPDX-License-Identifier: BSD-2-Clause
#include "bundle/evidence.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "system/files.h"
#include "system/host.h"
#include "system/process_info.h"
#include "system/program_name.h"

namespace waitclose::bundle {
namespace {

constexpr std::size_t kMostProcesses = 64;
constexpr std::uint64_t kMostDescriptors = 65'536;  // 1 to 2 µs each
constexpr std::size_t kTableBytes = 16 << 20;       // some 100,000 sockets a table
constexpr std::size_t kMostFiles = 64;

std::set<std::string> cgroups_of(const model::Census& census, const std::vector<std::uint32_t>& scope) {
    constexpr std::size_t kMost = 64;
    std::set<std::string> cgroups;
    for (const std::uint32_t index : scope)
        for (const auto& path : {census.processes[index].cgroup, census.processes[index].cpu_cgroup})
            if (path && cgroups.size() < kMost) cgroups.insert(*path);
    return cgroups;
}

ProcessEvidence evidence_of(const model::Process& process, bool with_arguments) {
    ProcessEvidence found;
    found.pid = process.pid;
    found.start_ns = process.start_ns;
    found.comm = process.comm;
    found.exe = process.exe;
    found.cgroup = process.cgroup;
    found.threads = process.thread_count;
    ProcessEvidence more = found;
    more.program = system::program_name(process.pid, with_arguments);
    more.limits = system::limits_in(
        system::read_file(fmt::format("/proc/{}/limits", process.pid), 1 << 16).value_or(""));
    more.descriptors = system::descriptor_kinds(process.pid, kMostDescriptors);
    more.tcp = system::tcp_states(process.pid, more.descriptors.sockets, kTableBytes);
    // Asked last: all of the above then belongs to the process that was meant.
    if (!system::is_same_process(process.pid, process.start_ns)) return found;
    return more;
}

bool lies_on_disk(const model::FileFact& file) {
    return (file.kind == model::FileKind::kRegular || file.kind == model::FileKind::kDirectory) &&
           file.name.starts_with('/');
}

std::vector<FileEvidence> files_waited_for(const model::Census& census,
                                           const std::vector<std::uint32_t>& scope) {
    std::vector<FileEvidence> files;
    for (const std::uint32_t index : scope) {
        const model::Process& process = census.processes[index];
        std::optional<std::vector<system::Mount>> mounts;
        for (const model::Thread& thread : census.threads_of(process)) {
            if (!thread.file || !lies_on_disk(*thread.file)) continue;
            const auto known = std::ranges::find_if(files, [&](const FileEvidence& file) {
                return file.path == thread.file->name && file.pid == process.pid;
            });
            if (known != files.end()) {
                ++known->threads;
                continue;
            }
            if (files.size() == kMostFiles) return files;
            if (!mounts)
                mounts = system::mounts_in(
                    system::read_file(fmt::format("/proc/{}/mountinfo", process.pid), 4 << 20).value_or(""));
            FileEvidence file{thread.file->name, process.pid, 1, {}, {}};
            if (const auto* mount = system::mount_of(*mounts, file.path)) {
                file.mount = *mount;
                file.space = system::space_of(process.pid, *mount);
            }
            files.push_back(std::move(file));
        }
    }
    return files;
}

/// Those of before that are others now.
std::vector<system::CgroupValue> changed(const std::vector<system::CgroupValue>& before,
                                         const std::vector<system::CgroupValue>& after) {
    std::vector<system::CgroupValue> found;
    for (const system::CgroupValue& then : before) {
        const auto now = std::ranges::find(after, then.name, &system::CgroupValue::name);
        if (now != after.end() && now->value != then.value) found.push_back(then);
    }
    return found;
}

}  // namespace

EvidenceTaker::EvidenceTaker(const model::Census& census, const std::vector<std::uint32_t>& scope)
    : from_ns_(system::boottime_ns()), disks_(system::disk_table()), machine_(system::machine_time()) {
    for (const std::string& path : cgroups_of(census, scope)) cgroups_[path] = system::cgroup_values(path);
}

void EvidenceTaker::end() {
    found_.from_ns = from_ns_;
    found_.to_ns = system::boottime_ns();
    found_.disks = system::disk_activity(disks_, system::disk_table(),
                                         std::max<std::uint64_t>(found_.to_ns - from_ns_, 1));
    model::Window window;
    system::add_machine_time(machine_, system::machine_time(), window);
    found_.cpus = window.cpus;
    found_.cpu = window.cpu;
    found_.memory_pressure = window.memory;
    found_.io = window.io;
    found_.steal_ns = window.steal_ns;
    found_.load = system::load();
    found_.memory = system::memory();
}

Evidence EvidenceTaker::finish(const model::Census& last, const std::vector<std::uint32_t>& scope,
                               std::size_t owners, bool with_arguments) const {
    Evidence found = found_;
    found.kernel_version = system::kernel_version();
    found.clock_source = system::clock_source();
    found.settings = system::settings();
    for (std::size_t n = 0; n < std::min(scope.size(), kMostProcesses); ++n) {
        found.processes.push_back(evidence_of(last.processes[scope[n]], with_arguments));
        found.processes.back().owner = n < owners;
    }
    found.processes_left_out = scope.size() - found.processes.size();
    for (const std::string& path : cgroups_of(last, scope)) {
        CgroupEvidence cgroup{path, system::cgroup_values(path), {}};
        if (const auto before = cgroups_.find(path); before != cgroups_.end())
            cgroup.before = changed(before->second, cgroup.values);
        found.cgroups.push_back(std::move(cgroup));
    }
    found.files = files_waited_for(last, scope);
    return found;
}

}  // namespace waitclose::bundle
