// SPDX-License-Identifier: BSD-2-Clause
#include "live/chronicle.h"

#include <algorithm>

#include "model/selection.h"
#include "model/units.h"

namespace waitclose::live {

void Chronicle::select(Shown shown) {
    shown_ = std::move(shown);
    selected_ = {};
    picture_.ended.clear();
    ended_by_second_.clear();
    uncounted_ns_ = std::max(uncounted_ns_, unkept_ns_);  // those that are no longer there to be counted
    for (auto one = ended_.rbegin(); one != ended_.rend(); ++one)
        if (!shown_.passes || shown_.passes(*one)) show(*one);
    forget_old();
}

std::unique_ptr<model::Census> Chronicle::take(Look look) {
    const bool sorted_anew = look.census == nullptr;
    std::unique_ptr<model::Census> before;
    if (sorted_anew) {
        picture_.groups.clear();  // what is left out now has not ended
    } else {
        before = std::exchange(census_, std::move(look.census));
        picture_.gone.clear();
    }
    sorted_by_ = look.filter;
    process_of_.clear();
    for (std::uint32_t i = 0; i < census_->processes.size(); ++i)
        process_of_.try_emplace(census_->processes[i].pid, i);
    diagnoser_ = look.diagnoser ? std::move(look.diagnoser) : std::make_unique<diagnose::Diagnoser>(*census_);
    picture_.explain = [this](const model::Socket& socket) { return diagnoser_->diagnose(socket); };
    picture_.census = census_.get();
    picture_.wall_offset_ns = census_->wall_offset_ns;
    picture_.now_ns = std::max(picture_.now_ns, census_->taken_ns);
    picture_.left_out = look.left_out;
    picture_.listeners = std::move(look.listeners);
    note_others(look.others);
    std::vector<GroupRow> rows = rows_of(std::move(look.groups), sorted_anew);
    keep_ended(rows);
    picture_.groups = std::move(rows);
    number_rows();
    taken_ns_ = census_->taken_ns;
    if (begun_ns_ == 0) begun_ns_ = taken_ns_;
    return before;
}

void Chronicle::note_others(const std::vector<diagnose::Group>& others) {
    others_.clear();
    for (const diagnose::Group& group : others) {
        Ended& known = others_[fingerprint_left_out(key_of(group))];
        known.cause = group.cause;
        known.owner = group.owner_pid;
        known.owner_comm = group.owner_comm;
    }
}

std::vector<GroupRow> Chronicle::rows_of(std::vector<diagnose::Group> groups, bool sorted_anew) {
    std::vector<GroupRow> rows;
    living_.clear();
    inherited_.clear();
    for (const diagnose::Group& group : groups) living_.insert(fingerprint(key_of(group)));
    find_kin();
    for (diagnose::Group& group : groups) {
        GroupRow row;
        row.key = key_of(group);
        History& history = history_of(row.key, group.sockets, sorted_anew);
        row.trend = history.trend();
        row.closed_since = gone_of(group);
        row.group = std::move(group);
        rows.push_back(std::move(row));
    }
    return rows;
}

/// With the number of sockets that the group has now. Of a group that another selection made larger or
/// smaller nothing is known yet: it has not grown.
History& Chronicle::history_of(const GroupKey& key, std::uint64_t sockets, bool sorted_anew) {
    const auto [at, is_new] = histories_.try_emplace(fingerprint(key));
    History& history = at->second;
    if (sorted_anew) {
        if (!is_new && history.last() == sockets) return history;
        history = {};
    } else if (is_new) {
        begin(history, key);
    }
    history.add(census_->taken_ns, sockets);
    return history;
}

/// How many of its members have ended since the census.
std::uint64_t Chronicle::gone_of(const diagnose::Group& group) const {
    if (picture_.gone.empty()) return 0;
    return static_cast<std::uint64_t>(std::ranges::count_if(group.all, [this](std::uint32_t index) {
        const model::Socket& socket = census_->sockets[index];
        return picture_.gone.contains({socket.netns, socket.cookie});
    }));
}

/// What a new group was before: that one of the same owner's same sockets which is no more, or nothing. Next
/// to one that goes on, where its sockets came from is not known.
void Chronicle::begin(History& history, const GroupKey& key) {
    const auto kin = kin_.find(key.kin());
    if (kin == kin_.end()) {
        if (taken_ns_ > 0) history.begin_empty(begun_ns_, taken_ns_);
        return;
    }
    for (const std::size_t row : kin->second) {
        const std::uint64_t before = fingerprint(picture_.groups[row].key);
        if (living_.contains(before) || !inherited_.insert(before).second) continue;
        history = histories_.at(before);
        return;
    }
}

void Chronicle::find_kin() {
    kin_.clear();
    for (std::size_t i = 0; i < picture_.groups.size(); ++i)
        if (!picture_.groups[i].ended_ns) kin_[picture_.groups[i].key.kin()].push_back(i);
}

/// Groups that are not in the census any more. One whose sockets have another cause now has not ended.
void Chronicle::keep_ended(std::vector<GroupRow>& rows) {
    using Keys = std::unordered_set<GroupKey, GroupKeyHash>;
    Keys shown;
    for (const GroupRow& before : picture_.groups) shown.insert(before.key);
    Keys living;
    Keys kin;      // of those that live
    Keys new_kin;  // of those that live, and were not there before
    for (const GroupRow& row : rows) {
        living.insert(row.key);
        kin.insert(row.key.kin());
        if (!shown.contains(row.key)) new_kin.insert(row.key.kin());
    }
    for (GroupRow& before : picture_.groups) {
        const bool was_unknown = before.key.cause == diagnose::Cause::kUnknown;
        const bool renamed = (was_unknown ? kin : new_kin).contains(before.key.kin());
        if (living.contains(before.key) || (renamed && !before.ended_ns)) continue;
        if (!before.ended_ns) before.ended_ns = picture_.now_ns;
        before.group.all.clear();
        before.group.fds = {};
        before.closed_since = before.group.sockets;
        rows.push_back(std::move(before));
    }
}

void Chronicle::number_rows() {
    row_of_.clear();
    for (std::size_t i = 0; i < picture_.groups.size(); ++i) row_of_[fingerprint(picture_.groups[i].key)] = i;
    std::erase_if(histories_, [this](const auto& entry) { return !row_of_.contains(entry.first); });
}

void Chronicle::end(const model::Closed& closed) {
    const auto at = row_of_.find(closed.hold.told);
    GroupRow* row = at == row_of_.end() ? nullptr : &picture_.groups[at->second];
    if (row && !row->ended_ns) {
        ++row->closed_since;
        picture_.gone.insert_or_assign(closed.hold.connection.key,
                                       HoldEnd{closed.hold.connection, closed.held_ns, closed.left});
        if (row->sockets() == 0) row->ended_ns = closed.hold.since_ns + closed.held_ns;
    }
    const auto other = others_.find(closed.hold.told);
    const bool known = row || other != others_.end();
    if (closed.held_ns < shown_.min_held_ns || closed.hold.told == kNotAskedFor) return;
    if (shown_.by_holder && !known) return;
    Ended ended = row || !known ? Ended{} : other->second;
    ended.number = ++number_;
    ended.closed = closed;
    if (row) {
        ended.cause = row->key.cause;
        ended.owner = row->key.pid;
        ended.owner_comm = row->group.owner_comm;
    }
    add_holders(ended);
    if (is_shown(ended, row != nullptr, other != others_.end())) show(ended);
    keep(std::move(ended));
}

void Chronicle::end_unknown(std::uint64_t until_ns) {
    uncounted_ns_ = std::max(uncounted_ns_, until_ns);
}

/// A look sorted by this filter knows best. Until there is one, after another filter was typed, its rows are
/// those of the filter before.
bool Chronicle::is_shown(const Ended& ended, bool has_row, bool is_left_out) const {
    if (!shown_.passes) return true;
    if (sorted_by_ == shown_.filter && (has_row || is_left_out)) return has_row;
    return shown_.passes(ended);
}

/// Who held it, for filters to come.
void Chronicle::add_holders(Ended& ended) const {
    if (!census_) return;
    const auto add = [&](const model::Process& process) {
        ended.holders.push_back({process.pid, process.comm, process.cgroup});
    };
    const model::Hold& hold = ended.closed.hold;
    const model::Socket* socket =
        hold.place < census_->sockets.size() ? &census_->sockets[hold.place] : nullptr;
    if (socket && model::SocketKey{socket->netns, socket->cookie} == hold.connection.key) {
        constexpr std::size_t kMost = 8;
        for (const model::Holder& holder : model::owners_of(*census_, *socket))
            if (ended.holders.size() < kMost) add(census_->process_of(holder));
        return;
    }
    const auto& left = ended.closed.left;
    if (!left || !left->closer) return;
    const auto process = process_of_.find(left->closer->pid);
    if (process != process_of_.end()) add(census_->processes[process->second]);
}

void Chronicle::show(const Ended& ended) {
    picture_.ended.push_front(ended);
    if (picture_.ended.size() > kMostEnded) picture_.ended.pop_back();
    const std::uint64_t second = ended.at_ns() / model::kSecond;
    if (ended_by_second_.empty() || ended_by_second_.back().first < second)
        ended_by_second_.emplace_back(second, 0);
    ++ended_by_second_.back().second;
    ++picture_.ended_in_all;
}

void Chronicle::keep(Ended ended) {
    ended_.push_front(std::move(ended));
    if (ended_.size() <= kMostKept) return;
    unkept_ns_ = std::max(unkept_ns_, ended_.back().at_ns());
    ended_.pop_back();
}

/// What ended more than a minute ago.
void Chronicle::forget_old() {
    const std::uint64_t now_ns = picture_.now_ns;
    for (auto* ended : {&picture_.ended, &ended_})
        while (!ended->empty() && ended->back().at_ns() + kEndedHoldsStay < now_ns) ended->pop_back();
    while (!ended_by_second_.empty() &&
           (ended_by_second_.front().first + 1) * model::kSecond + kEndedHoldsStay < now_ns)
        ended_by_second_.pop_front();
    picture_.ended_in_all = 0;
    for (const auto& [second, holds] : ended_by_second_) picture_.ended_in_all += holds;
    picture_.ended_in_all_exact = uncounted_ns_ == 0 || uncounted_ns_ + kEndedHoldsStay < now_ns;
}

void Chronicle::recount(std::uint64_t open) {
    if (shown_.is_selective()) {
        open = 0;
        for (const GroupRow& row : picture_.groups) open += row.sockets();
    }
    picture_.pulse.open = open;
}

void Chronicle::beat(std::uint64_t now_ns, const Count& count) {
    constexpr std::size_t kSeconds = 5;
    const bool selective = shown_.is_selective();
    picture_.now_ns = now_ns;
    recount(count.open);
    machine_.add(now_ns, count.open);
    selected_.add(now_ns, picture_.pulse.open);
    picture_.pulse.trend = selective ? selected_.trend() : machine_.trend();
    counts_.emplace_back(now_ns, count);
    if (counts_.size() > kSeconds + 1) counts_.pop_front();
    // Whose holds come and go only a census tells: of a part of them no rates are known.
    picture_.pulse.entered_per_s.reset();
    picture_.pulse.closed_per_s.reset();
    if (!selective && now_ns > counts_.front().first) {
        const double seconds =
            static_cast<double>(now_ns - counts_.front().first) / static_cast<double>(model::kSecond);
        const auto rate = [&](std::uint64_t before, std::uint64_t now) {
            return static_cast<double>(now - before) / seconds;
        };
        picture_.pulse.entered_per_s = rate(counts_.front().second.entered, count.entered);
        picture_.pulse.closed_per_s = rate(counts_.front().second.closed, count.closed);
    }
    forget_old();
    const auto erased = std::erase_if(picture_.groups, [now_ns](const GroupRow& row) {
        return row.ended_ns && *row.ended_ns + kEndedGroupsStay < now_ns;
    });
    if (erased > 0) number_rows();
}

}  // namespace waitclose::live
