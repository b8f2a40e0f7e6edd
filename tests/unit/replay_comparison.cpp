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
    diagnose::Confidence confidence = diagnose::Confidence::kLikely;
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
        group.confidence = holds.confidence;
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

TEST(ReplayComparison, WhatIsStillUnknownMayBeOfTheRest) {
    const Incident shorter = of({{"java", Cause::kEofIgnored, 20}, {"java", Cause::kUnknown, 20}});
    const Incident longer = of({{"java", Cause::kEofIgnored, 60}, {"java", Cause::kUnknown, 20}}, 2);
    EXPECT_EQ(changes(shorter, longer), (Changes{"same java 20 60", "same java 20 20"}));
    const Incident grown = of({{"java", Cause::kEofIgnored, 160}, {"java", Cause::kUnknown, 20}}, 2);
    EXPECT_EQ(changes(shorter, grown), (Changes{"grown java 20 160", "same java 20 20"}));
}

TEST(ReplayComparison, WhatIsUnknownHidesNoGrowthOfTheRestAndMakesNone) {
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 2}, {"java", Cause::kUnknown, 100}}),
                      of({{"java", Cause::kEofIgnored, 20}, {"java", Cause::kUnknown, 100}})),
              (Changes{"grown java 2 20", "same java 100 100"}));
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 10}, {"java", Cause::kUnknown, 20}}),
                      of({{"java", Cause::kEofIgnored, 10}, {"java", Cause::kUnknown, 60}})),
              (Changes{"grown java 20 60", "same java 10 10"}));
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
    after.timeline.window.from_ns += 90 * kSec;
    after.timeline.window.to_ns += 90 * kSec;
    EXPECT_TRUE(reserves(before, after).empty());
    after.timeline.window.from_ns -= 180 * kSec;
    after.timeline.window.to_ns -= 180 * kSec;
    EXPECT_EQ(reserves(before, after), std::vector<Reserve>{Reserve::kWrongOrder});
    after.timeline.window.from_ns = before.timeline.window.to_ns;
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

TEST(ReplayComparison, AnotherPortIsAnotherGroup) {
    EXPECT_EQ(changes(of({{"java", Cause::kEofIgnored, 5}}), of({{"java", Cause::kEofIgnored, 5, 9090}})),
              (Changes{"new java - 5", "gone java 5 -"}));
}

std::string text_of(const Incident& before, const Incident& after) {
    return written_by([&](output::Sink& sink) {
        report::write_comparison_text(sink, {"a.db", before}, {"b.db", after}, {.width = 160});
    });
}

TEST(ReplayComparison, AnotherCauseOfTheSameOwnerAndPortIsAChangeOfTheCause) {
    const Incident before = of({{"java", Cause::kEofIgnored, 5}});
    const Incident after = of({{"java", Cause::kHandlerBlocked, 5}});
    EXPECT_EQ(changes(before, after), (Changes{"same java 5 5"}));
    const Compared one = compare(before, after).front();
    EXPECT_EQ(one.cause_before, Cause::kEofIgnored);
    EXPECT_EQ(one.cause, Cause::kHandlerBlocked);
    const std::string text = text_of(before, after);
    EXPECT_NE(text.find("java on port 8080: the cause changed from eof-ignored to handler-blocked."),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("eof-ignored \u2192 handler-blocked"), std::string::npos) << text;
    const auto json = nlohmann::json::parse(written_by([&](output::Sink& sink) {
        report::write_comparison_json(sink, {"a.db", before}, {"b.db", after});
    }));
    EXPECT_EQ(json.at("groups").at(0).at("cause_before"), "eof-ignored");
}

