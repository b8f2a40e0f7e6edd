// SPDX-License-Identifier: BSD-2-Clause
// The end of a replay: what is open, what is left out, and everything in its order.
#include <algorithm>

#include "model/units.h"
#include "replay/groups.h"
#include "replay/replay.h"
#include "replay/tracks.h"

namespace waitclose::replay {

using timeline::kNowhere;

Incident Replay::finish() {
    passes(std::max(latest_ns_, timeline_.window.from_ns));
    timeline_.window.to_ns = std::max(latest_ns_, lanes_->latest_ns());
    if (look_) {
        for (const std::uint32_t hold : look_->holds)
            if (!sights_[hold].worded) write_down(hold);
        forecast();
    }
    count_unseen();
    forget_young();
    measure_gaps();
    lanes_->finish(timeline_.window.to_ns);
    lay_out_activity();
    spans_.finish();
    finish_tracks();
    if (captured_) share_held_time(*captured_);
    sort_holds();
    count_open();
    counters_.finish(timeline_);
    for (auto& loss : timeline_.losses)
        loss.at_ns = std::clamp(loss.at_ns, timeline_.window.from_ns, timeline_.window.to_ns);
    incident_.totals = ledger_.totals();
    incident_.brief_typical_ns = brief_durations_.typical_ns();
    gather(incident_, outlooks_);
    if (captured_) tell_threads(*captured_);
    return std::move(incident_);
}

/// Of those that were there at the end: the others run out of nothing any more.
void Replay::forecast() {
    for (std::size_t i = 0; i < look_->followed.size(); ++i) {
        if (look_->followed[i] == kNowhere) continue;
        const model::Process& process = look_->census.processes[i];
        const auto growth = growths_.find({process.pid, process.start_ns});
        outlooks_[look_->followed[i]] =
            diagnose::outlook_of(process, growth == growths_.end() ? model::Growth() : growth->second);
    }
}

/// Open at the end, and seen by no look as something to tell of.
void Replay::count_unseen() {
    for (const auto& [key, hold] : ledger_.holds()) {
        if (open_.contains(key) || is_stray(hold.connection)) continue;
        const bool is_young =
            timeline_.window.to_ns < hold.since_ns + min_held_ns_ || timeline_.window.to_ns < hold.since_ns;
        ++(is_young ? incident_.young : incident_.open_unseen);
    }
}

/// Open ones are as old as they are known to be.
void Replay::forget_young() {
    for (const auto& [key, hold] : open_) {
        const Fact& fact = facts_[hold];
        const std::uint64_t to_ns = timeline_.window.to_ns;
        if (to_ns - std::min(fact.since_ns, to_ns) >= min_held_ns_) continue;
        ++incident_.young;
        forget(hold);
    }
}

/// Looks come a second apart while something is held, and sooner after something new.
void Replay::measure_gaps() {
    constexpr std::uint64_t kOftenEnoughNs = model::kSecond;
    constexpr std::uint64_t kTimes = 3;
    if (waits_.empty()) return;
    const auto middle = waits_.begin() + static_cast<std::ptrdiff_t>(waits_.size() / 2);
    std::ranges::nth_element(waits_, middle, {}, &Gap::length_ns);
    incident_.usual_gap_ns = middle->length_ns();
    if (watched_since_ns_ && *watched_since_ns_ < timeline_.window.to_ns)
        waits_.push_back({*watched_since_ns_, timeline_.window.to_ns});
    const std::uint64_t usual_ns = std::max(incident_.usual_gap_ns, kOftenEnoughNs);
    for (const Gap& gap : waits_)
        if (gap.length_ns() / kTimes > usual_ns) incident_.gaps.push_back(gap);
    std::ranges::sort(incident_.gaps, std::greater<>(), &Gap::length_ns);
}

void Replay::finish_tracks() {
    for (std::uint32_t hold = 0; hold < facts_.size(); ++hold) {
        Fact& fact = facts_[hold];
        Sight& sight = sights_[hold];
        if (fact.is_open()) fact.end_ns = timeline_.window.to_ns;
        fact.end_ns = std::min(fact.end_ns, timeline_.window.to_ns);
        fact.since_ns = std::min(fact.since_ns, fact.end_ns);
        fact.queued = sight.queued;
        if (fact.is_open()) fact.is_older = is_older(fact.precision, fact.since_ns);
        settle(timeline_, courses_[hold], fact, timeline_.holds[hold]);
        if (sight.touch && (sight.touch->at_ns < fact.since_ns || sight.touch->at_ns > fact.end_ns))
            sight.touch.reset();
        timeline::ThreadRef toucher;
        timeline::ThreadRef closer;
        if (sight.touch) toucher = lanes_->reach(sight.touch->actor, sight.touch->at_ns);
        if (fact.closer) closer = lanes_->reach(*fact.closer, fact.end_ns);
        lay_out(timeline_, {fact, spans_.of(hold), sight.touch, toucher, sight.eof_ns, sight.queued, closer},
                timeline_.holds[hold]);
    }
    for (std::uint32_t hold = 0; hold < facts_.size(); ++hold) {
        timeline_.holds[hold].tenures = tenures_of(hold);
        tell_owners(timeline_, timeline_.holds[hold], lanes_->formerly(facts_[hold].owner));
    }
}

/// Who had it one after the other, and what was said meanwhile.
std::vector<timeline::Tenure> Replay::tenures_of(std::uint32_t hold) {
    const Fact& fact = facts_[hold];
    const auto gone_ns = [this](std::uint32_t process) { return lanes_->ended_ns(process); };
    auto tenures =
        sights_[hold].keepers.tenures(holder_sets_, fact.owner, fact.since_ns, fact.end_ns, gone_ns);
    for (timeline::Tenure& tenure : tenures) {
        const auto cause = tenure.owner == fact.owner ? fact.cause : courses_[hold].cause_of(tenure.owner);
        if (cause) tenure.cause = timeline_.strings.add(diagnose::id_of(*cause));
    }
    return tenures;
}

/// How many of the holds told of were open when. Those from before the recording are so from its beginning.
void Replay::count_open() {
    std::vector<std::uint64_t> ends;
    const std::uint64_t from_ns = timeline_.window.from_ns;
    for (const Fact& fact : incident_.holds)
        ends.push_back(fact.is_open() ? UINT64_MAX : std::max(fact.end_ns, from_ns));
    std::ranges::sort(ends);
    std::uint64_t ended = 0;
    std::uint64_t begun = 0;
    const auto end_until = [&](std::uint64_t at_ns) {
        for (; ended < ends.size() && ends[ended] <= at_ns; ++ended)
            counters_.open(ends[ended], begun - ended - 1);
    };
    for (const Fact& fact : incident_.holds) {
        const std::uint64_t at_ns = std::max(fact.since_ns, from_ns);
        end_until(std::min(at_ns, UINT64_MAX - 1));
        counters_.open(at_ns, ++begun - ended);
        if (begun - ended <= incident_.most_open) continue;
        incident_.most_open = begun - ended;
        incident_.most_open_ns = at_ns;
    }
    end_until(UINT64_MAX - 1);
}

/// By their beginning; those that were forgotten go.
void Replay::sort_holds() {
    std::vector<bool> gone(facts_.size(), false);
    for (const std::uint32_t hold : free_) gone[hold] = true;
    std::vector<std::uint32_t> order;
    for (std::uint32_t hold = 0; hold < facts_.size(); ++hold)
        if (!gone[hold]) order.push_back(hold);
    std::ranges::stable_sort(order, {}, [this](std::uint32_t hold) { return facts_[hold].since_ns; });
    std::vector<timeline::Hold> tracks;
    tracks.reserve(order.size());
    incident_.holds.reserve(order.size());
    for (const std::uint32_t hold : order) {
        tracks.push_back(std::move(timeline_.holds[hold]));
        incident_.holds.push_back(std::move(facts_[hold]));
    }
    timeline_.holds = std::move(tracks);
}

}  // namespace waitclose::replay
