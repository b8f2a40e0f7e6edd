// SPDX-License-Identifier: BSD-2-Clause
#include "system/machine_time.h"

#include <algorithm>

#include <unistd.h>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::uint64_t kNsPerUs = 1000;

/// The number after "name=" or "name ", whatever stands before it on the line.
std::optional<std::uint64_t> value_of(std::string_view line, std::string_view name) {
    const auto at = line.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    return to_number(word(line.substr(at + name.size()), 0));
}

/// A number after a name that a line begins with.
std::optional<std::uint64_t> line_value(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (word(line, 0) == name) return to_number(word(line, 1));
    }
    return std::nullopt;
}

bool lists(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (list.substr(0, comma) == name) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

model::PressureTime pressure_of(const char* path) {
    const auto text = read_file(path, 4096);
    return text ? pressure_in(*text) : model::PressureTime{};
}

std::optional<std::uint64_t> difference(std::optional<std::uint64_t> before,
                                        std::optional<std::uint64_t> after) {
    if (!before || !after || *after < *before) return std::nullopt;
    return *after - *before;
}

model::PressureTime difference(const model::PressureTime& before, const model::PressureTime& after) {
    return {difference(before.some_ns, after.some_ns), difference(before.full_ns, after.full_ns)};
}

/// The cgroups and all above them but the root, which has no quota.
std::set<std::string> with_ancestors(const std::set<std::string>& cgroups) {
    std::set<std::string> all;
    for (std::string path : cgroups)
        while (path.size() > 1 && all.insert(path).second) path.resize(path.rfind('/'));
    return all;
}

}  // namespace

MachineTime machine_time() {
    MachineTime now;
    const auto tick_ns = 1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    if (const auto stat = read_file("/proc/stat", 4096)) now.steal_ns = steal_in(*stat, tick_ns);
    now.cpus = static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    now.cpu = pressure_of("/proc/pressure/cpu");
    now.memory = pressure_of("/proc/pressure/memory");
    now.io = pressure_of("/proc/pressure/io");
    return now;
}

std::vector<CgroupTime> cgroup_times(const std::set<std::string>& cgroups) {
    std::vector<CgroupTime> times;
    const auto mounts = read_file("/proc/self/mounts");
    const auto mount = mounts ? cpu_mount_in(*mounts) : std::nullopt;
    if (!mount) return times;
    for (const std::string& cgroup : with_ancestors(cgroups)) {
        const auto text = read_file(*mount + cgroup + "/cpu.stat", 4096);
        auto time = text ? cpu_stat_in(*text) : std::nullopt;
        if (!time) continue;
        time->cgroup = cgroup;
        times.push_back(std::move(*time));
    }
    return times;
}

void add_machine_time(const MachineTime& before, const MachineTime& after, model::Window& window) {
    window.cpus = after.cpus;
    window.steal_ns = difference(before.steal_ns, after.steal_ns);
    window.cpu = difference(before.cpu, after.cpu);
    window.memory = difference(before.memory, after.memory);
    window.io = difference(before.io, after.io);
}

void add_throttling(std::span<const CgroupTime> before, std::span<const CgroupTime> after,
                    model::Window& window) {
    for (const CgroupTime& now : after) {
        const auto then = std::ranges::find(before, now.cgroup, &CgroupTime::cgroup);
        // One that was made anew meanwhile began to count again.
        if (then == before.end() || now.periods < then->periods || now.throttled_ns < then->throttled_ns ||
            now.throttled_periods < then->throttled_periods)
            continue;
        if (now.periods == then->periods && now.throttled_ns == then->throttled_ns) continue;
        window.throttled.push_back({now.cgroup, now.periods - then->periods,
                                    now.throttled_periods - then->throttled_periods,
                                    now.throttled_ns - then->throttled_ns});
    }
}

model::PressureTime pressure_in(std::string_view text) {
    model::PressureTime found;
    const auto as_ns = [](std::optional<std::uint64_t> us) {
        return us && *us <= ~std::uint64_t{0} / kNsPerUs ? std::optional(*us * kNsPerUs) : std::nullopt;
    };
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (word(line, 0) == "some") found.some_ns = as_ns(value_of(line, " total="));
        if (word(line, 0) == "full") found.full_ns = as_ns(value_of(line, " total="));
    }
    return found;
}

std::optional<std::uint64_t> steal_in(std::string_view proc_stat, std::uint64_t tick_ns) {
    constexpr int kSteal = 8;
    while (!proc_stat.empty()) {
        const std::string_view line = take_line(proc_stat);
        if (word(line, 0) != "cpu") continue;
        const auto ticks = to_number(word(line, kSteal));
        if (!ticks || *ticks > ~std::uint64_t{0} / tick_ns) return std::nullopt;
        return *ticks * tick_ns;
    }
    return std::nullopt;
}

std::optional<CgroupTime> cpu_stat_in(std::string_view text) {
    const auto periods = line_value(text, "nr_periods");
    const auto throttled = line_value(text, "nr_throttled");
    auto ns = line_value(text, "throttled_time");
    if (const auto us = line_value(text, "throttled_usec"); us && *us <= ~std::uint64_t{0} / kNsPerUs)
        ns = *us * kNsPerUs;
    if (!periods || !throttled || !ns) return std::nullopt;
    return CgroupTime{"", *periods, *throttled, *ns};
}

std::optional<std::string> cpu_cgroup_of(std::string_view proc_cgroup) {
    std::optional<std::string> found;
    while (!proc_cgroup.empty()) {
        const std::string_view line = take_line(proc_cgroup);
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const bool is_v1 = lists(line.substr(first + 1, second - first - 1), "cpu");
        if (!is_v1 && !(line.starts_with("0::") && !found)) continue;
        found = std::string(line.substr(second + 1));
        if (is_v1) break;
    }
    if (found && (!found->starts_with('/') || found->find("/..") != std::string::npos)) return std::nullopt;
    return found;
}

std::optional<std::string> cpu_mount_in(std::string_view mounts) {
    std::optional<std::string> unified;
    while (!mounts.empty()) {
        const std::string_view line = take_line(mounts);
        if (word(line, 2) == "cgroup" && lists(word(line, 3), "cpu")) return std::string(word(line, 1));
        if (word(line, 2) == "cgroup2" && !unified) unified = std::string(word(line, 1));
    }
    return unified;
}

}  // namespace waitclose::system
