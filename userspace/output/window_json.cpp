// SPDX-License-Identifier: BSD-2-Clause
#include "output/window_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "diagnose/shares.h"
#include "output/format.h"

namespace waitclose::output {

using nlohmann::ordered_json;

namespace {

ordered_json number_or_null(const std::optional<std::uint64_t>& number) {
    return number ? ordered_json(*number) : ordered_json(nullptr);
}

double rounded(double share) {
    constexpr double kDigits = 10'000;
    return std::round(share * kDigits) / kDigits;
}

ordered_json pressure_json(const model::PressureTime& pressure) {
    if (!pressure.some_ns && !pressure.full_ns) return nullptr;
    return {{"some_ns", number_or_null(pressure.some_ns)}, {"full_ns", number_or_null(pressure.full_ns)}};
}

ordered_json thread_json(const model::ThreadTime& thread) {
    const diagnose::Shares shares = diagnose::shares_of(thread);
    ordered_json slept = ordered_json::object();
    for (const auto& [what, share] : shares.slept) slept[std::string(id_of(what))] = rounded(share);
    return {{"pid", thread.pid},
            {"tid", thread.tid},
            {"comm", thread.comm},
            {"length_ns", thread.length_ns()},
            {"ended", thread.ended},
            {"on_cpu", rounded(shares.on_cpu)},
            {"waiting_for_cpu", rounded(shares.waiting)},
            {"asleep", std::move(slept)},
            {"asleep_unknown", rounded(shares.unsorted)},
            {"unaccounted", rounded(shares.unaccounted)}};
}

ordered_json throttling_json(const model::Throttling& cgroup) {
    return {{"cgroup", cgroup.cgroup},
            {"periods", cgroup.periods},
            {"throttled_periods", cgroup.throttled_periods},
            {"throttled_ns", cgroup.throttled_ns}};
}

ordered_json jvm_json(const model::JvmPauses& jvm) {
    return {{"pid", jvm.pid},
            {"collecting_ns", jvm.collecting_ns},
            {"collections", jvm.collections},
            {"safepoints_ns", jvm.safepoints_ns},
            {"one_pause", jvm.whole}};
}

template <typename Items, typename Write>
ordered_json array_of(const Items& items, const Write& write) {
    ordered_json array = ordered_json::array();
    for (const auto& item : items) array.push_back(write(item));
    return array;
}

}  // namespace

ordered_json window_json(const std::optional<model::Window>& window, std::int64_t wall_offset_ns) {
    if (!window) return nullptr;
    return {{"from", rfc3339(static_cast<std::int64_t>(window->from_ns) + wall_offset_ns)},
            {"length_ns", window->length_ns()},
            {"cpus", window->cpus},
            {"steal_ns", number_or_null(window->steal_ns)},
            {"pressure",
             {{"cpu", pressure_json(window->cpu)},
              {"memory", pressure_json(window->memory)},
              {"io", pressure_json(window->io)}}},
            {"throttled", array_of(window->throttled, throttling_json)},
            {"jvms", array_of(window->jvms, jvm_json)},
            {"threads", array_of(window->threads, thread_json)}};
}

}  // namespace waitclose::output
