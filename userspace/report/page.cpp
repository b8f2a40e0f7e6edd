// SPDX-License-Identifier: BSD-2-Clause
#include "report/page.h"

#include <fmt/format.h>

#include "output/format.h"
#include "report/sentences.h"

namespace waitclose::report {

namespace {

timeline::ReportGroup group_of(const replay::Incident& incident, const replay::Group& group) {
    timeline::ReportGroup made;
    made.process = group.owner;
    made.cause = diagnose::id_of(group.cause);
    made.confidence = diagnose::id_of(group.confidence);
    if (group.remote)
        made.where = "to " + *group.remote;
    else if (group.local_port)
        made.where = fmt::format("port {}", *group.local_port);
    made.summary = incident.timeline.text(incident.timeline.holds[group.longest].diagnosis.summary);
    made.sockets = group.holds;
    made.oldest_held_ns = group.longest_ns;
    made.typical = group.longest;
    return made;
}

}  // namespace

timeline::ReportWords page_words(const replay::Incident& incident) {
    const store::About& about = incident.about;
    timeline::ReportWords words;
    words.sentences = sentences(incident);
    words.where =
        fmt::format("host {}, Linux {}, recorded {} for {} by {}; it ended {}", about.hostname, about.kernel,
                    output::date_time_text(wall_ns(incident, incident.window().from_ns)),
                    output::duration_text(length_ns(incident)), about.program, ending_text(about));
    words.losses = loss_sentences(incident);
    for (std::string& gap : gap_sentences(incident)) words.losses.push_back(std::move(gap));
    for (const replay::Group& group : incident.groups) words.groups.push_back(group_of(incident, group));
    words.group_of = incident.group_of;
    return words;
}

}  // namespace waitclose::report
