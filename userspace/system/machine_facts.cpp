// SPDX-License-Identifier: BSD-2-Clause
#include "system/machine_facts.h"

#include <algorithm>
#include <array>
#include <limits>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::array kSettings{"net.ipv4.tcp_keepalive_time",
                               "net.ipv4.tcp_keepalive_intvl",
                               "net.ipv4.tcp_keepalive_probes",
                               "net.ipv4.tcp_fin_timeout",
                               "net.ipv4.tcp_max_tw_buckets",
                               "net.ipv4.tcp_tw_reuse",
                               "net.ipv4.tcp_max_orphans",
                               "net.ipv4.tcp_orphan_retries",
                               "net.ipv4.tcp_retries2",
                               "net.ipv4.tcp_syn_retries",
                               "net.ipv4.tcp_synack_retries",
                               "net.ipv4.tcp_max_syn_backlog",
                               "net.ipv4.tcp_syncookies",
                               "net.ipv4.tcp_abort_on_overflow",
                               "net.ipv4.tcp_mem",
                               "net.ipv4.tcp_rmem",
                               "net.ipv4.tcp_wmem",
                               "net.ipv4.tcp_user_timeout",
                               "net.ipv4.ip_local_port_range",
                               "net.core.somaxconn",
                               "net.core.netdev_max_backlog",
                               "fs.file-nr",
                               "fs.file-max",
                               "fs.nr_open",
                               "fs.epoll.max_user_watches",
                               "kernel.threads-max",
                               "kernel.pid_max",
                               "kernel.sched_rt_runtime_us",
                               "kernel.perf_event_paranoid",
                               "kernel.yama.ptrace_scope",
                               "vm.dirty_ratio",
                               "vm.dirty_background_ratio",
                               "vm.dirty_bytes",
                               "vm.dirty_background_bytes",
                               "vm.dirty_expire_centisecs",
                               "vm.dirty_writeback_centisecs",
                               "vm.swappiness",
                               "vm.overcommit_memory",
                               "vm.max_map_count"};

constexpr std::array<std::string_view, 14> kMemory{
    "MemTotal", "MemFree",   "MemAvailable", "Buffers", "Cached",     "SwapTotal",   "SwapFree",
    "Dirty",    "Writeback", "AnonPages",    "Slab",    "SUnreclaim", "CommitLimit", "Committed_AS"};

}  // namespace

NamedTexts settings() {
    NamedTexts found;
    for (const std::string name : kSettings) {
        std::string path = name;
        std::ranges::replace(path, '.', '/');
        auto value = read_line("/proc/sys/" + path);
        if (!value) continue;
        std::ranges::replace(*value, '\t', ' ');
        found.emplace_back(name, std::move(*value));
    }
    return found;
}

std::vector<std::pair<std::string, std::uint64_t>> memory_in(std::string_view meminfo) {
    constexpr std::uint64_t kKib = 1024;
    std::vector<std::pair<std::string, std::uint64_t>> found;
    while (!meminfo.empty()) {
        const std::string_view line = take_line(meminfo);
        std::string_view name = word(line, 0);
        if (!name.ends_with(':')) continue;
        name.remove_suffix(1);
        const auto kib = to_number(word(line, 1));
        if (kib && *kib <= std::numeric_limits<std::uint64_t>::max() / kKib && word(line, 2) == "kB" &&
            std::ranges::find(kMemory, name) != kMemory.end())
            found.emplace_back(name, *kib * kKib);
    }
    return found;
}

std::vector<std::pair<std::string, std::uint64_t>> memory() {
    const auto text = read_file("/proc/meminfo", 1 << 16);
    return memory_in(text.value_or(""));
}

std::optional<std::string> load() {
    auto line = read_line("/proc/loadavg");
    if (line && line->find_last_of(' ') != std::string::npos) line->resize(line->find_last_of(' '));
    return line;
}

std::optional<std::string> clock_source() {
    return read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

std::optional<std::string> kernel_version() {
    return read_line("/proc/version");
}

}  // namespace waitclose::system
