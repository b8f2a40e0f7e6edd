// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/html_cast.h"

#include <algorithm>

namespace waitclose::timeline {

namespace {

template <typename Map, typename Key>
std::optional<std::uint32_t> value_at(const Map& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
}

std::uint32_t next_of(std::size_t size) {
    return static_cast<std::uint32_t>(size);
}

}  // namespace

ReportCast::ReportCast(const Timeline& timeline, const ReportWords& words, const ReportLimits& limits)
    : timeline_(timeline), words_(words), groups_(std::min(words.groups.size(), limits.groups)) {
    add_tracks();
    order_holds(limits.holds);
    add_people();
}

void ReportCast::add_tracks() {
    for (const timeline::Process& process : timeline_.processes) {
        const std::uint32_t index = next_of(processes_.size());
        processes_.push_back({process.pid, process.comm, &process});
        by_pid_.emplace(process.pid, index);
        for (const timeline::Thread& thread : process.threads) {
            if (thread.slices.empty()) continue;  // it is added when it has a part
            by_tid_.emplace(Key(process.pid, thread.tid), next_of(threads_.size()));
            threads_.push_back({index, thread.tid, thread.comm, &thread, false});
        }
    }
}

ReportCast::Part ReportCast::part_of(const Hold& hold, std::uint32_t pid, std::uint32_t tid, StringId comm) {
    const std::uint64_t since = hold.since_ns.value_or(0);
    return {{pid, tid}, comm, since, hold.since_ns && hold.held_ns ? since + *hold.held_ns : UINT64_MAX};
}

ReportCast::Part ReportCast::closing_of(const Deed& closed) {
    return {{closed.pid, closed.tid}, closed.comm, closed.at_ns, closed.at_ns};
}

/// Those who have a part in a hold and no track: they have a name at least.
void ReportCast::add_people() {
    for (const std::uint32_t index : holds_) {
        const Hold& hold = timeline_.holds[index];
        if (const auto& culprit = hold.diagnosis.culprit; culprit && culprit->tid) {
            involve(hold, part_of(hold, culprit->pid, *culprit->tid, culprit->comm));
        }
        if (hold.closed) involve(hold, closing_of(*hold.closed));
        for (const Link& link : hold.diagnosis.because)
            involve(hold, part_of(hold, link.pid, link.tid, link.comm));
    }
}

/// Of several that had the ids meanwhile it is the one of that name, or none of them.
std::optional<std::uint32_t> ReportCast::find(const Part& part) const {
    const auto [first, last] = by_tid_.equal_range(part.who);
    std::optional<std::uint32_t> found;
    std::size_t lived = 0;
    for (auto at = first; at != last; ++at) {
        const Thread& thread = threads_[at->second];
        const bool was_there = thread.track == nullptr ? thread.comm == part.comm
                                                       : thread.track->from_ns <= part.to_ns &&
                                                             thread.track->to_ns >= part.from_ns;
        if (!was_there) continue;
        if (thread.comm == part.comm) return at->second;
        found = at->second;
        ++lived;
    }
    return lived == 1 ? found : std::nullopt;
}

void ReportCast::involve(const Hold& hold, const Part& part) {
    const auto [pid, tid] = part.who;
    for (const Holder& holder : hold.holders) {
        if (holder.pid != pid) continue;
        const auto [entry, fresh] = by_pid_.emplace(pid, next_of(processes_.size()));
        if (fresh) processes_.push_back({pid, holder.comm, nullptr});
        break;
    }
    auto thread = find(part);
    if (!thread) {
        thread = next_of(threads_.size());
        by_tid_.emplace(part.who, *thread);
        threads_.push_back({process_by_pid(hold, pid), tid, part.comm, nullptr, true});
    }
    threads_[*thread].involved = true;
}

/// Process ids are given again, too: the one who had the hold comes first.
std::optional<std::uint32_t> ReportCast::process_by_pid(const Hold& hold, std::uint32_t pid) const {
    const timeline::Process* owner = timeline_.process_at(hold.owner);
    return owner != nullptr && owner->pid == pid ? std::optional(hold.owner) : value_at(by_pid_, pid);
}

std::optional<std::uint32_t> ReportCast::process_of(const Hold& hold) const {
    if (timeline_.process_at(hold.owner) == nullptr) return std::nullopt;
    return hold.owner;
}

std::optional<std::uint32_t> ReportCast::thread_of(const Hold& hold, std::uint32_t pid, std::uint32_t tid,
                                                   StringId comm) const {
    return find(part_of(hold, pid, tid, comm));
}

std::optional<std::uint32_t> ReportCast::closer_of(const Hold& hold) const {
    return hold.closed ? find(closing_of(*hold.closed)) : std::nullopt;
}

std::optional<std::uint32_t> ReportCast::group_of(std::uint32_t hold) const {
    if (hold >= words_.group_of.size() || words_.group_of[hold] >= groups_) return std::nullopt;
    return words_.group_of[hold];
}

void ReportCast::order_holds(std::size_t most) {
    const std::vector<Hold>& all = timeline_.holds;
    std::vector<std::vector<std::uint32_t>> members(groups_ + 1);  // the last: of no group
    for (std::uint32_t i = 0; i < all.size(); ++i)
        members[group_of(i).value_or(next_of(groups_))].push_back(i);
    const auto longer = [&all](std::uint32_t a, std::uint32_t b) {
        return all[a].held_ns.value_or(0) > all[b].held_ns.value_or(0);
    };
    std::size_t turns = 0;
    for (std::size_t group = 0; group <= groups_; ++group) {
        auto& list = members[group];
        std::stable_sort(list.begin(), list.end(), longer);
        turns = std::max(turns, list.size());
        if (group == groups_) break;
        const auto typical = std::find(list.begin(), list.end(), words_.groups[group].typical);
        if (typical != list.end()) std::rotate(list.begin(), typical, typical + 1);
    }
    holds_.reserve(std::min(most, all.size()));
    for (std::size_t turn = 0; turn < turns && holds_.size() < most; ++turn) {
        for (const auto& list : members) {
            if (turn < list.size() && holds_.size() < most) holds_.push_back(list[turn]);
        }
    }
}

}  // namespace waitclose::timeline
