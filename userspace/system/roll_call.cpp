// SPDX-License-Identifier: BSD-2-Clause
#include "system/roll_call.h"

#include <cerrno>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/directory.h"
#include "system/files.h"
#include "system/process_info.h"
#include "system/text.h"

namespace waitclose::system {
Life life_of(std::uint32_t pid) {
    const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (process) return Life::kProcess;
    if (errno == ESRCH) return Life::kNobody;
    // Of a thread that is not the first: EINVAL, since 6.9 ENOENT.
    return errno == EINVAL || errno == ENOENT ? Life::kThread : Life::kUnknown;
}

std::optional<std::uint32_t> process_of_thread(std::uint32_t tid) {
    constexpr std::string_view kName = "\nTgid:\t";
    const auto status = read_file(fmt::format("/proc/{}/status", tid), 4096);
    const auto at = status ? status->find(kName) : std::string::npos;
    if (at == std::string::npos) return std::nullopt;
    std::string_view rest = std::string_view(*status).substr(at + kName.size());
    const auto tgid = to_number(take_line(rest));
    return tgid ? std::optional(static_cast<std::uint32_t>(*tgid)) : std::nullopt;
}

bool any_process(const std::function<bool(const std::string& comm, const std::string& cgroup)>& condition) {
    const Directory processes = open_directory("/proc");
    if (!processes) return true;
    bool found_any = false;
    while (const dirent* entry = ::readdir(processes.get())) {
        if (!to_number(entry->d_name)) continue;
        const std::string root = fmt::format("/proc/{}", entry->d_name);
        const auto comm = read_file(root + "/comm", 64);
        if (!comm) continue;
        found_any = true;
        const auto cgroups = read_file(root + "/cgroup");
        const auto cgroup = cgroups ? cgroup_of(*cgroups) : std::nullopt;
        if (condition(comm->substr(0, comm->rfind('\n')), cgroup.value_or(""))) return true;
    }
    return !found_any;
}

}  // namespace waitclose::system
