// SPDX-License-Identifier: BSD-2-Clause
#include "commands/examine.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "commands/hooks_found.h"
#include "kernel/census.h"
#include "kernel/facts.h"
#include "model/remedies.h"
#include "system/capabilities.h"
#include "system/namespaces.h"
#include "system/netns_survey.h"
#include "system/surroundings.h"

namespace waitclose::commands {
namespace {

std::vector<model::CapabilityFinding> capabilities_found() {
    std::vector<model::CapabilityFinding> found;
    for (const system::CapabilityUse& use : system::capability_uses())
        found.push_back({std::string(use.name), system::has_capability(use.capability),
                         system::may_be_granted(use.capability), use.required, std::string(use.why),
                         std::string(use.without)});
    return found;
}

constexpr kernel::Purpose kEverything{true, true, true};

/// One attempt after the other, each of which does without the hooks that those before found refused.
class Trials {
public:
    Trials(const kernel::ProbeSettings& settings, model::Findings& found)
        : settings_(settings),
          plan_(kernel::all_needs().size(), nullptr),
          refused_(kernel::switched_off(settings.disabled_hooks)),
          found_(found) {}

    void try_attach_points();
    void try_census();
    void try_tracing();
    void try_options();
    const kernel::Plan& plan() const { return plan_; }
    const kernel::Refusals& refused() const { return refused_; }

private:
    void take(const kernel::Refusals& refused);
    void take(const kernel::Probes& probes);

    kernel::ProbeSettings settings_;
    kernel::Plan plan_;
    kernel::Refusals refused_;
    model::Findings& found_;
};

/// Of every alternative, and each point by itself.
void Trials::try_attach_points() {
    kernel::refuse_impossible(kernel::Facts::of_this_kernel(), kernel::all_needs(), kEverything,
                              kernel::Trying::kAll, refused_);
}

/// What loading and attaching found is stronger than what single attach points promise. What stands before
/// the hook that was chosen need not be tried again.
void Trials::take(const kernel::Refusals& refused) {
    for (const auto& [hook, reason] : refused)
        if (!settings_.disabled_hooks.contains(hook)) refused_[hook] = reason;
}

void Trials::take(const kernel::Probes& probes) {
    take(probes.refusals());
    plan_ = probes.plan();
    for (std::size_t i = 0; i < plan_.size(); ++i)
        for (const kernel::Alternative& hook : kernel::all_needs()[i].alternatives) {
            if (!plan_[i] || plan_[i] == &hook) break;
            settings_.disabled_hooks.emplace(hook.hook);
        }
}

/// As snapshot does: without tracing.
void Trials::try_census() {
    settings_.trace = false;
    auto probes = kernel::Probes::attach(settings_);
    if (!probes) {
        found_.census = found_.tracing = probes.error();
        plan_ = kernel::make_plan(kernel::all_needs(), refused_, kEverything);
        return;
    }
    take(*probes);
    auto taker = kernel::CensusTaker::prepare(*probes, 0);
    const auto census = taker ? taker->take() : tl::unexpected(taker.error());
    if (!census) {
        found_.census = found_.tracing = census.error();
        return;
    }
    found_.sockets = census->sockets.size();
    found_.surroundings.nested_pid_namespace = census->nested;
}

/// As watch and capture do.
void Trials::try_tracing() {
    settings_.trace = settings_.windowed = settings_.captures = true;
    kernel::Refusals refused;
    const auto probes = kernel::Probes::attach(settings_, refused);
    if (probes) return take(*probes);
    take(refused);
    found_.tracing = probes.error();
}

/// With every option on that programs are verified with: to the verifier these are other programs.
void Trials::try_options() {
    kernel::ProbeSettings all = settings_;
    all.trace = !found_.tracing;
    all.all_transitions = true;
    all.want_peers = true;
    all.opening_stacks = true;
    all.filter.netns = std::max<std::uint32_t>(system::own_netns(), 1);
    all.filter.ipv6 = 0;
    all.filter.by_local_port = all.filter.by_remote_port = 1;
    const auto probes = kernel::Probes::attach(all);
    if (!probes) {
        found_.options = probes.error();
        return;
    }
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        const kernel::Need& need = kernel::all_needs()[i];
        const kernel::Alternative* hook = probes->plan()[i];
        const std::string_view lost = hook ? hook->without : need.without;
        if (hook != plan_[i] && !lost.empty())
            found_.lost_with_options.push_back(fmt::format("{}: {}", need.name, lost));
    }
}

}  // namespace

model::Findings examine(const kernel::ProbeSettings& settings) {
    model::Findings found;
    found.surroundings = system::surroundings();
    found.capabilities = capabilities_found();
    found.networks = system::survey_netns();
    Trials trials(settings, found);
    trials.try_attach_points();
    trials.try_census();
    if (!found.census) {
        trials.try_tracing();
        trials.try_options();
    }
    found.needs =
        hooks_found(kernel::all_needs(), trials.plan(), trials.refused(),
                    {found.surroundings.kernel, model::may_load(found), found.surroundings.has_tracefs,
                     found.surroundings.reads_tracefs, settings.disabled_hooks});
    return found;
}

}  // namespace waitclose::commands
