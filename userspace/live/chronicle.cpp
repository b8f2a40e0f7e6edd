// SPDX-License-Identifier: BSD-2-Clause
#include "live/chronicle.h"

#include <algorithm>
#include <cmath>

#include "model/units.h"

namespace waitclose::live {

void History::add(std::uint64_t at_ns, std::uint64_t count) {
    counts_.emplace_back(at_ns, count);
    if (counts_.size() > kMost) counts_.pop_front();
}

void History::begin_empty(std::uint64_t at_ns) {
    add(at_ns, 0);
    began_empty_ = true;
}

Trend History::trend() const {
    Trend trend;
    for (const auto& [at_ns, count] : counts_) trend.counts.push_back(count);
    if (counts_.size() < 2) return trend;
    const auto& [until_ns, last] = counts_.back();
    auto from = std::ranges::find_if(
        counts_, [&, until = until_ns](const auto& one) { return one.first + model::kMinute >= until; });
    if (from == counts_.end() - 1) --from;
    if (until_ns - from->first < 5 * model::kSecond) return trend;
    const auto length = static_cast<double>(until_ns - from->first);
    const auto minute = static_cast<double>(model::kMinute);
    const double grew = static_cast<double>(last) - static_cast<double>(from->second);
    if (length >= minute)
        trend.per_minute = grew * minute / length;
    else if (began_empty_ && from == counts_.begin())
        trend.per_minute = grew;
    else
        trend.per_minute = grew + goes_on(from->first, until_ns) * (minute - length);
    return trend;
}

/// By how much it grows in a nanosecond throughout that time: as in the half in which it grew less. What came
/// at once, and then no more, does not go on.
double History::goes_on(std::uint64_t from_ns, std::uint64_t until_ns) const {
    const std::uint64_t middle_ns = from_ns + (until_ns - from_ns) / 2;
    const auto half = static_cast<double>(until_ns - middle_ns);
    const double first = (at(middle_ns) - at(from_ns)) / half;
    const double second = (at(until_ns) - at(middle_ns)) / half;
    if ((first < 0) != (second < 0)) return 0;
    return std::fabs(first) < std::fabs(second) ? first : second;
}

/// Between two numbers: as if it had changed evenly.
double History::at(std::uint64_t at_ns) const {
    const auto after = std::ranges::find_if(counts_, [at_ns](const auto& one) { return one.first >= at_ns; });
    const auto count = static_cast<double>(after->second);
    if (after == counts_.begin() || after->first == at_ns) return count;
    const auto before = after - 1;
    const double share =
        static_cast<double>(at_ns - before->first) / static_cast<double>(after->first - before->first);
    const auto count_before = static_cast<double>(before->second);
    return count_before + (count - count_before) * share;
}

void Chronicle::select(std::uint64_t min_held_ns, bool selective) {
    min_held_ns_ = min_held_ns;
    selective_ = selective;
    history_ = {};  // of what was selected until now
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
    diagnoser_ = look.diagnoser ? std::move(look.diagnoser) : std::make_unique<diagnose::Diagnoser>(*census_);
    picture_.explain = [this](const model::Socket& socket) { return diagnoser_->diagnose(socket); };
    picture_.census = census_.get();
    picture_.wall_offset_ns = census_->wall_offset_ns;
    picture_.now_ns = std::max(picture_.now_ns, census_->taken_ns);
    picture_.left_out = look.left_out;
    picture_.listeners = std::move(look.listeners);
    std::vector<GroupRow> rows = rows_of(std::move(look.groups), sorted_anew);
    keep_ended(rows);
    picture_.groups = std::move(rows);
    number_rows();
    taken_ns_ = census_->taken_ns;
    return before;
}

std::vector<GroupRow> Chronicle::rows_of(std::vector<diagnose::Group> groups, bool sorted_anew) {
    std::vector<GroupRow> rows;
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

/// What a new group was before: others whose sockets had another cause, or nothing.
void Chronicle::begin(History& history, const GroupKey& key) const {
    const auto kin = std::ranges::find_if(picture_.groups, [&](const GroupRow& row) {
        return row.key.is_kin_of(key) && row.key.cause == diagnose::Cause::kUnknown && !row.ended_ns;
    });
    if (kin != picture_.groups.end())
        history = histories_.at(fingerprint(kin->key));
    else if (taken_ns_ > 0)
        history.begin_empty(taken_ns_);
}

/// Groups that are not in the census any more. One whose sockets have another cause now has not ended.
void Chronicle::keep_ended(std::vector<GroupRow>& rows) {
    const std::size_t living = rows.size();
    for (GroupRow& before : picture_.groups) {
        bool stays = false;
        bool renamed = false;
        for (std::size_t i = 0; i < living; ++i) {
            stays = stays || rows[i].key == before.key;
            renamed =
                renamed || (rows[i].key.is_kin_of(before.key) &&
                            (!find(picture_, rows[i].key) || before.key.cause == diagnose::Cause::kUnknown));
        }
        if (stays || (renamed && !before.ended_ns)) continue;
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
        picture_.gone.insert(closed.hold.connection.key);
        if (row->sockets() == 0) row->ended_ns = closed.hold.since_ns + closed.held_ns;
    }
    if (closed.held_ns < min_held_ns_ || (selective_ && !row)) return;
    picture_.ended.push_front({++number_, closed, row ? std::optional(row->key.cause) : std::nullopt});
    if (picture_.ended.size() > kMostEnded) picture_.ended.pop_back();
}

void Chronicle::beat(std::uint64_t now_ns, const Count& count) {
    constexpr std::size_t kSeconds = 5;
    picture_.now_ns = now_ns;
    std::uint64_t open = count.open;
    if (selective_) {
        open = 0;
        for (const GroupRow& row : picture_.groups) open += row.sockets();
    }
    history_.add(now_ns, open);
    picture_.pulse.open = open;
    picture_.pulse.trend = history_.trend();
    counts_.emplace_back(now_ns, count);
    if (counts_.size() > kSeconds + 1) counts_.pop_front();
    // Whose holds come and go only a census tells: of a part of them no rates are known.
    picture_.pulse.entered_per_s.reset();
    picture_.pulse.closed_per_s.reset();
    if (!selective_ && now_ns > counts_.front().first) {
        const double seconds =
            static_cast<double>(now_ns - counts_.front().first) / static_cast<double>(model::kSecond);
        const auto rate = [&](std::uint64_t before, std::uint64_t now) {
            return static_cast<double>(now - before) / seconds;
        };
        picture_.pulse.entered_per_s = rate(counts_.front().second.entered, count.entered);
        picture_.pulse.closed_per_s = rate(counts_.front().second.closed, count.closed);
    }
    while (!picture_.ended.empty() && picture_.ended.back().at_ns() + kEndedHoldsStay < now_ns)
        picture_.ended.pop_back();
    const auto erased = std::erase_if(picture_.groups, [now_ns](const GroupRow& row) {
        return row.ended_ns && *row.ended_ns + kEndedGroupsStay < now_ns;
    });
    if (erased > 0) number_rows();
}

}  // namespace waitclose::live
