// SPDX-License-Identifier: BSD-2-Clause
#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/telling.h"
#include "output/format.h"
#include "output/outlook.h"
#include "report/captured.h"
#include "report/caveats.h"
#include "report/doings.h"
#include "report/sentences.h"
#include "report/verdict.h"

namespace waitclose::report {

namespace {

/// What the text says of a group beside its headline.
std::vector<std::string> facts_of(const replay::Incident& incident, const replay::Group& group) {
    std::vector<std::string> facts{fmt::format("{}{}{}",
                                               group.holds == 1 ? "" : typical_text(group) + "; the first ",
                                               begin_text(incident, group.first_ns, group.first_or_earlier),
                                               group.holds == 1 && group.open ? ", open at the end" : "")};
    if (group.holds > 1 && group.open < group.holds) {
        const std::string closers = closers_text(group);
        facts.push_back(endings_text(group.endings) + (closers.empty() ? "" : "; by thread: " + closers));
    }
    if (group.fds.full_in_ns) facts.push_back("at the last look " + output::outlook_text(group.fds));
    return facts;
}

timeline::ReportGroup group_of(const replay::Incident& incident, const replay::Group& group) {
    timeline::ReportGroup made;
    made.process = group.owner;
    made.cause = diagnose::id_of(group.cause);
    made.confidence = diagnose::id_of(group.confidence);
    if (group.remote)
        made.where = "to " + *group.remote;
    else if (group.local_port)
        made.where = fmt::format("port {}", *group.local_port);
    made.summary = summary_text(incident, group);
    made.sockets = group.holds;
    made.oldest_held_ns = group.longest_ns;
    made.typical = group.longest;
    made.open = group.open;
    made.oldest_at_least = group.longest_at_least;
    made.is_perhaps = diagnose::is_perhaps(group.cause, group.confidence);
    made.facts = facts_of(incident, group);
    return made;
}

timeline::ReportTotals totals_of(const replay::Incident& incident) {
    timeline::ReportTotals totals;
    totals.holds = incident.holds.size();
    totals.groups = incident.groups.size();
    totals.open = incident.endings.of(replay::Ended::kNot);
    for (const replay::Fact& fact : incident.holds) {
        totals.longest_ns = std::max(totals.longest_ns, fact.held_ns());
        totals.longest_at_least |= fact.is_at_least();
    }
    return totals;
}

}  // namespace

timeline::ReportWords page_words(const replay::Incident& incident) {
    const store::About& about = incident.about;
    timeline::ReportWords words;
    const auto reason = reason_lines(incident);
    for (std::size_t i = 0; i < reason.size(); ++i)
        words.sentences.push_back(fmt::format("{}: {}", kReasonLabels.at(i), reason[i]));
    for (std::string& sentence : sentences(incident)) words.sentences.push_back(std::move(sentence));
    words.threads = thread_rows(incident);
    words.where =
        fmt::format("host {}, Linux {}, recorded {} for {} by {}; it ended {}", about.hostname, about.kernel,
                    output::date_time_text(wall_ns(incident, incident.window().from_ns)),
                    output::duration_text(length_ns(incident)), about.program, ending_text(about));
    for (const Caveat& caveat : caveats(incident))
        (caveat.warns ? words.losses : words.notes)
            .push_back(fmt::format("{}: {}", caveat.label, caveat.text));
    constexpr std::size_t kDoingsTold = 20;
    for (const replay::OwnerDoings& owner : incident.doings) {
        auto doings = doing_sentences(incident, owner);
        if (doings.size() > kDoingsTold) doings.resize(kDoingsTold);
        for (std::string& one : doings) words.notes.push_back(std::move(one));
    }
    words.totals = totals_of(incident);
    for (const replay::Group& group : incident.groups) words.groups.push_back(group_of(incident, group));
    words.group_of = incident.group_of;
    return words;
}

}  // namespace waitclose::report
