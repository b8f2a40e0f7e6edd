// SPDX-License-Identifier: BSD-2-Clause
#include <nlohmann/json.hpp>

#include "bundle/evidence_output.h"
#include "output/format.h"
#include "output/listeners.h"

namespace waitclose::bundle {
namespace {

using nlohmann::ordered_json;

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json pressure_json(const model::PressureTime& pressure) {
    return {{"some_ns", or_null(pressure.some_ns)}, {"full_ns", or_null(pressure.full_ns)}};
}

ordered_json disk_json(const system::DiskActivity& disk) {
    return {{"name", disk.name},
            {"device", std::to_string(disk.major) + ":" + std::to_string(disk.minor)},
            {"busy", disk.busy},
            {"reads", disk.reads},
            {"read_bytes", disk.read_bytes},
            {"mean_read_ms", or_null(disk.mean_read_ms)},
            {"writes", disk.writes},
            {"written_bytes", disk.written_bytes},
            {"mean_write_ms", or_null(disk.mean_write_ms)},
            {"flushes", or_null(disk.flushes)},
            {"mean_flush_ms", or_null(disk.mean_flush_ms)},
            {"in_flight", disk.in_flight}};
}

ordered_json process_json(const ProcessEvidence& process) {
    ordered_json limits = ordered_json::array();
    for (const system::Limit& limit : process.limits)
        limits.push_back({{"name", limit.name},
                          {"soft", or_null(limit.soft)},
                          {"hard", or_null(limit.hard)},
                          {"unit", limit.unit}});
    ordered_json states = ordered_json::object();
    for (const auto& [state, count] : process.tcp.count) states[model::name_of(state)] = count;
    return {{"pid", process.pid},
            {"start_ns", process.start_ns},
            {"comm", process.comm},
            {"exe", or_null(process.exe)},
            {"command", or_null(process.program)},
            {"holds", process.owner},
            {"threads", process.threads},
            {"cgroup", or_null(process.cgroup)},
            {"descriptors",
             {{"by_kind", process.descriptors.count},
              {"deleted_files", process.descriptors.deleted},
              {"complete", process.descriptors.whole}}},
            {"tcp", {{"by_state", std::move(states)}, {"complete", process.tcp.whole}}},
            {"limits", std::move(limits)}};
}

ordered_json values_json(const std::vector<system::CgroupValue>& values) {
    ordered_json object = ordered_json::object();
    for (const system::CgroupValue& value : values) object[value.name] = value.value;
    return object;
}

ordered_json file_json(const FileEvidence& file) {
    ordered_json object{{"path", file.path}, {"pid", file.pid}, {"threads", file.threads}};
    object["mount"] = nullptr;
    if (file.mount)
        object["mount"] = {{"point", file.mount->point},   {"source", file.mount->source},
                           {"device", file.mount->device}, {"type", file.mount->type},
                           {"root", file.mount->root},     {"options", file.mount->options}};
    object["space"] = nullptr;
    if (file.space)
        object["space"] = {{"size_bytes", file.space->size_bytes},
                           {"free_bytes", file.space->free_bytes},
                           {"files", file.space->files},
                           {"free_files", file.space->free_files}};
    return object;
}

template <typename Items, typename Use>
ordered_json array_of(const Items& items, const Use& use) {
    ordered_json array = ordered_json::array();
    for (const auto& item : items) array.push_back(use(item));
    return array;
}

}  // namespace

ordered_json evidence_json(const Evidence& evidence, const model::Census& census) {
    const auto wall = [&](std::uint64_t ns) {
        return output::rfc3339(static_cast<std::int64_t>(ns) + census.wall_offset_ns);
    };
    ordered_json memory = ordered_json::object();
    for (const auto& [name, bytes] : evidence.memory) memory[name] = bytes;
    ordered_json settings = ordered_json::object();
    for (const auto& [name, value] : evidence.settings) settings[name] = value;
    ordered_json listeners = ordered_json::array();
    for (std::size_t i = 0; i < census.listeners.size(); ++i)
        listeners.push_back(output::listener_json(census, i));
    return {{"schema", kSystemSchema},
            {"from", wall(evidence.from_ns)},
            {"to", wall(evidence.to_ns)},
            {"kernel_version", or_null(evidence.kernel_version)},
            {"clock_source", or_null(evidence.clock_source)},
            {"cpus", evidence.cpus},
            {"load", or_null(evidence.load)},
            {"steal_ns", or_null(evidence.steal_ns)},
            {"pressure",
             {{"cpu", pressure_json(evidence.cpu)},
              {"memory", pressure_json(evidence.memory_pressure)},
              {"io", pressure_json(evidence.io)}}},
            {"memory_bytes", std::move(memory)},
            {"disks", array_of(evidence.disks, disk_json)},
            {"files_waited_for", array_of(evidence.files, file_json)},
            {"processes", array_of(evidence.processes, process_json)},
            {"processes_left_out", evidence.processes_left_out},
            {"cgroups", array_of(evidence.cgroups,
                                 [](const CgroupEvidence& cgroup) {
                                     return ordered_json{{"path", cgroup.path},
                                                         {"values", values_json(cgroup.values)},
                                                         {"before", values_json(cgroup.before)}};
                                 })},
            {"networks", output::networks_json(census)},
            {"listeners", std::move(listeners)},
            {"settings", std::move(settings)}};
}

}  // namespace waitclose::bundle
