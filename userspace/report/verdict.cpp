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

/// So many times more holds make a trifle of a few, be they ever so sure.
constexpr std::uint64_t kMostTimes = 10;

bool is_shown(const Group& group) {
    return count(group, Confidence::kProven) + count(group, Confidence::kLikely) > 0;
}

bool is_trifle(const Group& group, const Group& beside) {
    return group.holds < beside.holds / kMostTimes;
}

/// More of what is shown comes before more of what is not.
auto weight_of(const Group& group) {
    const std::uint64_t proven = count(group, Confidence::kProven);
    return std::tuple(proven + count(group, Confidence::kLikely), proven, group.holds, group.longest_ns);
}

/// The weightiest fault of those that are shown, or of those that perhaps are one; null: there is none.
const Group* weightiest(const replay::Incident& incident, bool shown) {
    const Group* best = nullptr;
    for (const Group& group : incident.groups)
        if (diagnose::is_fault(group.cause) && is_shown(group) == shown &&
            (best == nullptr || weight_of(group) > weight_of(*best)))
            best = &group;
    return best;
}

}  // namespace

const Group* headline_of(const replay::Incident& incident) {
    const Group* shown = weightiest(incident, true);
    const Group* perhaps = weightiest(incident, false);
    if (shown && !(perhaps && is_trifle(*shown, *perhaps))) return shown;
    return perhaps && !is_trifle(*perhaps, incident.groups.front()) ? perhaps : shown;
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
