// SPDX-License-Identifier: BSD-2-Clause
#include "commands/hooks_found.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace waitclose::commands {
namespace {

/// The first two numbers of a release.
std::optional<std::pair<unsigned, unsigned>> version_of(std::string_view text) {
    std::pair<unsigned, unsigned> version;
    const char* end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, version.first);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
    if (std::from_chars(major.ptr + 1, end, version.second).ec != std::errc()) return std::nullopt;
    return version;
}

bool is_in_tracefs(const kernel::Alternative& hook) {
    return std::any_of(hook.points.begin(), hook.points.end(),
                       [](const auto& point) { return point.mechanism == kernel::Mechanism::kTracepoint; });
}

model::Obstacle obstacle_of(const kernel::Alternative& hook, const kernel::Refusals& refused,
                            const Circumstances& circumstances) {
    if (circumstances.disabled.contains(hook.hook)) return model::Obstacle::kSwitchedOff;
    if (kernel::is_taken(refused, hook.hook)) return model::Obstacle::kTaken;
    if (!circumstances.may_load) return model::Obstacle::kPrivilege;
    if (is_in_tracefs(hook)) {
        if (!circumstances.has_tracefs) return model::Obstacle::kTracefs;
        if (!circumstances.reads_tracefs) return model::Obstacle::kPrivilege;
    }
    return is_older(circumstances.kernel, hook.since) ? model::Obstacle::kOldKernel
                                                      : model::Obstacle::kKernel;
}

model::HookFinding hook_found(const kernel::Alternative& hook, const kernel::Refusals& refused,
                              const Circumstances& circumstances) {
    model::HookFinding found{std::string(hook.hook),
                             std::string(hook.since),
                             std::string(name_of(hook.cost)),
                             std::string(hook.without),
                             std::nullopt,
                             model::Obstacle::kNothing};
    const auto refusal = refused.find(hook.hook);
    if (refusal == refused.end()) return found;
    found.refused = refusal->second;
    found.obstacle = obstacle_of(hook, refused, circumstances);
    return found;
}

}  // namespace

bool is_older(std::string_view release, std::string_view version) {
    const auto running = version_of(release);
    const auto wanted = version_of(version);
    return running && wanted && *running < *wanted;
}

std::vector<model::NeedFinding> hooks_found(std::span<const kernel::Need> needs, const kernel::Plan& plan,
                                            const kernel::Refusals& refused,
                                            const Circumstances& circumstances) {
    std::vector<model::NeedFinding> found;
    for (std::size_t i = 0; i < needs.size(); ++i) {
        model::NeedFinding need{
            std::string(needs[i].name), needs[i].of_census, std::string(needs[i].without), {}, {}};
        for (const kernel::Alternative& hook : needs[i].alternatives) {
            if (plan[i] == &hook) need.chosen = need.hooks.size();
            need.hooks.push_back(hook_found(hook, refused, circumstances));
        }
        found.push_back(std::move(need));
    }
    return found;
}

}  // namespace waitclose::commands
