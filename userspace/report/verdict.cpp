// SPDX-License-Identifier: BSD-2-Clause
#include "report/verdict.h"

#include <tuple>
#include "diagnose/telling.h"

namespace waitclose::report {

using diagnose::Cause;
using diagnose::Confidence;
using diagnose::is_perhaps;
using replay::Group;

namespace {

std::uint64_t count(const Group& group, Confidence confidence) {
    return group.by_confidence.at(static_cast<std::size_t>(confidence));
}

/// A few holds that perhaps are a fault are no headline where so many times more are none, or not known.
constexpr std::uint64_t kMostTimes = 10;

bool is_shown(const Group& group) {
    return count(group, Confidence::kProven) + count(group, Confidence::kLikely) > 0;
}

/// More of what is shown comes before more of what is not.
auto weight_of(const Group& group) {
    const std::uint64_t proven = count(group, Confidence::kProven);
    return std::tuple(proven + count(group, Confidence::kLikely), proven, group.holds, group.longest_ns);
}

}  // namespace

const Group* headline_of(const replay::Incident& incident) {
    const Group* best = nullptr;
    for (const Group& group : incident.groups)
        if (diagnose::is_fault(group.cause) && (best == nullptr || weight_of(group) > weight_of(*best)))
            best = &group;
    if (best == nullptr || is_shown(*best)) return best;
    return best->holds >= incident.groups.front().holds / kMostTimes ? best : nullptr;
}

std::string cause_text(Cause cause, Confidence confidence) {
    const std::string id(diagnose::id_of(cause));
    return is_perhaps(cause, confidence) ? "perhaps " + id : id;
}

std::string summary_text(const replay::Incident& incident, const Group& group) {
    const std::string text(incident.timeline.text(incident.timeline.holds[group.longest].diagnosis.summary));
    return is_perhaps(group.cause, incident.holds[group.longest].confidence) ? "perhaps: " + text : text;
}

}  // namespace waitclose::report
