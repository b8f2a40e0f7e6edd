// SPDX-License-Identifier: BSD-2-Clause
// The reason in three lines.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "diagnose/telling.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"
#include "output/format.h"
#include "output/labelled.h"
#include "report/captured.h"
#include "report/doings.h"
#include "report/link_words.h"
#include "report/sentences.h"
#include "report/verdict.h"
#include "timeline/labels.h"

namespace waitclose::report {

using diagnose::Cause;
using output::count_of;
using output::duration_text;
using replay::Group;
using replay::Incident;
using replay::ThreadStory;
using timeline::Link;
using timeline::StringId;

namespace {

/// ", 97 % of 5 s": of the capture.
std::string share_text(const Incident& incident, const ThreadStory& story, std::string_view what) {
    for (const ThreadStory::Slept& one : story.classes)
        if (incident.timeline.text(one.what) == what)
            return fmt::format(", {} of the {} captured", percent_text(one.ns, story.length_ns),
                               duration_text(story.length_ns));
    return {};
}

class Reason {
public:
    Reason(const Incident& incident, const Group& group)
        : incident_(incident),
          group_(group),
          diagnosis_(incident.timeline.holds[group.longest].diagnosis),
          culprit_(diagnosis_.culprit) {
        if (culprit_ && culprit_->tid) story_ = story_of(incident, culprit_->pid, *culprit_->tid);
    }

    std::vector<std::string> lines() const {
        if (group_.cause == Cause::kDeadlock && diagnosis_.because.size() > 1) return deadlock();
        std::vector<std::string> made{who()};
        if (diagnosis_.because.empty() && !(culprit_ && culprit_->tid))
            add_doings_of_owner(incident_, group_, made);
        else if (diagnosis_.because.empty())
            add_doings(made);
        else
            add_chain(made);
        return made;
    }

private:
    const Link* first() const { return diagnosis_.because.empty() ? nullptr : &diagnosis_.because.front(); }

    std::string held_text() const {
        const std::string where = group_.remote       ? " to " + *group_.remote
                                  : group_.local_port ? fmt::format(" on port {}", *group_.local_port)
                                                      : "";
        return fmt::format("{}{} in CLOSE_WAIT: {} ({})", count_of(group_.holds, "socket", "sockets"), where,
                           cause_text(group_.cause, group_.confidence), diagnose::id_of(group_.confidence));
    }

    std::string who() const {
        const char* perhaps = diagnose::is_perhaps(group_.cause, group_.confidence) ? "perhaps " : "";
        if (!culprit_) return fmt::format("{}{}, {}", perhaps, holders_text(incident_, group_), held_text());
        if (!culprit_->tid)
            return fmt::format("{}{} (pid {}), no single thread, {}", perhaps,
                               incident_.timeline.text(culprit_->comm), culprit_->pid, held_text());
        const Link* link = first();
        const bool is_its = link && link->pid == culprit_->pid && link->tid == *culprit_->tid;
        return fmt::format("{}{}{} holds {}", perhaps,
                           who_text(incident_, culprit_->pid, *culprit_->tid, culprit_->comm),
                           in_text(function_of(incident_, is_its ? link : nullptr, story_)), held_text());
    }

    /// It waits for nobody that a look could tell: by what it did while it was captured.
    void add_doings(std::vector<std::string>& made) const {
        if (story_ == nullptr) return;
        const ThreadStory& story = *story_;
        std::string text =
            fmt::format("of the {} captured it ran for {}, waited for a CPU for {}, and slept for {}",
                        duration_text(story.length_ns), percent_text(story.on_cpu_ns, story.length_ns),
                        percent_text(story.runnable_ns, story.length_ns),
                        percent_text(story.blocked_ns, story.length_ns));
        if (!story.ran.empty() && story.ran.front().function != timeline::kNotKnown)
            text += fmt::format("; {} of its {} are in {}",
                                percent_text(story.ran.front().samples, story.samples),
                                count_of(story.samples, "sample", "samples"),
                                diagnose::function_text(story.ran.front().function));
        made.push_back(text);
        const bool at_work = story.on_cpu_ns + story.runnable_ns >= story.blocked_ns;
        if (at_work)
            made.push_back(story.runnable_ns > story.on_cpu_ns
                               ? "the CPU, which it does not get"
                               : "the CPU: it computes, and waits for nobody");
        else if (!story.slept.empty())
            made.push_back(fmt::format("{}: {}",
                                       resource_of(incident_.timeline.text(story.slept.front().what)),
                                       incident_.timeline.text(story.slept.front().detail)));
    }

