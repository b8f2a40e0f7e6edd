// SPDX-License-Identifier: BSD-2-Clause
// Two incidents side by side: literals, and what people see.
#include "replay/comparison.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "output_fixture.h"
#include "replay_fixture.h"
#include "report/comparison.h"
#include "report/json.h"

namespace waitclose::replay {
namespace {

using namespace testing;
using diagnose::Cause;
using output::testing_machine::is_harmless;
using output::testing_machine::widest_line;
using output::testing_machine::written_by;

struct Holds {
    std::string comm;
    Cause cause = Cause::kEofIgnored;
    std::uint64_t count = 0;
    std::uint16_t port = 8080;
    std::uint32_t pid = 4121;
};

/// An incident of a minute with these groups, as gather() would leave them.
Incident of(const std::vector<Holds>& groups, std::uint64_t minutes = 1) {
    Incident made;
    made.about = about();
    made.timeline.window = {kBegun, kBegun + minutes * 60 * kSec, made.about.wall_offset_ns};
    for (const Holds& holds : groups) {
        Group group;
        group.owner = static_cast<std::uint32_t>(made.timeline.processes.size());
        timeline::Process process;
        process.pid = holds.pid;
        process.comm = made.timeline.strings.add(holds.comm);
        process.exe = made.timeline.strings.add("/usr/bin/" + holds.comm);
        made.timeline.processes.push_back(std::move(process));
        group.cause = holds.cause;
        group.local_port = holds.port;
        group.holds = group.begun = holds.count;
        group.open = 1;
        group.longest_ns = holds.count * kSec;
        group.typical_ns = kSec;
        made.groups.push_back(std::move(group));
    }
    return made;
}

std::vector<std::string> changes(const Incident& before, const Incident& after) {
    std::vector<std::string> found;
    for (const Compared& one : compare(before, after))
        found.push_back(std::string(id_of(one.change)) + " " + one.comm + " " +
                        (one.before ? std::to_string(one.before->holds) : "-") + " " +
                        (one.after ? std::to_string(one.after->holds) : "-"));
    return found;
}

using Changes = std::vector<std::string>;

TEST(ReplayComparison, NewGoneGrownShrunkAndTheSame) {
    const Incident before = of({{"java", Cause::kEofIgnored, 100},
                                {"nginx", Cause::kAbandoned, 50},
                                {"php", Cause::kAbandoned, 80},
                                {"cron", Cause::kUnknown, 10}});
    const Incident after = of({{"java", Cause::kEofIgnored, 300},
                               {"go", Cause::kHandlerBlocked, 7},
                               {"php", Cause::kAbandoned, 8},
                               {"cron", Cause::kUnknown, 11}});
    EXPECT_EQ(changes(before, after), (Changes{"new go - 7", "grown java 100 300", "shrunk php 80 8",
                                               "gone nginx 50 -", "same cron 10 11"}));
}

TEST(ReplayComparison, ByTheMinuteNotByTheNumber) {
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 100}}), of({{"java", Cause::kEofIgnored, 1000}}, 10)),
              (Changes{"same java 100 1000"}));
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 100}}), of({{"java", Cause::kEofIgnored, 100}}, 10)),
              (Changes{"shrunk java 100 100"}));
}

TEST(ReplayComparison, WhatIsOlderThanTheRecordingSaysNothingOfHowOftenItHappens) {
    const Incident before = of({{"java", Cause::kEofIgnored, 100}});
    Incident after = of({{"java", Cause::kEofIgnored, 200}});
    after.groups[0].begun = 20;
    after.groups[0].longest_at_least = true;
    EXPECT_EQ(changes(before, after), (Changes{"shrunk java 100 200"}));
    const std::string text = written_by([&](output::Sink& sink) {
        report::write_comparison_text(sink, {"a.db", before}, {"b.db", after}, {.width = 120});
    });
    EXPECT_NE(text.find("100 → 20 "), std::string::npos) << text;
    EXPECT_NE(text.find("→ ≥3m"), std::string::npos) << text;
}

TEST(ReplayComparison, TheWrongOrderAndShortRecordingsAreToldOf) {
    const Incident before = of({{"java", Cause::kEofIgnored, 100}});
    Incident after = of({{"java", Cause::kEofIgnored, 100}});
    EXPECT_TRUE(reserves(before, after).empty());
    after.timeline.window.from_ns -= 60 * kSec;
    EXPECT_EQ(reserves(before, after), std::vector<Reserve>{Reserve::kWrongOrder});
    after.timeline.window = before.timeline.window;
    after.timeline.window.to_ns = after.timeline.window.from_ns + 4 * kSec;
    EXPECT_EQ(reserves(before, after), std::vector<Reserve>{Reserve::kAfterShort});
    const std::string text = written_by([&](output::Sink& sink) {
        report::write_comparison_text(sink, {"a.db", before}, {"b.db", after}, {.width = 100});
    });
    EXPECT_NE(text.find("b.db is only 4.0 s long"), std::string::npos) << text;
}