TEST(ReplayComparison, ACauseThatComesBesideAnotherIsNew) {
    const Incident before = of({{"java", Cause::kEofIgnored, 5}});
    const Incident after = of({{"java", Cause::kEofIgnored, 5}, {"java", Cause::kHandlerBlocked, 7}});
    EXPECT_EQ(changes(before, after), (Changes{"new java - 7", "same java 5 5"}));
    EXPECT_EQ(compare(before, after).front().cause_beside, Cause::kEofIgnored);
    const std::string text = text_of(before, after);
    EXPECT_NE(text.find("java on port 8080: handler-blocked is new, eof-ignored was there before."),
              std::string::npos)
        << text;
}

TEST(ReplayComparison, AProgramThatCouldNotBeReadOrWasReplacedIsTheSame) {
    const Incident before = of({{"java", Cause::kEofIgnored, 5}});
    Incident after = of({{"java", Cause::kEofIgnored, 5}});
    after.timeline.processes[0].exe = timeline::StringId::kNone;
    EXPECT_EQ(changes(before, after), (Changes{"same java 5 5"}));
    after.timeline.processes[0].exe = after.timeline.strings.add("/usr/bin/java (deleted)");
    EXPECT_EQ(changes(before, after), (Changes{"same java 5 5"}));
    after.timeline.processes[0].exe = after.timeline.strings.add("/opt/java");
    EXPECT_EQ(changes(before, after), (Changes{"new java - 5", "gone java 5 -"}));
}

TEST(ReplayComparison, TheSameRecordingOverlapsAndOtherMachinesAreToldOf) {
    const Incident before = of({{"java", Cause::kEofIgnored, 5}});
    EXPECT_EQ(reserves(before, before), std::vector<Reserve>{Reserve::kSameRecording});
    EXPECT_NE(text_of(before, before).find("Both are the same recording"), std::string::npos);
    Incident after = of({{"java", Cause::kEofIgnored, 5}});
    after.timeline.window.from_ns += 20 * kSec;
    after.timeline.window.to_ns += 20 * kSec;
    Incident with_holds = of({{"java", Cause::kEofIgnored, 5}});
    for (Incident* one : {&with_holds, &after}) {
        one->holds.emplace_back();
        one->holds.back().key = {1, 100};
    }
    EXPECT_EQ(reserves(before, after), std::vector<Reserve>{Reserve::kOverlap});
    EXPECT_EQ(shared_holds(with_holds, after), 1U);
    EXPECT_NE(text_of(with_holds, after).find("They overlap by 40 s: 1 hold is in both."), std::string::npos)
        << text_of(with_holds, after);
    after.about.boot_id = "1";
    EXPECT_EQ(reserves(before, after), std::vector<Reserve>{Reserve::kOtherBoot});
    EXPECT_EQ(shared_holds(with_holds, after), 0U);
    after.about.hostname = "orders-8";
    EXPECT_EQ(reserves(before, after), std::vector<Reserve>{Reserve::kOtherMachine});
    EXPECT_NE(text_of(before, after).find("different machines, orders-7 and orders-8"), std::string::npos);
}

TEST(ReplayComparison, WhatIsPossibleIsNoAccusation) {
    const Incident before = of({{"java", Cause::kEofIgnored, 5}});
    const Incident after = of({{"java", Cause::kAbandoned, 5, 8080, 4121, diagnose::Confidence::kPossible},
                               {"go", Cause::kUnknown, 5, 9090, 7, diagnose::Confidence::kPossible}});
    const std::string text = text_of(before, after);
    EXPECT_NE(text.find("eof-ignored \u2192 perhaps abandoned"), std::string::npos) << text;
    EXPECT_EQ(text.find("perhaps unknown"), std::string::npos) << text;
}

TEST(ReplayComparison, AnotherSelectionIsToldOf) {
    const Incident before = of({{"java", Cause::kEofIgnored, 5}});
    Incident after = of({{"java", Cause::kEofIgnored, 5}});
    after.about.selects = true;
    after.about.arguments = "waitclose record -o b.db -L 8080";
    EXPECT_NE(
        text_of(before, after).find("They did not record the same: everything in a.db, -L 8080 in b.db."),
        std::string::npos)
        << text_of(before, after);
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
