// SPDX-License-Identifier: BSD-2-Clause
// Which of what the looks said of a hold is the hold's cause.
#include "replay/course.h"

#include <gtest/gtest.h>

#include "model/units.h"
#include "replay_fixture.h"

namespace waitclose::replay {
namespace {

using diagnose::Cause;
using diagnose::Confidence;
using model::kSecond;

constexpr std::uint64_t kFirst = 1000 * kSecond;

struct Said {
    std::uint64_t after_s;  // since the first look
    Cause cause;
    Confidence confidence = Confidence::kLikely;
    std::uint32_t tid = 0;
};

/// As Replay does: the words are made when the opinion changes, and at the end.
Course course_of(const std::vector<Said>& all, std::uint64_t end_s) {
    Course course;
    std::uint64_t last_ns = 0;
    for (const Said& said : all) {
        const std::uint64_t at_ns = kFirst + said.after_s * kSecond;
        const Opinion opinion{said.cause, said.confidence, 1, said.tid, 0};
        course.end(at_ns);
        if (!course.goes_on(opinion) && course.wants_words()) course.keep({{}, {}, {}, last_ns});
        course.say(opinion, at_ns);
        last_ns = at_ns;
    }
    course.keep({{}, {}, {}, last_ns});
    course.end(kFirst + end_s * kSecond);
    return course;
}

Cause cause_of(const std::vector<Said>& all, std::uint64_t end_s) {
    Course course = course_of(all, end_s);
    const auto outcome = course.outcome();
    return outcome ? outcome->opinion.cause : Cause::kGcPause;
}

TEST(ReplayCourse, NothingSaidIsNothing) {
    Course course;
    course.end(kFirst);
    EXPECT_FALSE(course.outcome());
    EXPECT_EQ(course.text(), "");
}

TEST(ReplayCourse, TheLastMomentDoesNotWin) {
    const std::vector<Said> all{
        {0, Cause::kHandlerBlocked}, {14, Cause::kHandlerBlocked}, {15, Cause::kUnknown}};
    EXPECT_EQ(cause_of(all, 16), Cause::kHandlerBlocked);
    Course course = course_of(all, 16);
    EXPECT_EQ(course.text(), "handler-blocked for 15 s, then unknown for 1.0 s");
    const auto outcome = course.outcome();
    EXPECT_EQ(outcome->words->at_ns, kFirst + 14 * kSecond);
    EXPECT_EQ(outcome->diagnosed_ns, kFirst);
}

TEST(ReplayCourse, WhatStoodLongestWins) {
    EXPECT_EQ(cause_of({{0, Cause::kCpuStarved}, {4, Cause::kHandlerBlocked}, {20, Cause::kStopped}}, 25),
              Cause::kHandlerBlocked);
    EXPECT_EQ(cause_of({{0, Cause::kCpuStarved}, {4, Cause::kHandlerBlocked}, {8, Cause::kCpuStarved}}, 10),
              Cause::kCpuStarved);
}

TEST(ReplayCourse, UnknownWinsWhereNothingElseStoodForAThird) {
    EXPECT_EQ(cause_of({{0, Cause::kHandlerBlocked}, {2, Cause::kUnknown}}, 60), Cause::kUnknown);
    EXPECT_EQ(cause_of({{0, Cause::kHandlerBlocked}, {20, Cause::kUnknown}}, 60), Cause::kHandlerBlocked);
    EXPECT_EQ(cause_of({{0, Cause::kUnknown}, {58, Cause::kHandlerBlocked}}, 60), Cause::kUnknown);
}

TEST(ReplayCourse, YoungSecondsCountForNothing) {
    const std::vector<Said> all{{0, Cause::kUnknown}, {11, Cause::kHandlerBlocked}};
    EXPECT_EQ(cause_of(all, 12), Cause::kHandlerBlocked);
    EXPECT_EQ(course_of(all, 12).text(), "");
}

TEST(ReplayCourse, WhatTakesItsTimeToBeToldWasSoAllAlong) {
    EXPECT_EQ(cause_of({{0, Cause::kUnknown}, {10, Cause::kEofIgnored}}, 11), Cause::kEofIgnored);
    EXPECT_EQ(cause_of({{0, Cause::kHandlerBusy}, {4, Cause::kUnknown}, {14, Cause::kEofIgnored}}, 15),
              Cause::kEofIgnored);
}

TEST(ReplayCourse, WhatIsTakenBackDoesNotStand) {
    EXPECT_EQ(cause_of({{0, Cause::kIdleInPool}, {19, Cause::kUnknown}}, 36), Cause::kUnknown);
    EXPECT_EQ(cause_of({{0, Cause::kUnknown}, {11, Cause::kAbandoned}, {26, Cause::kUnknown}}, 46),
              Cause::kUnknown);
    EXPECT_EQ(cause_of({{0, Cause::kIdleInPool}, {5, Cause::kUnknown}, {9, Cause::kIdleInPool}}, 20),
              Cause::kIdleInPool)
        << "and said again";
    EXPECT_EQ(cause_of({{0, Cause::kEofIgnored}, {600, Cause::kUnknown}}, 605), Cause::kEofIgnored)
        << "after so long, a moment takes nothing back";
    EXPECT_EQ(cause_of({{0, Cause::kHandlerBlocked}, {20, Cause::kUnknown}}, 36), Cause::kHandlerBlocked)
        << "its thread had slept, whatever came then";
}

TEST(ReplayCourse, ALaterAndSurerOneOfTheSameCauseWins) {
    Course surer = course_of({{0, Cause::kHandlerBlocked, Confidence::kPossible, 7},
                              {20, Cause::kHandlerBlocked, Confidence::kProven, 8}},
                             21);
    EXPECT_EQ(surer.outcome()->opinion.confidence, Confidence::kProven);
    EXPECT_EQ(surer.outcome()->opinion.tid, 8U);
    EXPECT_EQ(surer.outcome()->diagnosed_ns, kFirst + 20 * kSecond);
    EXPECT_EQ(surer.text(), "");
    Course weaker = course_of({{0, Cause::kHandlerBlocked, Confidence::kProven, 7},
                               {2, Cause::kHandlerBlocked, Confidence::kPossible, 8}},
                              20);
    EXPECT_EQ(weaker.outcome()->opinion.confidence, Confidence::kPossible);
}

TEST(ReplayCourse, TheWordsAreThereHoweverOftenItChanges) {
    std::vector<Said> all;
    for (std::uint32_t i = 0; i < 200; ++i)
        all.push_back(
            {i, i % 3 ? Cause::kHandlerBlocked : Cause::kCpuStarved, static_cast<Confidence>(i % 2), i % 40});
    Course course = course_of(all, 200);
    const auto outcome = course.outcome();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->opinion.cause, Cause::kHandlerBlocked);
    EXPECT_EQ(course.text(),
              "cpu-starved for 1.0 s, then handler-blocked for 2.0 s, then cpu-starved for 1.0 s, then 130 "
              "more changes, at last handler-blocked for 1.0 s");
}

TEST(ReplayCourse, ClocksThatRunBackwardsHarmNothing) {
    Course course;
    course.say({Cause::kStopped}, kFirst);
    course.say({Cause::kUnknown}, 5);
    course.keep({});
    course.end(1);
    EXPECT_TRUE(course.outcome());
}

TEST(ReplayCourse, AReportTellsWhatStoodLongestWithItsCourse) {
    using namespace testing;
    const auto stuck = [](std::uint64_t taken_ns, bool is_stuck) {
        Builder builder;
        builder.census.taken_ns = taken_ns;
        model::Thread owner = asleep(4190, SYS_fdatasync, 12);
        owner.asleep_since_ns = kFin;
        model::Thread thread = is_stuck ? asleep(4188, SYS_futex, 0x7f00) : running(4188);
        if (is_stuck) thread.lock_owner_tid = 4190, thread.asleep_since_ns = kFin + kMs;
        const auto process = builder.process(4121, {in_accept(4121), thread, owner});
        model::Socket& socket = socket_of(builder, 100, {{process, 57}});
        touches(socket).last = deed(4121, 4188, kFin + kMs, model::Operation::kRead);
        touches(socket).opened = deed(4121, 4188, kOpened, model::Operation::kAccept);
        return std::move(builder.census);
    };
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    for (std::uint64_t at = kFin + kSec; at <= kFin + 15 * kSec; at += kSec) look(replay, stuck(at, true));
    look(replay, stuck(kFin + 16 * kSec, false));
    replay.on(left(100, kFin + 16 * kSec + 50 * kMs, 4121, 4188));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    const Fact& fact = incident.holds[0];
    EXPECT_EQ(fact.cause, Cause::kHandlerBlocked);
    EXPECT_EQ(fact.told_ns, kFin + 15 * kSec);
    EXPECT_EQ(fact.diagnosed_ns, kFin + kSec);
    EXPECT_TRUE(fact.course.starts_with("handler-blocked for 15 s, then ")) << fact.course;
    const timeline::Hold& hold = incident.timeline.holds[0];
    EXPECT_EQ(incident.timeline.text(hold.diagnosis.cause), "handler-blocked");
    EXPECT_EQ(incident.timeline.text(hold.wait_class), "lock");
    ASSERT_FALSE(hold.diagnosis.evidence.empty());
    EXPECT_EQ(incident.timeline.text(hold.diagnosis.evidence[0].fact), "course");
    EXPECT_EQ(incident.groups.at(0).cause, Cause::kHandlerBlocked);
    EXPECT_EQ(complaints(incident), "");
}

/// A look that finds it with one process, and blames a thread of it.
struct Found {
    std::uint64_t after_s;
    std::uint32_t owner;
    Cause cause = Cause::kEofIgnored;
};

Course course_of_holders(const std::vector<Found>& all, std::uint64_t end_s) {
    Course course;
    std::uint64_t last_ns = 0;
    for (const Found& found : all) {
        const std::uint64_t at_ns = kFirst + found.after_s * kSecond;
        const bool nobody = found.owner == timeline::kNowhere;
        const Opinion opinion{found.cause, Confidence::kLikely, nobody ? 0 : 100 + found.owner,
                              nobody ? 0 : 1000 + found.owner, found.owner};
        course.end(at_ns);
        if (!course.goes_on(opinion) && course.wants_words()) course.keep({{}, {}, {}, last_ns});
        course.say(opinion, at_ns);
        last_ns = at_ns;
    }
    course.keep({{}, {}, {}, last_ns});
    course.end(kFirst + end_s * kSecond);
    return course;
}

TEST(ReplayCourse, OfHoldersOneAfterTheOtherTheLastOneIsTold) {
    Course course = course_of_holders({{0, 1}, {20, 1}, {21, 2}, {25, 2}}, 30);
    const auto outcome = course.outcome();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->opinion.owner, 2U);
    EXPECT_EQ(outcome->opinion.pid, 102U);
    EXPECT_EQ(outcome->opinion.tid, 1002U);
    EXPECT_EQ(outcome->words->at_ns, kFirst + 25 * kSecond);
    EXPECT_EQ(outcome->diagnosed_ns, kFirst + 21 * kSecond);
}

