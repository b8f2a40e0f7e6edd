// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bundle/evidence_output.h"
#include "output/escape.h"
#include "output/format.h"
#include "system/text.h"

namespace waitclose::bundle {
namespace {

using output::printable;

std::string size_text(std::uint64_t bytes) {
    constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
    return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string share_text(std::optional<std::uint64_t> part_ns, std::uint64_t whole_ns) {
    if (!part_ns || whole_ns == 0) return "not known";
    return fmt::format("{:.1f} %", 100.0 * static_cast<double>(*part_ns) / static_cast<double>(whole_ns));
}

std::string bound_text(std::optional<std::uint64_t> bound) {
    return bound ? output::count_text(*bound) : "unlimited";
}

std::string machine_text(const Evidence& evidence) {
    const std::uint64_t length = evidence.to_ns - evidence.from_ns;
    std::string text = fmt::format("Machine, over {}\n", output::duration_text(length));
    if (evidence.kernel_version)
        text += fmt::format("  kernel        {}\n", printable(*evidence.kernel_version));
    text += fmt::format("  CPUs          {}, clock {}, load {}\n", evidence.cpus,
                        printable(evidence.clock_source.value_or("not known")),
                        printable(evidence.load.value_or("not known")));
    text += fmt::format("  pressure      cpu {}, memory {}, io {} (some task waited)\n",
                        share_text(evidence.cpu.some_ns, length),
                        share_text(evidence.memory_pressure.some_ns, length),
                        share_text(evidence.io.some_ns, length));
    for (const auto& [name, bytes] : evidence.memory)
        if (name == "MemTotal" || name == "MemAvailable" || name == "Dirty" || name == "Writeback")
            text += fmt::format("  {:<13} {}\n", name, size_text(bytes));
    return text;
}

std::string mean_text(std::optional<double> ms) {
    return ms ? fmt::format("{:.1f} ms", *ms) : "-";
}

std::string disks_text(const Evidence& evidence) {
    if (evidence.disks.empty()) return "Disks: none did anything, or none can be seen\n";
    std::string text = "Disks\n";
    for (const system::DiskActivity& disk : evidence.disks)
        text += fmt::format(
            "  {:<12} {:5.1f} % busy; {} reads ({}, {} each), {} writes ({}, {} each), {} flushes ({} each), "
            "{} in flight\n",
            printable(disk.name), 100 * disk.busy, disk.reads, size_text(disk.read_bytes),
            mean_text(disk.mean_read_ms), disk.writes, size_text(disk.written_bytes),
            mean_text(disk.mean_write_ms),
            disk.flushes ? std::to_string(*disk.flushes) : std::string("unknown"),
            mean_text(disk.mean_flush_ms), disk.in_flight);
    return text;
}

std::string files_text(const Evidence& evidence) {
    std::string text;
    for (const FileEvidence& file : evidence.files) {
        text += fmt::format("  {} (process {}, {} thread{})\n", printable(file.path), file.pid, file.threads,
                            file.threads == 1 ? "" : "s");
        if (file.mount)
            text += fmt::format("    on {} ({}) from {}, {}\n", printable(file.mount->point),
                                printable(file.mount->type), printable(file.mount->source),
                                printable(file.mount->options));
        if (file.space)
            text += fmt::format("    {} of {} free\n", size_text(file.space->free_bytes),
                                size_text(file.space->size_bytes));
    }
    return text.empty() ? text : "Files that threads wait for\n" + text;
}

std::string process_text(const ProcessEvidence& process) {
    std::string text = fmt::format("  {} ({}){}: {} threads\n", process.pid, printable(process.comm),
                                   process.owner ? "" : ", waited for", process.threads);
    if (process.program) text += fmt::format("    command      {}\n", printable(*process.program));
    if (process.cgroup) text += fmt::format("    cgroup       {}\n", printable(*process.cgroup));
    std::vector<std::string> parts;
    for (const auto& [kind, count] : process.descriptors.count)
        parts.push_back(fmt::format("{} {}", output::count_text(count), kind));
    if (!parts.empty())
        text += fmt::format("    descriptors  {}{}\n", fmt::join(parts, ", "),
                            process.descriptors.whole ? "" : ", and more that were not looked at");
    parts.clear();
    for (const auto& [state, count] : process.tcp.count)
        parts.push_back(fmt::format("{} {}", output::count_text(count), model::name_of(state)));
    if (!parts.empty())
        text += fmt::format("    TCP          {}{}\n", fmt::join(parts, ", "),
                            process.tcp.whole ? "" : ", and maybe more");
    for (const system::Limit& limit : process.limits)
        if (limit.name == "Max open files" || limit.name == "Max processes")
            text += fmt::format("    {:<12} {} (hard {})\n", limit.name.substr(4), bound_text(limit.soft),
                                bound_text(limit.hard));
    return text;
}

std::string cgroups_text(const Evidence& evidence) {
    std::string text;
    for (const CgroupEvidence& cgroup : evidence.cgroups) {
        if (cgroup.values.empty()) continue;
        text += fmt::format("  {}\n", printable(cgroup.path));
        for (const system::CgroupValue& value : cgroup.values) {
            text += fmt::format("    {:<22} {}\n", value.name, printable(value.value));
            const auto before = std::ranges::find(cgroup.before, value.name, &system::CgroupValue::name);
            if (before != cgroup.before.end())
                text += fmt::format("    {:<22} {}\n", "  at the begin", printable(before->value));
        }
    }
    return text.empty() ? text : "Cgroups\n" + text;
}

std::string listeners_text(const model::Census& census) {
    std::string text;
    for (const model::Socket& listener : census.listeners)
        text += fmt::format("  {}: {} of {} in the accept queue\n",
                            output::endpoint_text(listener.family, listener.local), listener.backlog,
                            listener.backlog_limit);
    return text.empty() ? text : "Listeners\n" + text;
}

}  // namespace

std::string evidence_text(const Evidence& evidence, const model::Census& census) {
    std::string text = machine_text(evidence) + "\n" + disks_text(evidence) + "\n";
    if (const std::string files = files_text(evidence); !files.empty()) text += files + "\n";
    text += "Processes\n";
    for (const ProcessEvidence& process : evidence.processes) text += process_text(process);
    if (evidence.processes_left_out) text += fmt::format("  and {} more\n", evidence.processes_left_out);
    text += "\n";
    for (const std::string& part : {cgroups_text(evidence), listeners_text(census)})
        if (!part.empty()) text += part + "\n";
    text += "Settings\n";
    for (const auto& [name, value] : evidence.settings)
        text += fmt::format("  {:<36} {}\n", name, printable(value));
    return text;
}

}  // namespace waitclose::bundle