TEST(ReplayComparison, AProcessThatWasStartedAgainIsTheSame) {
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 100, 8080, 4121}}),
                      of({{"java", Cause::kEofIgnored, 50, 8080, 99},
                          {"java", Cause::kEofIgnored, 50, 8080, 100}})),
              (Changes{"same java 100 100"}));
}

TEST(ReplayComparison, AnotherCauseOrPortIsAnotherGroup) {
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 5}}), of({{"java", Cause::kHandlerBlocked, 5}})),
              (Changes{"new java - 5", "gone java 5 -"}));
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 5}}), of({{"java", Cause::kEofIgnored, 5, 9090}})),
              (Changes{"new java - 5", "gone java 5 -"}));
}

TEST(ReplayComparison, OneHoldMoreIsChance) {
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 1}}), of({{"java", Cause::kEofIgnored, 2}})),
              (Changes{"same java 1 2"}));
}

TEST(ReplayComparison, AsTextAndAsJson) {
    const std::string evil = "\x1b]0;evil\a";
    const Incident before = of({{evil, Cause::kEofIgnored, 100}});
    const Incident after = of({{evil, Cause::kEofIgnored, 400}, {"go", Cause::kHandlerBlocked, 7}});
    for (const std::size_t width : {60U, 100U}) {
        const std::string text = written_by([&](output::Sink& sink) {
            report::write_comparison_text(sink, {"a\nb.db", before}, {"b.db", after}, {.width = width});
        });
        EXPECT_TRUE(is_harmless(text)) << text;
        EXPECT_LE(widest_line(text), width) << text;
        EXPECT_NE(text.find("1 group is new, 1 group has grown."), std::string::npos) << text;
    }
    const auto document = nlohmann::json::parse(written_by([&](output::Sink& sink) {
        report::write_comparison_json(sink, {"a.db", before}, {"b.db", after});
    }));
    EXPECT_EQ(document.at("schema"), "waitclose.comparison/1");
    EXPECT_EQ(document.at("before").at("file"), "a.db");
    EXPECT_EQ(document.at("groups").at(0).at("change"), "new");
    EXPECT_TRUE(document.at("groups").at(0).at("before").is_null());
    EXPECT_EQ(document.at("groups").at(1).at("after").at("per_minute"), 400.0);
    EXPECT_EQ(document.at("groups").at(1).at("owner").at("comm"), evil);
}

TEST(ReportJson, HasTheNamesOfTheContract) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    Builder builder;
    const auto process = builder.process(4121, {in_accept(4121)});
    read_eof(socket_of(builder, 100, {{process, 57}}), deed(4121, 4121, kFin + kMs, model::Operation::kRead));
    look(replay, std::move(builder.census));
    replay.losses(kTaken, {3, 0, 0});
    replay.on(entered(7, kTaken));
    replay.on(left(7, kTaken + kMs, 4121, 4121));
    const Incident incident = replay.finish();
    const auto document =
        nlohmann::json::parse(written_by([&](output::Sink& sink) { report::write_json(sink, incident); }));
    EXPECT_EQ(document.at("schema"), "waitclose.report/1");
    EXPECT_EQ(document.at("summary").size(), 3U);
    EXPECT_EQ(document.at("recording").at("ended_by"), "signal");
    EXPECT_EQ(document.at("recording").at("losses").at("ring"), 3);
    EXPECT_EQ(document.at("recording").at("losses").at("when").at(0).at("what"), "ring");
    const auto& group = document.at("groups").at(0);
    EXPECT_EQ(group.at("owner").at("pid"), 4121);
    EXPECT_EQ(group.at("cause"), "eof-ignored");
    EXPECT_EQ(group.at("sockets"), 1);
    EXPECT_EQ(group.at("open"), 1);
    EXPECT_EQ(group.at("longest").at("id"), "1:100");
    EXPECT_EQ(group.at("longest").at("cause").at("id"), "eof-ignored");
    EXPECT_EQ(group.at("longest").at("culprit").at("tid"), 4121);
    EXPECT_EQ(document.at("unseen").at(0).at("ended_by"), "program");
    EXPECT_EQ(document.at("unseen").at(0).at("closer").at("tid"), 4121);
}

}  // namespace
}  // namespace waitclose::replay
