// SPDX-License-Identifier: BSD-2-Clause
// waitclose doctor: what this kernel and these privileges allow, by attaching.
#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "commands/command.h"
#include "commands/options.h"
#include "kernel/census.h"
#include "output/json.h"
#include "output/sink.h"
#include "system/capabilities.h"
#include "system/host.h"
#include "system/namespaces.h"

namespace waitclose::commands {
namespace {

/// What was found out by trying.
struct Findings {
    model::HostFacts host;
    bool has_btf = false;
    kernel::Refusals refusals;
    kernel::Plan plan;
    std::optional<Failure> tracing;  // why no tracing is possible
    std::optional<Failure> census;   // why not even a census is possible
    std::uint64_t sockets = 0;
    bool nested = false;  // only the processes of this PID namespace are seen
};

Findings examine(const kernel::ProbeSettings& settings) {
    Findings found;
    found.host = system::host_facts();
    found.has_btf = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    found.plan.resize(kernel::all_needs().size(), nullptr);
    kernel::ProbeSettings only_census = settings;
    only_census.trace = false;
    auto probes = kernel::Probes::attach(only_census);
    if (!probes) {
        found.census = found.tracing = probes.error();
        return found;
    }
    auto taker = kernel::CensusTaker::prepare(*probes, 0);
    auto census = taker ? taker->take() : tl::unexpected(taker.error());
    if (census) {
        found.sockets = census->sockets.size();
        found.nested = census->nested;
    } else {
        found.census = census.error();
    }
    kernel::ProbeSettings all = settings;
    all.trace = true;
    auto traced = kernel::Probes::attach(all);
    if (traced) {
        found.plan = traced->plan();
        found.refusals = traced->refusals();
    } else {
        found.tracing = traced.error();
    }
    return found;
}

const char* verdict(const Findings& found) {
    if (found.census) return "unusable";
    const bool whole = !found.tracing && std::none_of(found.plan.begin(), found.plan.end(),
                                                      [](const auto* hook) { return hook == nullptr; });
    const bool allowed = std::all_of(system::capability_uses().begin(), system::capability_uses().end(),
                                     [](const auto& use) { return system::has_capability(use.capability); });
    return whole && allowed && !found.nested ? "full" : "usable, with limits";
}

nlohmann::ordered_json hooks_json(const Findings& found) {
    auto hooks = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < kernel::all_needs().size(); ++i) {
        const kernel::Need& need = kernel::all_needs()[i];
        nlohmann::ordered_json row{
            {"need", need.name}, {"hook", nullptr}, {"alternatives", nlohmann::json::array()}};
        if (found.plan[i])
            row["hook"] = found.plan[i]->hook;
        else
            row["lost"] = need.without;
        for (const kernel::Alternative& one : need.alternatives) {
            const auto refusal = found.refusals.find(one.hook);
            nlohmann::ordered_json entry{{"hook", one.hook}, {"since", one.since}, {"refused", nullptr}};
            if (refusal != found.refusals.end()) entry["refused"] = refusal->second;
            row["alternatives"].push_back(std::move(entry));
        }
        hooks.push_back(std::move(row));
    }
    return hooks;
}

std::string as_json(const Findings& found) {
    auto capabilities = nlohmann::ordered_json::array();
    for (const auto& use : system::capability_uses())
        capabilities.push_back({{"name", use.name},
                                {"held", system::has_capability(use.capability)},
                                {"required", use.required},
                                {"why", use.why}});
    const auto reason = [](const std::optional<Failure>& failure) {
        return failure ? nlohmann::ordered_json(failure->what) : nlohmann::ordered_json(nullptr);
    };
    return output::dump({{"schema", "waitclose.doctor/1"},
                         {"verdict", verdict(found)},
                         {"kernel", found.host.kernel},
                         {"btf", found.has_btf},
                         {"netns", system::own_netns()},
                         {"nested_pid_namespace", found.nested},
                         {"capabilities", std::move(capabilities)},
                         {"census", {{"works", !found.census}, {"why_not", reason(found.census)}}},
                         {"tracing", {{"works", !found.tracing}, {"why_not", reason(found.tracing)}}},
                         {"hooks", hooks_json(found)}}) +
           "\n";
}

std::string row(bool good, std::string_view name, std::string_view text) {
    return fmt::format("  {:<4}{:<22}{}\n", good ? "ok" : "--", name, text);
}

std::string hooks_text(const Findings& found) {
    std::string text;
    for (std::size_t i = 0; i < kernel::all_needs().size(); ++i) {
        const kernel::Need& need = kernel::all_needs()[i];
        if (found.plan[i]) {
            text += row(true, need.name, found.plan[i]->hook);
            continue;
        }
        text += row(false, need.name, fmt::format("without it {}", need.without));
        for (const kernel::Alternative& one : need.alternatives) {
            const auto refusal = found.refusals.find(one.hook);
            text += fmt::format("{:>28}{} (Linux {}): {}\n", "", one.hook, one.since,
                                refusal == found.refusals.end() ? "not tried" : refusal->second);
        }
    }
    return text;
}

std::string as_text(const Findings& found) {
    std::string text = fmt::format("waitclose is {} here.\n\nKernel\n", verdict(found));
    text += row(true, "release", found.host.kernel);
    text += row(found.has_btf, "BTF",
                found.has_btf ? "/sys/kernel/btf/vmlinux" : "missing: CONFIG_DEBUG_INFO_BTF=y is needed");
    text += "\nPrivileges\n";
    std::string wanted;
    bool complete = true;
    for (const auto& use : system::capability_uses()) {
        const bool held = system::has_capability(use.capability);
        complete = complete && held;
        wanted += fmt::format("{}{}", wanted.empty() ? "" : ",", use.name);
        text += row(held, use.name, use.why);
    }
    if (!complete)
        text += fmt::format("  To get what is missing: sudo, or once: sudo setcap {}+ep WAITCLOSE\n", wanted);
    text += "\nReading sockets\n";
    text += row(!found.census, "census",
                found.census ? found.census->what
                             : fmt::format("works; {} sockets in CLOSE_WAIT now", found.sockets));
    text += row(!found.nested, "processes",
                found.nested ? "only those of this PID namespace are seen: run it on the host to see all"
                             : "all are seen");
    text += "\nTracing\n";
    text += found.tracing ? row(false, "tracing", found.tracing->what) : hooks_text(found);
    if (const auto& failure = found.census ? found.census : found.tracing)
        text += fmt::format("\nWhat to do: {}\n", failure->remedy);
    return text;
}

Result<int> run(const Request& request) {
    auto sink = open_output(request.output);
    if (!sink) return tl::unexpected(sink.error());
    const Findings found = examine(request.probes);
    sink->write(request.json ? as_json(found) : as_text(found));
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return found.census ? kCouldNot : kDone;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("doctor", "what this kernel and these privileges allow");
    auto options = std::make_shared<Options>();
    add_common_options(*command, *options);
    command->callback([options, &exit_code] { exit_code = carry_out(check(*options), run); });
}

}  // namespace waitclose::commands
