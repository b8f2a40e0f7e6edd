// SPDX-License-Identifier: BSD-2-Clause
#include "commands/capture_stacks.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "diagnose/diagnoser.h"
#include "model/scope.h"
#include "system/host.h"

namespace waitclose::commands {
namespace {

/// Equal for equal stacks, and for no others.
std::string key_of(const model::Stack& stack) {
    std::string key;
    for (const model::Frame& frame : stack) {
        key += fmt::format("{}:{}{}{}:{}:", frame.function.size(), frame.kernel ? 'k' : '-',
                           frame.own ? 'o' : '-', frame.offset ? 'x' : '-', frame.offset.value_or(0));
        key += frame.function;
        key += fmt::format("{}:", frame.module.size());
        key += frame.module;
    }
    return key;
}

}  // namespace

std::set<std::pair<std::uint32_t, std::uint32_t>> threads_named(const model::Census& census,
                                                                const model::Selection& selection,
                                                                std::size_t most) {
    constexpr std::size_t kMostSockets = 1'000;
    std::set<std::pair<std::uint32_t, std::uint32_t>> named;
    diagnose::Diagnoser diagnoser(census);
    std::vector<std::uint32_t> selected = model::select(census, selection);
    std::ranges::stable_sort(selected, std::greater<>(),
                             [&](std::uint32_t index) { return census.held_ns(census.sockets[index]); });
    selected.resize(std::min(selected.size(), kMostSockets));
    for (const std::uint32_t index : selected) {
        if (named.size() >= most) break;
        const diagnose::Diagnosis diagnosis = diagnoser.diagnose(census.sockets[index]);
        if (diagnosis.culprit && diagnosis.culprit->tid)
            named.emplace(diagnosis.culprit->pid, *diagnosis.culprit->tid);
        for (const diagnose::Link& link : diagnosis.because) {
            if (link.tid) named.emplace(link.pid, link.tid);
            if (link.on && link.on->tid) named.emplace(link.on->pid, link.on->tid);
        }
    }
    return named;
}

void unite_stacks(model::Activity& activity) {
    std::map<std::string, std::uint32_t> places;
    std::vector<std::uint32_t> moved;
    std::vector<model::Stack> united;
    for (model::Stack& stack : activity.stacks) {
        const auto [place, is_new] =
            places.try_emplace(key_of(stack), static_cast<std::uint32_t>(united.size()));
        if (is_new && !stack.empty()) united.push_back(std::move(stack));
        moved.push_back(place->first.empty() ? model::kNowhere : place->second);
    }
    activity.stacks = std::move(united);
    const auto move = [&](std::uint32_t& stack) {
        stack = stack < moved.size() ? moved[stack] : model::kNowhere;
    };
    for (model::Sleep& sleep : activity.sleeps) move(sleep.stack);
    for (model::ThreadActivity& thread : activity.threads) {
        move(thread.resting_stack);
        for (model::CpuSample& sample : thread.samples) move(sample.stack);
    }
}

model::Activity name_stacks(kernel::RawActivity raw, symbols::Naming& naming, std::uint64_t most_ns) {
    model::Activity activity = std::move(raw.activity);
    const std::uint64_t until_ns = system::boottime_ns() + most_ns;
    std::size_t unnamed = 0;
    activity.stacks.clear();
    activity.stacks.reserve(raw.stacks.size());
    for (model::RawStack& stack : raw.stacks) {
        const bool in_time = system::boottime_ns() < until_ns;
        activity.stacks.push_back(in_time ? naming.name(stack) : model::Stack{});
        unnamed += in_time ? 0 : 1;
        stack = {};  // the memory read of it goes as soon as it can
    }
    if (unnamed)
        activity.lacks.push_back(fmt::format("{} of {} stacks have no names: there was no time for more",
                                             unnamed, raw.stacks.size()));
    unite_stacks(activity);
    return activity;
}

}  // namespace waitclose::commands
