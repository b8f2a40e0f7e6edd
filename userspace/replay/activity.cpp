// SPDX-License-Identifier: BSD-2-Clause
// What a capture adds to an incident: lanes from its intervals, held time divided by what the culprit did,
// and what the threads of the wait chains did in sum.
#include <algorithm>
#include <set>
#include <utility>

#include "model/give_stacks.h"
#include "replay/replay.h"

namespace waitclose::replay {

void Replay::activity(model::Activity& activity) {
    passes(activity.to_ns);
    incident_.activity = std::move(activity);
    if (!look_) return;
    // A recorder that gave them before it wrote the look has done that already.
    model::give_stacks(look_->census, *incident_.activity);
}

void Replay::lay_out_activity() {
    if (!incident_.activity) return;
    captured_.emplace(timeline_, *incident_.activity, look_ ? &look_->census : nullptr);
    for (const model::ThreadActivity& thread : incident_.activity->threads)
        lanes_->replace(thread, captured_->slices(thread));
}

/// Of holds that one process had all the time, and whose culprit is one thread that was followed. Of one
/// that nobody is blamed for, what the last to touch it did explains nothing.
void Replay::share_held_time(Captured& captured) {
    for (timeline::Hold& hold : timeline_.holds) {
        const auto& culprit = hold.diagnosis.culprit;
        if (!culprit || !culprit->tid || !hold.tenures.empty() || !hold.since_ns || !hold.held_ns) continue;
        if (timeline_.text(hold.diagnosis.cause) == diagnose::id_of(diagnose::Cause::kUnknown)) continue;
        const model::ThreadActivity* thread = captured.find(culprit->pid, *culprit->tid);
        if (thread == nullptr) continue;
        hold.shares = captured.shares(*thread, *lanes_, *hold.since_ns, *hold.since_ns + *hold.held_ns);
    }
}

/// Of those who hold, by the groups, what no thread is named for and nobody closed. Of what several share
/// without one of them being its owner, all of those.
void Replay::find_doings() {
    constexpr std::size_t kMostOwners = 16;
    if (!look_) return;
    std::set<std::uint32_t> owners;
    const auto find = [&](std::size_t index) {
        const std::uint32_t owner = look_->followed[index];
        if (owner == timeline::kNowhere || owners.size() == kMostOwners || !owners.insert(owner).second)
            return;
        OwnerDoings made =
            doings_of(look_->census, look_->census.processes[index], *incident_.activity, timeline_.strings);
        made.owner = owner;
        incident_.doings.push_back(std::move(made));
    };
    for (const Group& group : incident_.groups) {
        const timeline::Hold& hold = timeline_.holds[group.longest];
        const auto& culprit = hold.diagnosis.culprit;
        const bool is_named = culprit && culprit->tid && group.cause != diagnose::Cause::kUnknown;
        if (group.open == 0 || is_named) continue;
        for (std::size_t i = 0; i < look_->followed.size(); ++i) {
            const model::Process& process = look_->census.processes[i];
            const auto is_it = [&](const timeline::Holder& holder) {
                return holder.pid == process.pid && holder.started_ns == process.start_ns;
            };
            if (group.owner != timeline::kNowhere ? look_->followed[i] == group.owner
                                                  : std::ranges::any_of(hold.holders, is_it))
                find(i);
        }
    }
}

/// By the groups, the largest first: the culprit of the hold that is told of, and those that it waits for.
/// Where nobody is named, those that are worth a look.
void Replay::tell_threads(Captured& captured) {
    constexpr std::size_t kMost = 200;
    std::set<const model::ThreadActivity*> told;
    const auto tell = [&](std::uint32_t pid, std::uint32_t tid) {
        const model::ThreadActivity* thread = captured.find(pid, tid);
        if (thread == nullptr || incident_.threads.size() >= kMost || !told.insert(thread).second) return;
        incident_.threads.push_back(captured.story(*thread));
    };
    for (const Group& group : incident_.groups) {
        const timeline::Diagnosis& diagnosis = timeline_.holds[group.longest].diagnosis;
        if (diagnosis.culprit && diagnosis.culprit->tid)
            tell(diagnosis.culprit->pid, *diagnosis.culprit->tid);
        for (const timeline::Link& link : diagnosis.because) tell(link.pid, link.tid);
        for (const TopCulprit& one : group.top_culprits) tell(one.pid, one.tid);
    }
    constexpr std::size_t kMostDoings = 8;
    find_doings();
    for (const OwnerDoings& owner : incident_.doings)
        for (std::size_t i = 0; i < std::min(owner.doings.size(), kMostDoings); ++i)
            for (const timeline::Link& link : owner.doings[i].links) tell(link.pid, link.tid);
    // Intervals are laid out, and would only take room.
    captured_.reset();
    incident_.activity->threads.clear();
    incident_.activity->stacks.clear();
}

}  // namespace waitclose::replay
