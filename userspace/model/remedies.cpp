// SPDX-License-Identifier: BSD-2-Clause
#include "model/remedies.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace waitclose::model {
namespace {

constexpr const char* kReport = "please report this with the output of 'waitclose doctor --json'";
constexpr const char* kInstalled = "/usr/local/bin/waitclose";
constexpr const char* kWhereItIs = "\"$(command -v waitclose)\"";

bool lacks_any(const Findings& findings) {
    return std::any_of(findings.capabilities.begin(), findings.capabilities.end(),
                       [&](const auto& one) { return is_missing(findings, one); });
}

bool lacks_ungrantable(const Findings& findings) {
    return std::any_of(findings.capabilities.begin(), findings.capabilities.end(),
                       [&](const auto& one) { return is_missing(findings, one) && !one.grantable; });
}

/// "cap_sys_admin" is SYS_ADMIN to docker and podman.
std::string container_name_of(const std::string& capability) {
    std::string name = capability.starts_with("cap_") ? capability.substr(4) : capability;
    for (char& c : name)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return name;
}

/// The command that starts the container with everything that is missing, so that once is enough.
Remedy container_remedy(const Findings& findings) {
    const Surroundings& here = findings.surroundings;
    std::string command = fmt::format("{} run", here.container == "podman" ? "podman" : "docker");
    if (!here.is_root && lacks_any(findings)) command += " --user root";
    if (here.nested_pid_namespace.value_or(false)) command += " --pid host";
    for (const CapabilityFinding& one : findings.capabilities)
        if (is_missing(findings, one) && !one.grantable)
            command += " --cap-add " + container_name_of(one.name);
    if (here.confined_by_apparmor) command += " --security-opt apparmor=unconfined";
    if (!here.has_tracefs) command += " -v /sys/kernel/tracing:/sys/kernel/tracing:ro";
    return {"run it on the host, or start the container with these options", command + " IMAGE"};
}

std::string setcap_command(const Findings& findings, const std::string& binary) {
    std::string names;
    for (const CapabilityFinding& one : findings.capabilities) names += (names.empty() ? "" : ",") + one.name;
    return fmt::format("sudo setcap {}+ep {}", names, binary);
}

Remedy tracefs_remedy(const Findings& findings) {
    if (findings.surroundings.container) return container_remedy(findings);
    return {"mount tracefs", "sudo mount -t tracefs tracefs /sys/kernel/tracing"};
}

Remedy outside_user_namespace() {
    return {"run it as root of the host, outside this user namespace; a rootless container cannot", ""};
}

/// The hooks that would serve the need better than what was chosen.
std::span<const HookFinding> better_hooks(const NeedFinding& need) {
    return std::span(need.hooks).first(need.chosen.value_or(need.hooks.size()));
}

std::string names_of(std::span<const HookFinding> hooks, Obstacle obstacle) {
    std::string names;
    for (const HookFinding& hook : hooks)
        if (hook.obstacle == obstacle) names += (names.empty() ? "" : " or ") + hook.name;
    return names;
}

std::string switched_off(std::span<const HookFinding> hooks) {
    std::string options;
    for (const HookFinding& hook : hooks)
        if (hook.obstacle == Obstacle::kSwitchedOff)
            options += fmt::format("{}--no-hook {}", options.empty() ? "" : " or ", hook.name);
    return options;
}

bool is_unserved(const NeedFinding& need, bool of_census) {
    return need.of_census == of_census && !need.chosen &&
           std::all_of(need.hooks.begin(), need.hooks.end(),
                       [](const HookFinding& hook) { return hook.refused.has_value(); });
}

/// One that works again when others make room comes before those that never do.
const NeedFinding* first_unserved(const Findings& findings, bool of_census) {
    const NeedFinding* first = nullptr;
    for (const NeedFinding& need : findings.needs) {
        if (!is_unserved(need, of_census)) continue;
        if (std::any_of(need.hooks.begin(), need.hooks.end(),
                        [](const HookFinding& hook) { return hook.obstacle == Obstacle::kTaken; }))
            return &need;
        if (!first) first = &need;
    }
    return first;
}

}  // namespace

