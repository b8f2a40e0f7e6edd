// SPDX-License-Identifier: BSD-2-Clause
// Text, JSON and page say the same of an incident, and none of them more than is known.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "output_fixture.h"
#include "replay_fixture.h"
#include "report/caveats.h"
#include "report/json.h"
#include "report/page.h"
#include "report/sentences.h"
#include "report/text.h"
#include "report/verdict.h"
#include "timeline/html_report.h"

namespace waitclose::report {
namespace {

using namespace replay::testing;
using diagnose::Cause;
using diagnose::Confidence;
using output::testing_machine::written_by;
using replay::Ended;
using replay::Group;
using replay::Incident;
using replay::Replay;

std::string text_of(const Incident& incident) {
    return written_by([&](output::Sink& sink) { write_text(sink, incident, {.width = 2000}); });
}

std::string page_of(const Incident& incident) {
    return written_by(
        [&](output::Sink& sink) { timeline::write_html(incident.timeline, page_words(incident), {}, sink); });
}

nlohmann::json json_of(const Incident& incident) {
    return nlohmann::json::parse(written_by([&](output::Sink& sink) { write_json(sink, incident); }));
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

struct Plot {
    Cause cause;
    Confidence confidence = Confidence::kLikely;
    std::uint64_t holds = 1;
    std::uint16_t port = 8080;
};

/// An incident with these groups, the largest first, as a replay would leave it.
Incident incident_of(const std::vector<Plot>& plots) {
    Incident made;
    made.about = about();
    made.timeline.window = {kBegun, kBegun + 60 * kSec, made.about.wall_offset_ns};
    timeline::Process java;
    java.pid = 4121;
    java.comm = made.timeline.strings.add("java");
    made.timeline.processes.push_back(std::move(java));
    for (const Plot& plot : plots) {
        Group group;
        group.owner = 0;
        group.cause = plot.cause;
        group.confidence = plot.confidence;
        group.by_confidence.at(static_cast<std::size_t>(plot.confidence)) = plot.holds;
        group.local_port = plot.port;
        group.holds = group.begun = group.open = plot.holds;
        group.longest = static_cast<std::uint32_t>(made.holds.size());
        group.longest_ns = group.typical_ns = 20 * kSec;
        group.first_ns = kBegun + 40 * kSec;
        for (std::uint64_t i = 0; i < plot.holds; ++i) {
            replay::Fact fact;
            fact.cause = plot.cause;
            fact.confidence = plot.confidence;
            fact.since_ns = kBegun + 40 * kSec;
            fact.end_ns = kBegun + 60 * kSec;
            made.endings.add(fact);
            group.endings.add(fact);
            made.holds.push_back(fact);
            timeline::Hold hold;
            hold.since_ns = fact.since_ns;
            hold.held_ns = fact.held_ns();
            hold.precision = made.timeline.strings.add("exact");
            hold.diagnosis.cause = made.timeline.strings.add(diagnose::id_of(plot.cause));
            hold.diagnosis.summary = made.timeline.strings.add("it is so");
            made.timeline.holds.push_back(std::move(hold));
            made.group_of.push_back(static_cast<std::uint32_t>(made.groups.size()));
        }
        made.groups.push_back(std::move(group));
    }
    return made;
}

// ---- caveats

Incident with_every_caveat() {
    Incident made = incident_of({{Cause::kEofIgnored}});
    made.about.selects = true;
    made.about.arguments = "waitclose record -o /tmp/x.db -L 8080 --pid=4121 --duration 8s -6";
    made.about.ending = store::Ending::kSize;
    made.about.probes.missing = {"peer-info"};
    made.about.dropped_holds = 1;
    made.about.min_held_ns = 250 * kMs;
    made.losses = {12, 0, 1};
    made.nested = true;
    made.unreachable = 3;
    made.asked = "--localport 9";
    made.min_held_ns = 250 * kMs;
    made.left_out = 3;
    made.open_unseen = 1;
    made.young = 2;
    made.brief = {1000, kSec, 20 * kMs};
    made.brief_typical_ns = kMs;
    made.gaps = {{kBegun, kBegun + 14 * kSec}};
    return made;
}

TEST(ReportTruth, EveryCaveatIsInTextJsonAndPage) {
    output::testing_machine::Machine sets_the_time_zone;
    const Incident incident = with_every_caveat();
    const std::string text = text_of(incident);
    const std::string page = page_of(incident);
    const auto json = json_of(incident);
    const auto all = caveats(incident);
    std::set<std::string_view> kinds;
    for (std::size_t i = 0; i < all.size(); ++i) {
        kinds.insert(all[i].kind);
        const std::string said =
            all[i].kind == "cut-off" ? all[i].text.substr(0, all[i].text.size() - 1) : all[i].text;
        EXPECT_TRUE(has(text, said)) << said << "\n" << text;
        EXPECT_TRUE(has(page, "<p>" + std::string(all[i].label) + ": " + all[i].text + "</p>")) << said;
        EXPECT_EQ(json.at("caveats").at(i).at("kind"), all[i].kind);
        EXPECT_EQ(json.at("caveats").at(i).at("text"), all[i].text);
        EXPECT_EQ(json.at("caveats").at(i).at("warns"), all[i].warns);
    }
    EXPECT_EQ(kinds, (std::set<std::string_view>{"selection", "cut-off", "lost", "hooks-missing",
                                                 "pid-namespace", "network-namespaces", "gap", "left-out",
                                                 "not-recorded", "young", "short"}));
}

TEST(ReportTruth, WithoutAnyThereAreNone) {
    const Incident incident = incident_of({{Cause::kEofIgnored}});
    EXPECT_TRUE(caveats(incident).empty());
    EXPECT_TRUE(json_of(incident).at("caveats").empty());
    EXPECT_TRUE(page_words(incident).losses.empty());
    EXPECT_TRUE(page_words(incident).notes.empty());
}

TEST(ReportTruth, WhatWasSelectedIsInTheFirstSentence) {
    Incident incident = with_every_caveat();
    const std::string said =
        "1 connection of orders-7 that was recorded (with -L 8080 --pid=4121 -6) and asked for (with "
        "--localport 9) stayed in CLOSE_WAIT";
    EXPECT_TRUE(has(sentences(incident)[0], said)) << sentences(incident)[0];
    EXPECT_TRUE(has(json_of(incident).at("summary").at(0).get<std::string>(), said));
    incident.holds.clear();
    EXPECT_TRUE(has(sentences(incident)[0], "no connection of orders-7 that was recorded (with -L 8080"))
        << sentences(incident)[0];
    incident.about.arguments = "waitclose record --config x";
    EXPECT_EQ(recorded_text(incident), "waitclose record --config x")
        << "what cannot be understood is shown whole";
    incident.about.selects = false;
    EXPECT_EQ(recorded_text(incident), "");
}

TEST(ReportTruth, OneIsNotSeveral) {
    Incident incident = incident_of({{Cause::kEofIgnored}});
    incident.brief = {1, kMs, kMs};
    incident.min_held_ns = 250 * kMs;
    incident.whose_unknown = incident.young = incident.about.dropped_holds = 1;
    std::string all;
    for (const Caveat& caveat : caveats(incident)) all += caveat.text + "\n";
    EXPECT_EQ(
        all,
        "not told of here: of 1 hold it is not known whose, as no look saw it.\n"
        "1 hold is not in the recording: shorter than the 0 ms that it was to keep, or nobody knew whose.\n"
        "1 hold was open at the end, but not yet for 250 ms (--min-held): counted only.\n"
        "1 hold lasted less than 250 ms (--min-held) and is only counted.\n");
}

// ---- whom it is about

TEST(ReportTruth, TheHeadlineIsAboutAFaultThatIsShown) {
    const Incident incident = incident_of({{Cause::kHalfOpen, Confidence::kProven, 100},
                                           {Cause::kEofIgnored, Confidence::kPossible, 30, 8081},
                                           {Cause::kUnknown, Confidence::kPossible, 40},
                                           {Cause::kHandlerBlocked, Confidence::kLikely, 3, 8082},
                                           {Cause::kStopped, Confidence::kProven, 2, 8083}});
    ASSERT_EQ(headline_of(incident), &incident.groups[3]);
    const std::string why = sentences(incident)[1];
    EXPECT_TRUE(
        has(why, "3 of them were held by java (4121) on port 8082 because of handler-blocked (likely)"))
        << why;
    EXPECT_TRUE(
        has(why, " (and 4 groups beside this one, the largest with 100 holds: half-open of java (4121))."))
        << why;
    EXPECT_EQ(json_of(incident).at("headline"), 3);
    EXPECT_TRUE(has(page_of(incident), "3 of them were held by java (4121) on port 8082"));
}

TEST(ReportTruth, TheHeadlineIsAboutTheMostThatIsShownHoweverSure) {
    const Incident incident = incident_of(
        {{Cause::kEofIgnored, Confidence::kLikely, 40}, {Cause::kStopped, Confidence::kProven, 3, 8081}});
    EXPECT_EQ(headline_of(incident), &incident.groups[0]);
    const auto told = sentences(incident);
    ASSERT_EQ(told.size(), 3U) << "and each of them is one sentence:";
    for (const std::string& one : told) EXPECT_EQ(one.find(". "), std::string::npos) << one;
}

TEST(ReportTruth, TheHeadlineIsNotAboutATrifleHoweverSure) {
    const Incident incident = incident_of(
        {{Cause::kEofIgnored, Confidence::kPossible, 50}, {Cause::kStopped, Confidence::kProven, 3, 8081}});
    EXPECT_EQ(headline_of(incident), &incident.groups[0]);
    EXPECT_TRUE(has(sentences(incident)[1], "perhaps because of eof-ignored (possible)"));
    const Incident beside = incident_of({{Cause::kHalfOpen, Confidence::kProven, 900},
                                         {Cause::kEofIgnored, Confidence::kPossible, 50},
                                         {Cause::kStopped, Confidence::kProven, 3, 8081}});
    EXPECT_EQ(headline_of(beside), &beside.groups[2]) << "of two trifles the one that is shown";
}

TEST(ReportTruth, WhatIsPossibleIsNoAccusation) {
    const Incident incident = incident_of(
        {{Cause::kHalfOpen, Confidence::kProven, 100}, {Cause::kEofIgnored, Confidence::kPossible, 15}});
    EXPECT_EQ(headline_of(incident), &incident.groups[1]);
    const std::string why = sentences(incident)[1];
    EXPECT_TRUE(has(
        why, "15 of them were held by java (4121) on port 8080, perhaps because of eof-ignored (possible)"))
        << why;
    const std::string text = text_of(incident);
    EXPECT_TRUE(has(text, "perhaps eof-ignored")) << text;
    EXPECT_TRUE(has(text, "longest, perhaps: it is so")) << text;
    const auto words = page_words(incident);
    EXPECT_TRUE(words.groups[1].is_perhaps);
    EXPECT_EQ(words.groups[1].summary, "perhaps: it is so");
    EXPECT_FALSE(words.groups[0].is_perhaps);
}

TEST(ReportTruth, WhereNobodyIsToBlameThatIsSaid) {
    const Incident unknown = incident_of(
        {{Cause::kUnknown, Confidence::kPossible, 9}, {Cause::kHalfOpen, Confidence::kProven, 2}});
    EXPECT_EQ(headline_of(unknown), nullptr);
    EXPECT_TRUE(json_of(unknown).at("headline").is_null());
    EXPECT_TRUE(has(sentences(unknown)[1], "Why is not known, and nobody is blamed: 9 of them were held by"))
        << sentences(unknown)[1];
    EXPECT_FALSE(has(text_of(unknown), "perhaps")) << "to be unknown is no accusation";
    const Incident trifle = incident_of({{Cause::kUnknown, Confidence::kPossible, 100},
                                         {Cause::kEofIgnored, Confidence::kPossible, 5, 8081}});
    EXPECT_EQ(headline_of(trifle), nullptr) << "perhaps, and of a twentieth of them";
    const Incident harmless = incident_of({{Cause::kHalfOpen, Confidence::kProven, 9}});
    EXPECT_TRUE(
        has(sentences(harmless)[1], "That is no program's fault, as far as is known: All of them were"))
        << sentences(harmless)[1];
}

// ---- bounds

TEST(ReportTruth, ALowerBoundIsNeverAFact) {
    output::testing_machine::Machine sets_the_time_zone;
    Replay replay({});
    replay.about(about());
    Builder builder;
    const auto process = builder.process(4121, {in_accept(4121)});
    for (const std::uint64_t cookie : {100U, 101U, 102U}) {
        model::Socket& socket = socket_of(builder, cookie, {{process, static_cast<std::int32_t>(cookie)}});
        socket.precision = model::Precision::kAtLeast;
        socket.held_since_ns = kTaken - (cookie - 90) * kSec;
    }
    look(replay, std::move(builder.census));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.groups.size(), 1U);
    EXPECT_TRUE(incident.holds[0].since_at_least);
    const std::string text = text_of(incident);
    EXPECT_TRUE(has(text, "the longest for at least")) << text;
    EXPECT_TRUE(has(text, "or earlier; diagnosed")) << text;
    EXPECT_TRUE(has(text, " or longer; the first began at ")) << text;
    EXPECT_TRUE(has(text, "longest \u2265 ")) << text;
    const auto group = json_of(incident).at("groups").at(0);
    for (const char* key : {"oldest_held_precision", "typical_held_precision", "held_precision"})
        EXPECT_EQ(group.at(key), "at-least") << key;
    EXPECT_EQ(group.at("first_at_precision"), "at-latest");
    const auto words = page_words(incident);
    EXPECT_TRUE(words.totals->longest_at_least);
    EXPECT_TRUE(words.groups[0].oldest_at_least);
    EXPECT_TRUE(has(words.groups[0].facts[0], "or earlier")) << words.groups[0].facts[0];
}

TEST(ReportTruth, WhatMayBeLongerMayBeTheLongest) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin - 5 * kSec));
    Builder builder;
    const auto process = builder.process(4121, {in_accept(4121)});
    socket_of(builder, 100, {{process, 50}}).held_since_ns = kFin - 5 * kSec;
    model::Socket& found = socket_of(builder, 101, {{process, 51}});
    found.precision = model::Precision::kAtLeast;
    look(replay, std::move(builder.census));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.groups.size(), 1U);
    EXPECT_EQ(incident.holds[incident.groups[0].longest].key.cookie, 100U);
    EXPECT_TRUE(incident.groups[0].longest_at_least);
}

