// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace waitclose::kernel {
namespace {

constexpr std::string_view kSwitchedOff = "switched off with --no-hook";
constexpr std::string_view kTaken = "no place is left: ";

}  // namespace

std::string_view name_of(Cost cost) {
    switch (cost) {
    case Cost::kLow: return "low";
    case Cost::kMedium: return "medium";
    case Cost::kHigh: return "high";
    }
    return "";
}

Refusals switched_off(const std::set<std::string, std::less<>>& hooks) {
    Refusals refused;
    for (const std::string& hook : hooks) refused.emplace(hook, kSwitchedOff);
    return refused;
}

bool is_switched_off(const Refusals& refused, std::string_view hook) {
    const auto found = refused.find(hook);
    return found != refused.end() && found->second == kSwitchedOff;
}

std::string taken_text(const AttachPoint& point) {
    const bool of_function = point.mechanism == Mechanism::kFentry || point.mechanism == Mechanism::kFexit;
    return of_function
               ? fmt::format("{}other programs run at the function {}, as many as the kernel allows", kTaken,
                             point.target)
               : fmt::format("{}64 other programs run at the tracepoint {}, as many as the kernel allows",
                             kTaken, point.target);
}

bool is_taken(const Refusals& refused, std::string_view hook) {
    const auto found = refused.find(hook);
    return found != refused.end() && found->second.starts_with(kTaken);
}

bool is_wanted(const Need& need, const Purpose& purpose) {
    return need.of_census || (purpose.traces && (purpose.windowed || !need.of_window) &&
                              (purpose.captures || !need.of_capture));
}

Plan make_plan(std::span<const Need> needs, const Refusals& refused, const Purpose& purpose) {
    Plan plan;
    for (const Need& need : needs) {
        const auto usable = std::find_if(need.alternatives.begin(), need.alternatives.end(),
                                         [&](const Alternative& one) { return !refused.contains(one.hook); });
        const bool wanted = is_wanted(need, purpose);
        plan.push_back(wanted && usable != need.alternatives.end() ? &*usable : nullptr);
    }
    return plan;
}

const Need* first_unmet(std::span<const Need> needs, const Plan& plan, bool traces) {
    for (std::size_t i = 0; i < needs.size(); ++i)
        if (needs[i].required && (traces || needs[i].of_census) && !plan[i]) return &needs[i];
    return nullptr;
}

bool is_hook(std::string_view name) {
    const auto needs = all_needs();
    return std::any_of(needs.begin(), needs.end(), [&](const Need& need) {
        return std::any_of(need.alternatives.begin(), need.alternatives.end(),
                           [&](const Alternative& one) { return one.hook == name; });
    });
}

model::ProbeFacts probe_facts(std::span<const Need> needs, const Plan& plan, const Purpose& purpose) {
    model::ProbeFacts facts;
    for (std::size_t i = 0; i < needs.size(); ++i) {
        if (plan[i])
            facts.hooks.emplace_back(needs[i].name, plan[i]->hook);
        else if (purpose.traces && is_wanted(needs[i], purpose))
            facts.missing.emplace_back(needs[i].name);
    }
    return facts;
}

}  // namespace waitclose::kernel
