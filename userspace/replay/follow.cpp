// SPDX-License-Identifier: BSD-2-Clause
// Whom a replay tells of: those who hold what was asked for, those they wait for, and their listeners.
#include <algorithm>

#include "model/provider.h"
#include "replay/replay.h"

namespace waitclose::replay {

using timeline::kNowhere;

std::uint32_t Replay::follow(Look& look, std::uint32_t process) {
    if (look.followed.empty()) look.followed.resize(look.census.processes.size(), kNowhere);
    std::uint32_t& followed = look.followed[process];
    if (followed == kNowhere) followed = lanes_->follow(look.census.processes[process]);
    return followed;
}

/// Whom the threads of those wait for that have a part in what is told, and whom those wait for: bystanders
/// of holds that were not asked for have none.
void Replay::follow_answers(Look& look) {
    if (look.followed.empty()) return;
    std::vector<std::uint32_t> asking;
    for (std::uint32_t i = 0; i < look.followed.size(); ++i)
        if (look.followed[i] != kNowhere) asking.push_back(i);
    while (!asking.empty()) {
        const model::Process& process = look.census.processes[asking.back()];
        asking.pop_back();
        for (const model::Thread& thread : look.census.threads_of(process)) {
            const auto question = model::question_of(process, thread);
            if (!question) continue;
            for (const model::Answer& answer :
                 std::ranges::equal_range(look.census.answers, *question, {}, &model::Answer::question)) {
                if (answer.process == model::kNone) continue;
                const auto other = static_cast<std::uint32_t>(answer.process);
                if (look.followed[other] != kNowhere) continue;
                follow(look, other);
                asking.push_back(other);
            }
        }
    }
}

/// Whose accept queues are told of. With a selection: those of listeners that match it, that hold a socket
/// told of in their queue, or that belong to somebody who holds one.
std::set<std::uint32_t> Replay::listeners_told(const Look& look) const {
    const model::Census& census = look.census;
    std::set<std::uint32_t> told;
    const bool selects = !incident_.asked.empty() || incident_.about.selects;
    const auto is_meant = [&](const model::Socket& listener) {
        if (!selects) return true;
        if (wanted_.local_ports && !wanted_.local_ports->test(listener.local.port)) return false;
        if (wanted_.local_ports && !wanted_.selection.by_holder()) return true;
        if (wanted_.selection.by_holder() && model::is_wanted(census, listener, wanted_.selection))
            return true;
        return std::ranges::any_of(census.holders_of(listener), [&](const model::Holder& holder) {
            return look.keepers.contains(holder.process);
        });
    };
    for (std::uint32_t i = 0; i < census.listeners.size(); ++i)
        if (is_meant(census.listeners[i])) told.insert(i);
    for (const std::uint32_t hold : look.holds) {
        const std::int32_t listener = census.sockets[sights_[hold].socket].listener;
        if (listener != model::kNone) told.insert(static_cast<std::uint32_t>(listener));
    }
    return told;
}

void Replay::note_descriptors(const Look& look) {
    for (std::size_t i = 0; i < look.followed.size(); ++i) {
        const model::Process& process = look.census.processes[i];
        if (look.followed[i] == kNowhere || !process.fds_used) continue;
        counters_.descriptors(look.census.taken_ns, look.followed[i], *process.fds_used);
        outlooks_[look.followed[i]] = {process.fds_used, process.fd_limit, std::nullopt, std::nullopt, {}};
    }
}

}  // namespace waitclose::replay
