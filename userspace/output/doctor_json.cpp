// SPDX-License-Identifier: BSD-2-Clause
#include "output/doctor_json.h"

#include <optional>

#include <nlohmann/json.hpp>

#include "model/limits.h"
#include "output/json.h"

namespace waitclose::output {

using nlohmann::ordered_json;

namespace {

template <typename T>
ordered_json known(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json known(const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json works_json(const std::optional<Failure>& failure) {
    return {{"works", !failure}, {"why_not", failure ? known(failure->what) : ordered_json(nullptr)}};
}

ordered_json capabilities_json(const model::Findings& findings) {
    ordered_json capabilities = ordered_json::array();
    for (const model::CapabilityFinding& one : findings.capabilities)
        capabilities.push_back({{"name", one.name},
                                {"held", one.held},
                                {"in_bounding_set", one.grantable},
                                {"required", one.required},
                                {"why", one.why},
                                {"without", one.without}});
    return capabilities;
}

ordered_json alternatives_json(const model::NeedFinding& need) {
    ordered_json alternatives = ordered_json::array();
    for (const model::HookFinding& hook : need.hooks)
        alternatives.push_back({{"hook", hook.name},
                                {"since", hook.since},
                                {"cost", hook.cost},
                                {"lost", known(hook.without)},
                                {"refused", known(hook.refused)}});
    return alternatives;
}

ordered_json hooks_json(const model::Findings& findings) {
    ordered_json hooks = ordered_json::array();
    for (const model::NeedFinding& need : findings.needs) {
        const model::HookFinding* hook = need.choice();
        hooks.push_back({{"need", need.name},
                         {"hook", hook ? known(hook->name) : ordered_json(nullptr)},
                         {"cost", hook ? known(hook->cost) : ordered_json(nullptr)},
                         {"lost", known(hook ? hook->without : need.without)},
                         {"alternatives", alternatives_json(need)}});
    }
    return hooks;
}

ordered_json limits_json(const model::Findings& findings) {
    ordered_json limits = ordered_json::array();
    for (const model::Limit& limit : model::limits_of(findings))
        limits.push_back(
            {{"what", limit.what}, {"remedy", limit.remedy.text}, {"command", known(limit.remedy.command)}});
    return limits;
}

}  // namespace

std::string doctor_json(const model::Findings& findings) {
    const model::Surroundings& here = findings.surroundings;
    ordered_json census = works_json(findings.census);
    census["sockets"] = findings.census ? ordered_json(nullptr) : ordered_json(findings.sockets);
    const model::NetworkFinding& networks = findings.networks;
    return dump({{"schema", kDoctorSchema},
                 {"verdict", model::name_of(model::verdict_of(findings))},
                 {"kernel", known(here.kernel)},
                 {"btf", here.has_btf},
                 {"lockdown", known(here.lockdown)},
                 {"tracefs", here.has_tracefs},
                 {"container", known(here.container)},
                 {"netns", known(here.netns)},
                 {"network_namespaces",
                  {{"found", networks.found}, {"entered", networks.entered}, {"untold", networks.untold}}},
                 {"nested_pid_namespace", known(here.nested_pid_namespace)},
                 {"nested_user_namespace", known(here.nested_user_namespace)},
                 {"capabilities", capabilities_json(findings)},
                 {"census", std::move(census)},
                 {"tracing", works_json(findings.tracing)},
                 {"all_options", works_json(findings.census ? findings.census : findings.options)},
                 {"hooks", hooks_json(findings)},
                 {"limits", limits_json(findings)}}) +
           "\n";
}

}  // namespace waitclose::output