    void add_chain(std::vector<std::string>& made) const {
        std::string text;
        const auto& chain = diagnosis_.because;
        for (std::size_t i = 0; i < chain.size(); ++i) {
            const Link& link = chain[i];
            const ThreadStory* story = story_of(incident_, link.pid, link.tid);
            text += i == 0 ? "it " + waits_text(incident_, link) : next_text(incident_, link);
            if (i == 0 && story)
                text += share_text(incident_, *story, incident_.timeline.text(link.waits_for));
        }
        made.push_back(text);
        const Link& last = chain.back();
        const std::string_view what = incident_.timeline.text(last.waits_for);
        const std::string end = resource_of(what);
        if (what == "nothing")
            made.push_back(
                fmt::format("{}, on which {} runs", end, who_text(incident_, last.pid, last.tid, last.comm)));
        else
            made.push_back(fmt::format("{}: {}", end, incident_.timeline.text(last.detail)));
    }

    std::string member(const Link& link) const {
        return who_text(incident_, link.pid, link.tid, link.comm) +
               in_text(function_of(incident_, &link, story_of(incident_, link.pid, link.tid)));
    }

    std::vector<std::string> deadlock() const {
        const Link& one = diagnosis_.because[0];
        const Link& other = diagnosis_.because[1];
        const std::size_t more = diagnosis_.because.size() - 2;
        return {fmt::format("deadlock of {} threads: {} holds {}", diagnosis_.because.size(),
                            who_text(incident_, one.pid, one.tid, one.comm), held_text()),
                fmt::format("{} {}", member(one), waits_text(incident_, one)),
                fmt::format("{} {}{}", member(other), waits_text(incident_, other),
                            more ? fmt::format("; and {} more", more) : "")};
    }

    const Incident& incident_;
    const Group& group_;
    const timeline::Diagnosis& diagnosis_;
    const std::optional<timeline::Culprit>& culprit_;
    const ThreadStory* story_ = nullptr;
};

/// Three lines have room for one group: that with most sockets; of several, the one of which most is known.
const Group& group_told(const Incident& incident) {
    const auto weight = [](const Group& group) {
        const int known = group.cause == Cause::kUnknown ? 0 : 3 - static_cast<int>(group.confidence);
        return std::tuple(group.holds, known, diagnose::is_fault(group.cause), group.longest_ns);
    };
    return *std::ranges::max_element(incident.groups, {}, weight);
}

std::vector<std::string> lines_of(const Incident& incident, const Group& group) {
    if (diagnose::is_fault(group.cause)) return Reason(incident, group).lines();
    if (group.cause == Cause::kUnknown) return nobody_named(incident, group);
    return {fmt::format("nobody is blamed for {} of {}: {} is no program's fault",
                        count_of(group.holds, "socket", "sockets"), holders_text(incident, group),
                        diagnose::id_of(group.cause))};
}

/// " (1 of 16 groups, 3 of 122 sockets)": that it is not the whole incident; empty where it is.
std::string part_text(const Incident& incident, const Group& group) {
    const auto sockets = static_cast<std::uint64_t>(incident.holds.size());
    if (incident.groups.size() < 2) return {};
    return fmt::format(" (1 of {} groups, {} of {} sockets)", output::count_text(incident.groups.size()),
                       output::count_text(group.holds), output::count_text(sockets));
}

}  // namespace

std::vector<std::string> reason_lines(const Incident& incident) {
    if (!incident.activity) return {};
    if (incident.groups.empty()) return {"no socket that was looked at stayed in CLOSE_WAIT"};
    const Group& told = group_told(incident);
    std::vector<std::string> lines = lines_of(incident, told);
    lines.front() += part_text(incident, told);
    return lines;
}

}  // namespace waitclose::report