std::string shell_quoted(std::string_view word) {
    const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("/._-+,:=@%").find(c) != std::string_view::npos;
    };
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted + "'";
}

bool is_missing(const Findings& findings, const CapabilityFinding& capability) {
    return !capability.held && (findings.census || !capability.required);
}

bool may_load(const Findings& findings) {
    return !findings.surroundings.nested_user_namespace.value_or(false) &&
           std::none_of(findings.capabilities.begin(), findings.capabilities.end(),
                        [&](const auto& one) { return one.required && is_missing(findings, one); });
}

Remedy capability_remedy(const Findings& findings) {
    const Surroundings& here = findings.surroundings;
    if (here.nested_user_namespace.value_or(false)) return outside_user_namespace();
    if (here.container && (!here.is_root || lacks_ungrantable(findings))) return container_remedy(findings);
    if (lacks_ungrantable(findings))
        return {
            "start it from a session or service whose bounding set has them (in a systemd unit: "
            "CapabilityBoundingSet=)",
            ""};
    if (here.no_new_privileges)
        return {
            "start it from a session without no_new_privs: under that neither sudo nor file capabilities "
            "have an effect",
            ""};
    const std::string binary = here.binary.empty() ? kWhereItIs : shell_quoted(here.binary);
    if (here.binary_on_nosuid)
        return {
            "run it with sudo, or install it with its capabilities, which have no effect where it is now "
            "(a nosuid mount)",
            fmt::format("sudo install {} {} && {}", binary, kInstalled,
                        setcap_command(findings, kInstalled))};
    return {"run it with sudo, or give the program its capabilities once", setcap_command(findings, binary)};
}

Remedy pid_namespace_remedy(const Findings& findings) {
    if (findings.surroundings.container) return container_remedy(findings);
    return {"run it on the host, outside this PID namespace", ""};
}

Remedy hidden_processes_remedy(const Findings& findings) {
    if (findings.surroundings.container && findings.surroundings.confined_by_apparmor)
        return container_remedy(findings);
    return {"a security module may keep them: let its policy allow it", ""};
}

Remedy hook_remedy(const Findings& findings, const NeedFinding& need) {
    const auto better = better_hooks(need);
    const auto easiest = std::min_element(better.begin(), better.end(), [](const auto& a, const auto& b) {
        // What nothing speaks against was not chosen for a reason that is not known here.
        return a.obstacle != Obstacle::kNothing &&
               (b.obstacle == Obstacle::kNothing || a.obstacle < b.obstacle);
    });
    switch (easiest == better.end() ? Obstacle::kNothing : easiest->obstacle) {
    case Obstacle::kNothing: break;
    case Obstacle::kSwitchedOff: return {"leave out " + switched_off(better), ""};
    case Obstacle::kTaken: return {std::string(kEndOtherTracers), "sudo bpftool perf; sudo bpftool link"};
    case Obstacle::kPrivilege: return capability_remedy(findings);
    case Obstacle::kTracefs: return tracefs_remedy(findings);
    case Obstacle::kOldKernel:
        return {fmt::format("boot Linux {} or later: it has {}", easiest->since, easiest->name), ""};
    case Obstacle::kKernel: return {"boot a kernel that allows " + names_of(better, Obstacle::kKernel), ""};
    }
    return {kReport, ""};
}

Remedy census_remedy(const Findings& findings) {
    const Surroundings& here = findings.surroundings;
    if (here.nested_user_namespace.value_or(false)) return outside_user_namespace();
    if (here.lockdown == "confidentiality")
        return {"boot with lockdown=integrity on the kernel's command line", ""};
    if (!here.has_btf) return {findings.census->remedy, ""};
    const NeedFinding* unserved = first_unserved(findings, true);
    if (!unserved) return {findings.census->remedy, ""};
    return hook_remedy(findings, *unserved);
}

Remedy tracing_remedy(const Findings& findings) {
    if (const NeedFinding* unserved = first_unserved(findings, false))
        return hook_remedy(findings, *unserved);
    return {fmt::format("'waitclose snapshot' works without tracing; {}", kReport), ""};
}

}  // namespace waitclose::model
