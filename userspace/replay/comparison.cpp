// SPDX-License-Identifier: BSD-2-Clause
#include "replay/comparison.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "model/units.h"

namespace waitclose::replay {

namespace {

using Key = std::tuple<std::string, std::string, diagnose::Cause, std::optional<std::uint16_t>,
                       std::optional<std::string>>;

double minutes(const Incident& incident) {
    const std::uint64_t length_ns = incident.window().to_ns - incident.window().from_ns;
    // A recording of a moment says nothing of a minute.
    return static_cast<double>(std::max(length_ns, model::kSecond)) / static_cast<double>(model::kMinute);
}

Key key_of(const Incident& incident, const Group& group) {
    const timeline::Process* owner = incident.timeline.process_at(group.owner);
    const auto text = [&](timeline::StringId id) { return std::string(incident.timeline.text(id)); };
    return {owner ? text(owner->comm) : std::string(), owner ? text(owner->exe) : std::string(), group.cause,
            group.local_port, group.remote};
}

void add(Figures& figures, const Group& group) {
    figures.holds += group.holds;
    figures.open += group.open;
    figures.held_ns += group.held_ns;
    figures.begun += group.begun;
    if (group.longest_ns >= figures.longest_ns) {
        figures.longest_ns = group.longest_ns;
        figures.longest_at_least = group.longest_at_least;
    }
    if (group.holds > figures.largest) {
        figures.largest = group.holds;
        figures.typical_ns = group.typical_ns;
    }
    if (group.owner != timeline::kNowhere) ++figures.processes;
}

Change change_of(const Compared& compared, double shorter_minutes) {
    if (!compared.before) return Change::kNew;
    if (!compared.after) return Change::kGone;
    const double before = compared.before->per_minute;
    const double after = compared.after->per_minute;
    if (std::abs(after - before) * shorter_minutes <= 1) return Change::kSame;
    if (after >= before * 1.25) return Change::kGrown;
    return after <= before / 1.25 ? Change::kShrunk : Change::kSame;
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
    std::vector<Reserve> found;
    if (begun(after) < begun(before)) found.push_back(Reserve::kWrongOrder);
    if (is_short(before)) found.push_back(Reserve::kBeforeShort);
    if (is_short(after)) found.push_back(Reserve::kAfterShort);
    return found;
}

std::vector<Compared> compare(const Incident& before, const Incident& after) {
    std::map<Key, Compared> all;
    const auto gather = [&](const Incident& incident, std::optional<Figures> Compared::*side) {
        for (const Group& group : incident.groups) {
            const Key key = key_of(incident, group);
            Compared& one = all[key];
            std::tie(one.comm, one.exe, one.cause, one.local_port, one.remote) = key;
            if (!(one.*side)) (one.*side).emplace();
            add(*(one.*side), group);
            (one.*side)->per_minute = static_cast<double>((one.*side)->begun) / minutes(incident);
        }
    };
    gather(before, &Compared::before);
    gather(after, &Compared::after);
    std::vector<Compared> sorted;
    for (auto& [key, one] : all) {
        one.change = change_of(one, std::min(minutes(before), minutes(after)));
        sorted.push_back(std::move(one));
    }
    std::ranges::stable_sort(sorted, [](const Compared& one, const Compared& other) {
        return std::pair(one.change, -weight_of(one)) < std::pair(other.change, -weight_of(other));
    });
    return sorted;
}

}  // namespace waitclose::replay