// ---- forecasts, totals, and endings

TEST(ReportTruth, ABurstIsNoForecastAndALeakIs) {
    const auto of = [](const std::vector<std::uint64_t>& counts) {
        Replay replay({});
        replay.about(about());
        std::uint64_t at_ns = kTaken - 30 * kSec;
        for (const std::uint64_t count : counts) {
            Builder builder;
            builder.census.taken_ns = at_ns;
            const auto process = builder.process(4121, {in_accept(4121)});
            builder.census.processes[0].fds_used = 100 + count;
            builder.census.processes[0].fd_limit = 1000;
            for (std::uint64_t i = 0; i < count; ++i) {
                model::Socket& socket =
                    socket_of(builder, 100 + i, {{process, static_cast<std::int32_t>(50 + i)}});
                socket.held_since_ns = kTaken - 40 * kSec;
            }
            look(replay, std::move(builder.census));
            at_ns += 10 * kSec;
        }
        return replay.finish();
    };
    const Incident burst = of({1, 30, 30, 30});
    EXPECT_FALSE(burst.groups[0].fds.full_in_ns);
    EXPECT_FALSE(has(text_of(burst), "full in"));
    const Incident leak = of({10, 20, 30, 40});
    ASSERT_TRUE(leak.groups[0].fds.full_in_ns);
    EXPECT_TRUE(
        has(text_of(leak),
            "at the last look 140 of 1,000 descriptors open; holds grow by 1.0/s (10 holds at first, "))
        << text_of(leak);
    EXPECT_TRUE(has(text_of(leak), ": full in 14 min"));
    EXPECT_TRUE(has(page_words(leak).groups[0].facts.back(), "full in 14 min"));
}

