// SPDX-License-Identifier: BSD-2-Clause
#include "replay/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "model/units.h"

namespace waitclose::replay {

namespace {

/// Whose and where, whatever the cause.
using Place = std::tuple<std::string, std::string, std::optional<std::uint16_t>, std::optional<std::string>>;
using ByCause = std::map<diagnose::Cause, Figures>;
using Side = std::map<Place, ByCause>;

double minutes(const Incident& incident) {
    const std::uint64_t length_ns = incident.window().to_ns - incident.window().from_ns;
    // A recording of a moment says nothing of a minute.
    return static_cast<double>(std::max(length_ns, model::kSecond)) / static_cast<double>(model::kMinute);
}

/// Programs by name, as far as they were known to one of the recordings.
using Programs = std::map<std::string, std::set<std::string>>;

/// What was replaced while it ran is still the same program.
std::string program_of(std::string_view exe) {
    constexpr std::string_view kDeleted = " (deleted)";
    if (exe.ends_with(kDeleted)) exe.remove_suffix(kDeleted.size());
    return std::string(exe);
}

void note_programs(const Incident& incident, Programs& programs) {
    for (const timeline::Process& process : incident.timeline.processes)
        if (process.exe != timeline::StringId::kNone)
            programs[std::string(incident.timeline.text(process.comm))].insert(
                program_of(incident.timeline.text(process.exe)));
}

/// A program that one recorder could not read is the one that has that name elsewhere.
Place place_of(const Incident& incident, const Group& group, const Programs& programs) {
    const timeline::Process* owner = incident.timeline.process_at(group.owner);
    if (owner == nullptr) return {{}, {}, group.local_port, group.remote};
    const std::string comm(incident.timeline.text(owner->comm));
    std::string exe = program_of(incident.timeline.text(owner->exe));
    const auto known = programs.find(comm);
    if (exe.empty() && known != programs.end() && known->second.size() == 1) exe = *known->second.begin();
    return {comm, exe, group.local_port, group.remote};
}

void add(Figures& figures, const Group& group) {
    figures.holds += group.holds;
    figures.open += group.open;
    figures.confidence = std::min(figures.confidence, group.confidence);
    figures.held_ns += group.held_ns;
    figures.begun += group.begun;
    figures.longest_ns = std::max(figures.longest_ns, group.longest_ns);
    figures.longest_at_least |= group.longest_at_least;
    if (group.holds > figures.largest) {
        figures.largest = group.holds;
        figures.typical_ns = group.typical_ns;
        figures.typical_at_least = group.typical_at_least;
    }
    if (group.owner != timeline::kNowhere) ++figures.processes;
}

/// How often, a minute, something happens there that may be the same: what is still unknown in a place is
/// young, and most of it becomes what the rest is there; the shorter a recording, the more of it.
double rate_beside(const ByCause& causes, diagnose::Cause cause) {
    double rate = 0;
    for (const auto& [other, figures] : causes)
        if (other != cause && (other == diagnose::Cause::kUnknown || cause == diagnose::Cause::kUnknown))
            rate += figures.per_minute;
    return rate;
}

/// The rate after, but for what has only gone over to what is beside, or come from there.
double rate_but_for(double before, double after, double beside_before, double beside_after) {
    const double change = after - before;
    const double beside = beside_after - beside_before;
    if (change * beside >= 0) return after;
    return after - std::copysign(std::min(std::abs(change), std::abs(beside)), change);
}

Change change_of(double before, double after, double shorter_minutes) {
    if (std::abs(after - before) * shorter_minutes <= 1) return Change::kSame;
    if (after >= before * 1.25) return Change::kGrown;
    return after <= before / 1.25 ? Change::kShrunk : Change::kSame;
}

Side side_of(const Incident& incident, const Programs& programs) {
    Side side;
    for (const Group& group : incident.groups) {
        Figures& figures = side[place_of(incident, group, programs)][group.cause];
        add(figures, group);
        figures.per_minute = static_cast<double>(figures.begun) / minutes(incident);
    }
    return side;
}

/// The causes that one side alone has, the most holds first.
std::vector<diagnose::Cause> only_in(const ByCause& one, const ByCause& other) {
    std::vector<diagnose::Cause> found;
    for (const auto& [cause, figures] : one)
        if (!other.contains(cause)) found.push_back(cause);
    std::ranges::stable_sort(found, std::greater<>(),
                             [&](diagnose::Cause cause) { return one.at(cause).holds; });
    return found;
}

std::optional<diagnose::Cause> largest_of(const ByCause& causes) {
    if (causes.empty()) return std::nullopt;
    return std::ranges::max_element(causes, {}, [](const auto& one) { return one.second.holds; })->first;
}

/// All that one owner has in one place.
void match(const Place& place, const ByCause& before, const ByCause& after, double shorter_minutes,
           std::vector<Compared>& found) {
    const auto change = [&](const Compared& one) {
        if (!one.before) return Change::kNew;
        if (!one.after) return Change::kGone;
        const double rate_before = one.before->per_minute;
        if (one.cause_before) return change_of(rate_before, one.after->per_minute, shorter_minutes);
        return change_of(rate_before,
                         rate_but_for(rate_before, one.after->per_minute, rate_beside(before, one.cause),
                                      rate_beside(after, one.cause)),
                         shorter_minutes);
    };
    const auto add_one = [&]() -> Compared& {
        Compared& one = found.emplace_back();
        std::tie(one.comm, one.exe, one.local_port, one.remote) = place;
        return one;
    };
    for (const auto& [cause, figures] : before) {
        if (!after.contains(cause)) continue;
        Compared& one = add_one();
        one.cause = cause;
        one.before = figures;
        one.after = after.at(cause);
        one.change = change(one);
    }
    const auto gone = only_in(before, after);
    const auto come = only_in(after, before);
    for (std::size_t i = 0; i < std::max(gone.size(), come.size()); ++i) {
        Compared& one = add_one();
        if (i < gone.size()) one.before = before.at(gone[i]);
        if (i < come.size()) one.after = after.at(come[i]);
        one.cause = i < come.size() ? come[i] : gone[i];
        if (one.before && one.after) one.cause_before = gone[i];
        if (!one.before) one.cause_beside = largest_of(before);
        if (!one.after) one.cause_beside = largest_of(after);
        one.change = change(one);
    }
}

double weight_of(const Compared& compared) {
    return std::max(compared.before ? compared.before->per_minute : 0,
                    compared.after ? compared.after->per_minute : 0);
}

}  // namespace

std::string_view id_of(Change change) {
    switch (change) {
    case Change::kNew: return "new";
    case Change::kGrown: return "grown";
    case Change::kShrunk: return "shrunk";
    case Change::kGone: return "gone";
    case Change::kSame: break;
    }
    return "same";
}

std::vector<Reserve> reserves(const Incident& before, const Incident& after) {
    constexpr std::uint64_t kShortNs = 5 * model::kSecond;
    const auto begun = [](const Incident& incident) {
        return static_cast<std::int64_t>(incident.window().from_ns +
                                         static_cast<std::uint64_t>(incident.about.wall_offset_ns));
    };
    const auto is_short = [](const Incident& incident) {
        return incident.window().to_ns - incident.window().from_ns < kShortNs;
    };
    const bool same_boot = before.about.boot_id == after.about.boot_id;
    std::vector<Reserve> found;
    if (same_boot && before.window().from_ns == after.window().from_ns &&
        before.about.program == after.about.program && before.looks == after.looks)
        return {Reserve::kSameRecording};
    if (before.about.hostname != after.about.hostname)
        found.push_back(Reserve::kOtherMachine);
    else if (!same_boot)
        found.push_back(Reserve::kOtherBoot);
    if (same_boot && before.window().from_ns < after.window().to_ns &&
        after.window().from_ns < before.window().to_ns)
        found.push_back(Reserve::kOverlap);
    if (begun(after) < begun(before)) found.push_back(Reserve::kWrongOrder);
    if (is_short(before)) found.push_back(Reserve::kBeforeShort);
    if (is_short(after)) found.push_back(Reserve::kAfterShort);
    return found;
}

std::uint64_t shared_holds(const Incident& before, const Incident& after) {
    if (before.about.boot_id != after.about.boot_id) return 0;
    std::unordered_set<model::SocketKey, model::SocketKeyHash> earlier;
    for (const Fact& fact : before.holds) earlier.insert(fact.key);
    return static_cast<std::uint64_t>(
        std::ranges::count_if(after.holds, [&](const Fact& fact) { return earlier.contains(fact.key); }));
}

std::vector<Compared> compare(const Incident& before, const Incident& after) {
    Programs programs;
    note_programs(before, programs);
    note_programs(after, programs);
    const Side earlier = side_of(before, programs);
    Side later = side_of(after, programs);
    std::vector<Compared> found;
    const double shorter_minutes = std::min(minutes(before), minutes(after));
    for (const auto& [place, causes] : earlier) {
        const auto other = later.find(place);
        match(place, causes, other == later.end() ? ByCause() : other->second, shorter_minutes, found);
        if (other != later.end()) later.erase(other);
    }
    for (const auto& [place, causes] : later) match(place, {}, causes, shorter_minutes, found);
    std::ranges::stable_sort(found, [](const Compared& one, const Compared& other) {
        return std::pair(one.change, -weight_of(one)) < std::pair(other.change, -weight_of(other));
    });
    return found;
}

}  // namespace waitclose::replay