TEST(ReplayCourse, ALastMomentOfSomethingElseNamesNobodyElse) {
    Course course = course_of_holders({{0, 1}, {20, 1}, {29, 2, Cause::kUnknown}}, 30);
    const auto outcome = course.outcome();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->opinion.cause, Cause::kEofIgnored);
    EXPECT_EQ(outcome->opinion.owner, 1U);
    EXPECT_EQ(outcome->opinion.tid, 1001U);
    EXPECT_EQ(outcome->words->at_ns, kFirst + 20 * kSecond);
}

TEST(ReplayCourse, WithoutAHolderAtLastTheOneBeforeIsTold) {
    Course course = course_of_holders({{0, 1}, {20, 1}, {21, timeline::kNowhere}}, 30);
    EXPECT_EQ(course.outcome()->opinion.owner, 1U);
}

TEST(ReplayCourse, NameAndThreadAreOfOneLookHoweverManyHolders) {
    std::vector<Found> all;
    for (std::uint32_t i = 0; i < 40; ++i) all.push_back({i, i % 20});
    Course course = course_of_holders(all, 41);
    const auto outcome = course.outcome();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->opinion.pid, 100 + outcome->opinion.owner);
    EXPECT_EQ(outcome->opinion.tid, 1000 + outcome->opinion.owner);
}

}  // namespace
}  // namespace waitclose::replay