TEST(ReportTruth, TotalsAreOfOneSetAndGroupsSayWhoClosedThem) {
    Replay replay({});
    replay.about(about());
    Builder builder;
    const auto process = builder.process(4121, {in_accept(4121)});
    for (const std::uint64_t cookie : {100U, 101U, 102U}) {
        replay.on(entered(cookie, kFin));
        read_eof(socket_of(builder, cookie, {{process, static_cast<std::int32_t>(cookie)}}),
                 deed(4121, 4121, kFin + kMs, model::Operation::kRead));
    }
    look(replay, std::move(builder.census));
    // After the last look, and before the end.
    replay.on(left(100, kTaken + 500 * kMs, 4121, 4121));
    replay.on(left(101, kTaken + 500 * kMs, 4121, 4122));
    const Incident incident = replay.finish();
    const auto json = json_of(incident);
    EXPECT_EQ(json.at("holds").at("open"), 1);
    EXPECT_EQ(json.at("holds").at("ended").at("program"), 2);
    ASSERT_EQ(json.at("groups").size(), 1U);
    EXPECT_EQ(json.at("groups").at(0).at("open"), 1);
    EXPECT_EQ(json.at("groups").at(0).at("closers"), 2);
    EXPECT_EQ(page_words(incident).totals->open, 1U);
    EXPECT_EQ(page_words(incident).groups[0].open, 1U);
    EXPECT_TRUE(has(sentences(incident)[2], "2 were closed by programs, and 1 is still held"))
        << sentences(incident)[2];
    EXPECT_TRUE(
        has(text_of(incident), "2 were closed by programs; by thread: was4121 (4121) 1, was4122 (4122) 1"))
        << text_of(incident);
}

TEST(ReportTruth, OfWhatHasEndedNobodySaysWhatWillEndIt) {
    const auto advice_of = [](bool ends) {
        Replay replay({});
        replay.about(about());
        replay.on(entered(100, kFin));
        Builder builder;
        const auto process = builder.process(4121, {in_accept(4121)});
        read_eof(socket_of(builder, 100, {{process, 57}}),
                 deed(4121, 4121, kFin + kMs, model::Operation::kRead));
        look(replay, std::move(builder.census));
        if (ends) replay.on(left(100, kTaken + kMs, 4121, 4121));
        const Incident incident = replay.finish();
        return std::string(incident.timeline.text(incident.timeline.holds[0].diagnosis.advice));
    };
    EXPECT_TRUE(has(advice_of(false), " Nothing will end this hold"));
    EXPECT_FALSE(has(advice_of(true), "end this hold"));
    EXPECT_TRUE(advice_of(true).ends_with("on every path out of the handler.")) << advice_of(true);
}

}  // namespace
}  // namespace waitclose::report
