// SPDX-License-Identifier: BSD-2-Clause
#include "system/process_info.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/directory.h"
#include "system/files.h"
#include "system/machine_time.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

/// st_size of /proc/PID/fd is the number of open descriptors since 6.2; before, they are counted.
std::optional<std::uint64_t> fds_used_by(const std::string& root) {
    const std::string path = root + "/fd";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    if (status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
    const Directory directory = open_directory(path);
    if (!directory) return std::nullopt;
    std::uint64_t entries = 0;
    while (const dirent* entry = ::readdir(directory.get())) entries += entry->d_name[0] != '.';
    return entries;
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view before_last_slash(std::string_view path) {
    return path.substr(0, path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/'));
}

}  // namespace

void describe_process(model::Process& process) {
    const std::string root = fmt::format("/proc/{}", process.pid);
    model::Process found = process;
    found.exe = read_link(root + "/exe");
    if (auto cgroup = read_file(root + "/cgroup")) {
        found.cgroup = cgroup_of(*cgroup);
        found.cpu_cgroup = cpu_cgroup_of(*cgroup);
    }
    if (found.cgroup) found.container = container_of(*found.cgroup);
    found.fds_used = fds_used_by(root);
    if (auto limits = read_file(root + "/limits")) found.fd_limit = fd_limit_of(*limits);
    // Asked last: all of the above then belongs to the process that was meant.
    if (is_same_process(process.pid, process.start_ns)) process = std::move(found);
}

std::optional<std::uint64_t> process_start_ns(std::uint32_t pid) {
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
    const auto ticks = stat ? start_ticks_of(*stat) : std::nullopt;
    if (!ticks) return std::nullopt;
    return *ticks * (1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

std::optional<std::string> container_of(std::string_view cgroup) {
    while (!cgroup.empty()) {
        std::string_view part = cgroup.substr(cgroup.rfind('/') + 1);
        if (part.ends_with(".scope")) part.remove_suffix(6);
        // "docker-ID", "cri-containerd-ID", "crio-ID", "libpod-ID", or the bare id
        const std::string_view id =
            part.substr(part.rfind('-') == std::string_view::npos ? 0 : part.rfind('-') + 1);
        if (id.size() == 64 && is_hex(id)) return std::string(id.substr(0, 12));
        cgroup = before_last_slash(cgroup);
    }
    return std::nullopt;
}

std::optional<std::string> cgroup_of(std::string_view proc_cgroup) {
    std::optional<std::string> best;
    while (!proc_cgroup.empty()) {
        const std::string_view line = take_line(proc_cgroup);
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view path = line.substr(second + 1);
        if (line.starts_with("0::") && path != "/") return std::string(path);
        if (!best || path.size() > best->size()) best = std::string(path);
    }
    return best;
}

std::optional<std::uint64_t> fd_limit_of(std::string_view proc_limits) {
    constexpr std::string_view kName = "Max open files";
    const auto at = proc_limits.find(kName);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = proc_limits.substr(at + kName.size());
    return to_number(word(rest.substr(0, rest.find('\n')), 0));
}

bool is_same_process(std::uint32_t pid, std::uint64_t start_ns) {
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
    const auto ticks = stat ? start_ticks_of(*stat) : std::nullopt;
    return ticks &&
           *ticks == start_ns / (1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

std::optional<std::uint64_t> start_ticks_of(std::string_view proc_stat) {
    const auto after_comm = proc_stat.rfind(')');
    if (after_comm == std::string_view::npos) return std::nullopt;
    // The word after the comm is field 3.
    return to_number(word(proc_stat.substr(after_comm + 1), 22 - 3));
}

}  // namespace waitclose::system
