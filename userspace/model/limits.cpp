// SPDX-License-Identifier: BSD-2-Clause
#include "model/limits.h"

#include <algorithm>

#include <fmt/format.h>

namespace waitclose::model {
namespace {

constexpr const char* kReport = "please report this with the output of 'waitclose doctor --json'";

bool holds(const Findings& findings, std::string_view capability) {
    return std::any_of(findings.capabilities.begin(), findings.capabilities.end(),
                       [&](const auto& one) { return one.name == capability && one.held; });
}

bool is_foreign_user(const Findings& findings) {
    return findings.surroundings.nested_user_namespace.value_or(false);
}

bool is_locked_down(const Findings& findings) {
    return findings.surroundings.lockdown == "confidentiality" && (findings.census || findings.tracing);
}

void add_privileges(const Findings& findings, std::vector<Limit>& limits) {
    if (is_foreign_user(findings))
        limits.push_back({"it runs in a user namespace, outside which its capabilities do not count",
                          capability_remedy(findings)});
    for (const CapabilityFinding& one : findings.capabilities)
        if (is_missing(findings, one))
            limits.push_back(
                {fmt::format("{} is missing: {}", one.name, one.without), capability_remedy(findings)});
}

/// What a missing privilege explains is not said again.
void add_failures(const Findings& findings, std::vector<Limit>& limits) {
    if (!may_load(findings)) return;
    if (is_locked_down(findings))
        limits.push_back({"lockdown mode 'confidentiality' forbids BPF programs to read kernel memory",
                          census_remedy(findings)});
    else if (findings.census)
        limits.push_back({findings.census->what, census_remedy(findings)});
    else if (findings.tracing)
        limits.push_back({findings.tracing->what, tracing_remedy(findings)});
}

void add_hooks(const Findings& findings, std::vector<Limit>& limits) {
    const bool works = !findings.census && !findings.tracing;
    for (const NeedFinding& need : findings.needs) {
        const HookFinding* hook = need.choice();
        const std::string& lost = hook ? hook->without : need.without;
        if (!lost.empty() && (hook || works))
            limits.push_back({fmt::format("{}: {}", need.name, lost), hook_remedy(findings, need)});
    }
}

void add_options(const Findings& findings, std::vector<Limit>& limits) {
    if (findings.options)
        limits.push_back({fmt::format("with {} it fails: {}", kProgramOptions, findings.options->what),
                          {fmt::format("do without some of these options; {}", kReport), ""}});
    for (const std::string& lost : findings.lost_with_options)
        limits.push_back({fmt::format("with {}: {}", kProgramOptions, lost),
                          {fmt::format("do without these options; {}", kReport), ""}});
}

void add_processes(const Findings& findings, std::vector<Limit>& limits) {
    if (findings.surroundings.nested_pid_namespace.value_or(false))
        limits.push_back({"processes outside this PID namespace, and what they hold, are not seen",
                          pid_namespace_remedy(findings)});
    // Where the capability is missing, that has been said.
    const std::size_t untold = findings.networks.untold;
    if (untold > 0 && holds(findings, "cap_sys_ptrace") && !is_foreign_user(findings))
        limits.push_back(
            {fmt::format("{} not show executable and network namespace",
                         untold == 1 ? "1 process does" : fmt::format("{} processes do", untold)),
             hidden_processes_remedy(findings)});
}

void add_networks(const Findings& findings, std::vector<Limit>& limits) {
    if (findings.networks.found == 0)
        limits.push_back(
            {"/proc cannot be read: of processes only names and descriptors are known, and "
             "sockets of this network namespace only",
             {"mount proc", "sudo mount -t proc proc /proc"}});
    const std::size_t closed = findings.networks.found - findings.networks.entered;
    if (closed > 0 && holds(findings, "cap_sys_admin") && !is_foreign_user(findings))
        limits.push_back({fmt::format("{} of {} network namespaces cannot be entered: what is held there is "
                                      "counted as not reached",
                                      closed, findings.networks.found),
                          {"a seccomp profile or a security module keeps them: let it allow setns()", ""}});
}

}  // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::kFull: return "full";
    case Verdict::kLimited: return "usable, with limits";
    case Verdict::kUnusable: return "unusable";
    }
    return "";
}

std::vector<Limit> limits_of(const Findings& findings) {
    std::vector<Limit> limits;
    add_privileges(findings, limits);
    add_failures(findings, limits);
    add_hooks(findings, limits);
    add_options(findings, limits);
    add_processes(findings, limits);
    add_networks(findings, limits);
    return limits;
}

Verdict verdict_of(const Findings& findings) {
    if (findings.census) return Verdict::kUnusable;
    return limits_of(findings).empty() ? Verdict::kFull : Verdict::kLimited;
}

std::string why_unusable(const Findings& findings) {
    // What the kernel says there is but a consequence.
    if (is_foreign_user(findings) || (may_load(findings) && is_locked_down(findings)))
        return limits_of(findings).front().what;
    return findings.census->what;
}

}  // namespace waitclose::model
