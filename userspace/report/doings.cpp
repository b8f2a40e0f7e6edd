// SPDX-License-Identifier: BSD-2-Clause
#include "report/doings.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "output/format.h"
#include "output/json.h"
#include "output/labelled.h"
#include "report/link_words.h"
#include "report/sentences.h"

namespace waitclose::report {

using nlohmann::ordered_json;
using output::count_of;
using output::count_text;
using output::duration_text;
using replay::Doing;
using replay::Group;
using replay::Incident;
using replay::Interest;
using replay::OwnerDoings;
using replay::ThreadStory;
using timeline::Link;

namespace {

constexpr std::array<std::string_view, 12> kInterests{"deadlock", "disk",    "downstream", "pipe",
                                                      "lock",     "busy",    "other",      "sleep",
                                                      "brief",    "polling", "client",     "idle-like"};

bool may_be_idle(const Doing& doing) {
    return doing.interest >= Interest::kPolling;
}

/// What its threads do is most worth a look: the least; one all of whose threads are idle comes last.
std::size_t rank_of(const OwnerDoings& owner) {
    return owner.doings.empty() ? kInterests.size() : static_cast<std::size_t>(owner.doings[0].interest);
}

bool is_holder(const Incident& incident, const Group& group, const OwnerDoings& owner) {
    if (group.owner != timeline::kNowhere) return owner.owner == group.owner;
    const timeline::Process* process = incident.timeline.process_at(owner.owner);
    const auto& holders = incident.timeline.holds[group.longest].holders;
    return process != nullptr && std::ranges::any_of(holders, [&](const timeline::Holder& holder) {
               return holder.pid == process->pid && holder.started_ns == process->started_ns;
           });
}

/// Of the owner; of a group that several processes share, of the one that is most worth a look.
const OwnerDoings* doings_of(const Incident& incident, const Group& group) {
    const OwnerDoings* best = nullptr;
    if (group.open == 0) return best;
    for (const OwnerDoings& owner : incident.doings)
        if (owner.threads > 0 && is_holder(incident, group, owner) &&
            (best == nullptr || rank_of(owner) < rank_of(*best)))
            best = &owner;
    return best;
}

std::string function_name(const Incident& incident, const Link& link) {
    return function_of(incident, &link, story_of(incident, link.pid, link.tid));
}

/// "handler-3 (pid 41, tid 43), in call_backend,"
std::string member_text(const Incident& incident, const Link& link) {
    return who_text(incident, link.pid, link.tid, link.comm) + in_text(function_name(incident, link));
}

/// "runs, for 99 % of the 5.0 s captured"
std::string busy_text(const Incident& incident, const Link& link) {
    const ThreadStory* story = story_of(incident, link.pid, link.tid);
    if (story == nullptr) return "runs";
    const bool starved = story->runnable_ns > story->on_cpu_ns;
    return fmt::format("{}, for {} of the {} captured", starved ? "waits for a CPU" : "runs",
                       percent_text(starved ? story->runnable_ns : story->on_cpu_ns, story->length_ns),
                       duration_text(story->length_ns));
}

std::string first_wait_text(const Incident& incident, const Doing& doing) {
    const Link& link = doing.links.front();
    const std::string slept = link.for_ns ? " for " + duration_text(*link.for_ns) : "";
    const std::string_view detail = incident.timeline.text(link.detail);
    if (doing.interest == Interest::kBusy) return busy_text(incident, link);
    if (doing.interest == Interest::kClient) return fmt::format("waits for its client{}: {}", slept, detail);
    if (doing.interest == Interest::kPolling)
        return fmt::format("waits in {}(){}: for work, or for an answer", detail, slept);
    if (doing.interest != Interest::kIdleLike) return waits_text(incident, link);
    return fmt::format("sleeps{} as an idle thread may: {}", slept, detail);
}

/// "each of 12 threads, as handler-3 (pid 41, tid 43), in call_backend, waits for ..."
std::string doing_text(const Incident& incident, const Doing& doing) {
    std::string text =
        doing.threads > 1 ? fmt::format("each of {} threads, as ", count_text(doing.threads)) : std::string();
    text +=
        fmt::format("{} {}", member_text(incident, doing.links.front()), first_wait_text(incident, doing));
    for (std::size_t i = 1; i < doing.links.size(); ++i) text += next_text(incident, doing.links[i]);
    if (doing.returns && doing.circle <= doing.links.size() && doing.circle > 0) {
        const Link& again = doing.links[doing.links.size() - doing.circle];
        text += fmt::format("; which is with {} again", who_text(incident, again.pid, again.tid, again.comm));
    }
    return text;
}

/// What is at the end of the chain, and who is there.
std::string end_text(const Incident& incident, const Doing& doing) {
    const Link& last = doing.links.back();
    const std::string_view what = incident.timeline.text(last.waits_for);
    const std::string_view detail = incident.timeline.text(last.detail);
    const std::string function = function_name(incident, last);
    const std::string in = function.empty() ? ", in a function that is not known" : ", in " + function;
    const std::string who = doing.links.size() < 2
                                ? std::string()
                                : ", " + who_text(incident, last.pid, last.tid, last.comm) + in;
    if (what == "nothing") return "the CPU" + (who.empty() ? in : who);
    if (doing.interest == Interest::kClient && who.empty()) return fmt::format("its client: {}", detail);
    if (doing.interest == Interest::kPolling)
        return fmt::format("work, or an answer: which of them {}() waits for is not known", detail);
    return fmt::format("{}: {}{}", resource_of(what), detail, who);
}

std::uint64_t others_worth_a_look(const OwnerDoings& owner) {
    std::uint64_t others = owner.left_out;
    for (std::size_t i = 1; i < owner.doings.size(); ++i)
        if (!may_be_idle(owner.doings[i])) others += owner.doings[i].threads;
    return others;
}

/// Its threads wait for each other: the first of them, and the next.
std::vector<std::string> circle_lines(const Incident& incident, const Doing& doing) {
    const std::span<const Link> circle =
        std::span(doing.links).subspan(doing.links.size() - std::min(doing.circle, doing.links.size()));
    const auto line = [&](const Link& link) {
        return fmt::format("{} {}", member_text(incident, link), waits_text(incident, link));
    };
    if (circle.size() < 2) return {};
    const std::size_t more = circle.size() - 2;
    return {line(circle[0]), line(circle[1]) + (more ? fmt::format("; and {} more", more) : "")};
}

bool is_circle(const Doing& doing) {
    return doing.interest == Interest::kDeadlock && doing.circle > 1 && doing.circle <= doing.links.size();
}

/// "deadlock of 2 threads in 2 processes: orders (pid 1, tid 1) and billing (pid 2, tid 2)"
std::string circle_title(const Incident& incident, const Doing& doing) {
    const auto circle = std::span(doing.links).subspan(doing.links.size() - doing.circle);
    std::vector<std::uint32_t> pids;
    for (const Link& link : circle) pids.push_back(link.pid);
    std::ranges::sort(pids);
    const auto repeated = std::ranges::unique(pids);
    pids.erase(repeated.begin(), repeated.end());
    return fmt::format("a deadlock of {} threads{}, {} and {}{}; ", circle.size(),
                       pids.size() > 1 ? fmt::format(" in {} processes", pids.size()) : "",
                       who_text(incident, circle[0].pid, circle[0].tid, circle[0].comm),
                       who_text(incident, circle[1].pid, circle[1].tid, circle[1].comm),
                       circle.size() > 2 ? " among them" : "");
}

std::string idle_text(const OwnerDoings& owner) {
    if (owner.threads == 1) return "its only thread waits for work";
    return fmt::format("all its {} threads wait for work", count_text(owner.threads));
}

}  // namespace

void add_doings_of_owner(const Incident& incident, const Group& group, std::vector<std::string>& lines) {
    const OwnerDoings* owner = doings_of(incident, group);
    if (owner == nullptr) return;
    if (owner->doings.empty()) {
        lines.push_back(idle_text(*owner));
        return;
    }
    const Doing& first = owner->doings.front();
    if (is_circle(first)) {
        for (std::string& line : circle_lines(incident, first)) lines.push_back(std::move(line));
        return;
    }
    const std::uint64_t others = others_worth_a_look(*owner);
    lines.push_back(
        doing_text(incident, first) +
        (others ? fmt::format("; and {}: see below", count_of(others, "more thread", "more threads")) : ""));
    lines.push_back(end_text(incident, first));
}

std::vector<std::string> nobody_named(const Incident& incident, const Group& group) {
    const OwnerDoings* owner = doings_of(incident, group);
    const bool is_shared =
        group.owner == timeline::kNowhere && !incident.timeline.holds[group.longest].holders.empty();
    const std::string what =
        fmt::format("nobody is blamed for {} {} {}", count_of(group.holds, "socket", "sockets"),
                    is_shared ? "held by" : "of", holders_text(incident, group));
    if (owner == nullptr) return {what + ": why it stays in CLOSE_WAIT is not known"};
    const bool is_older = incident.holds[group.longest].since_ns < incident.window().from_ns;
    const std::string why =
        fmt::format("which thread should close {} was not seen{}", group.holds == 1 ? "it" : "them",
                    is_older ? " (the capture began later)" : "");
    const bool circle = !owner->doings.empty() && is_circle(owner->doings.front());
    std::vector<std::string> lines{
        fmt::format("{}{}: {}", circle ? circle_title(incident, owner->doings.front()) : "", what, why)};
    add_doings_of_owner(incident, group, lines);
    return lines;
}

std::vector<std::string> doing_sentences(const Incident& incident, const OwnerDoings& owner) {
    std::vector<std::string> made;
    if (owner.threads == 0) return made;
    made.push_back(fmt::format("Of the {} of {}, {} for work; none is known to be the one that should close",
                               count_of(owner.threads, "thread", "threads"),
                               owner_text(incident, owner.owner),
                               owner.idle == 1 ? "1 waits" : fmt::format("{} wait", count_text(owner.idle))));
    for (const Doing& doing : owner.doings) made.push_back(doing_text(incident, doing));
    if (owner.left_out)
        made.push_back(fmt::format("and {}", count_of(owner.left_out, "more thread", "more threads")));
    return made;
}

ordered_json doings_json(const Incident& incident) {
    ordered_json owners = ordered_json::array();
    for (const OwnerDoings& owner : incident.doings) {
        const timeline::Process& process = incident.timeline.processes[owner.owner];
        ordered_json made{{"pid", process.pid},
                          {"comm", output::comm_json(std::string(incident.timeline.text(process.comm)))},
                          {"threads", owner.threads},
                          {"waiting_for_work", owner.idle},
                          {"left_out", owner.left_out},
                          {"doings", ordered_json::array()}};
        for (const Doing& doing : owner.doings) {
            ordered_json links = ordered_json::array();
            for (const Link& link : doing.links) {
                const std::string function(incident.timeline.text(link.function));
                links.push_back(
                    {{"pid", link.pid},
                     {"tid", link.tid},
                     {"comm", output::comm_json(std::string(incident.timeline.text(link.comm)))},
                     {"function", function.empty() ? ordered_json(nullptr) : ordered_json(function)},
                     {"waits_for", std::string(incident.timeline.text(link.waits_for))},
                     {"for_ns", link.for_ns ? ordered_json(*link.for_ns) : ordered_json(nullptr)},
                     {"detail", std::string(incident.timeline.text(link.detail))}});
            }
            made["doings"].push_back({{"interest", kInterests.at(static_cast<std::size_t>(doing.interest))},
                                      {"threads", doing.threads},
                                      {"returns", doing.returns},
                                      {"chain", std::move(links)}});
        }
        owners.push_back(std::move(made));
    }
    return owners;
}

}  // namespace waitclose::report
