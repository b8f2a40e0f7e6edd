// SPDX-License-Identifier: BSD-2-Clause
// What a replay makes of holds: the diagnosis the looks give, how they ended, what no look saw, and groups.
#include <gtest/gtest.h>

#include "replay/words.h"
#include "replay_fixture.h"

namespace waitclose::replay {
namespace {

using namespace testing;
using diagnose::Cause;

/// A server whose thread read end-of-file from `sockets` connections and is back in accept().
model::Census leak(std::uint64_t taken_ns, std::uint64_t sockets = 1, std::uint32_t pid = 4121) {
    Builder builder;
    builder.census.taken_ns = taken_ns;
    const auto process = builder.process(pid, {in_accept(pid)});
    for (std::uint64_t i = 0; i < sockets; ++i) {
        model::Socket& socket = socket_of(builder, 100 + i, {{process, static_cast<std::int32_t>(50 + i)}});
        read_eof(socket, deed(pid, pid, kFin + kMs, model::Operation::kRead));
    }
    return std::move(builder.census);
}

std::string words_of(const diagnose::Diagnosis& diagnosis) {
    std::string text = gist(diagnosis) + "\n" + diagnosis.summary + "\n" + diagnosis.advice;
    for (const auto& one : diagnosis.evidence) text += "\n" + one.fact + ": " + one.text;
    for (const auto& one : diagnosis.because) text += "\n" + one.waits_for + ": " + one.detail;
    for (const auto& one : diagnosis.contributing) text += "\n+" + one;
    return text;
}

TEST(ReplayHolds, TheLastLooksDiagnosisIsKept) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kFin + 5 * kMs));  // too young to say
    look(replay, leak(kTaken));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    const model::Census last = leak(kTaken);
    const auto expected = diagnose::diagnose(last, last.sockets.front());
    auto found = restored(incident.timeline.holds[0].diagnosis, incident.timeline);
    ASSERT_EQ(found.evidence.at(0).text,
              "looked at again and again: unknown for 21 s, then eof-ignored for 1.0 s (looks)");
    found.evidence.erase(found.evidence.begin());
    EXPECT_EQ(words_of(found), words_of(expected));
    EXPECT_EQ(incident.holds[0].cause, expected.cause);
    EXPECT_EQ(expected.cause, Cause::kEofIgnored);
    EXPECT_EQ(incident.holds[0].diagnosed_ns, kTaken);
    EXPECT_TRUE(incident.holds[0].is_open());
    EXPECT_EQ(incident.timeline.holds[0].held_ns, kTaken + kSec - kFin);
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, AnEndedHoldHasTheDiagnosisOfTheLookBefore) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken - 4 * kSec));
    look(replay, leak(kTaken - 2 * kSec));
    replay.on(left(100, kTaken - kSec, 4121, 4121));
    look(replay, leak(kTaken, 0));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    const Fact& fact = incident.holds[0];
    EXPECT_EQ(fact.ended, Ended::kClosed);
    EXPECT_EQ(fact.cause, Cause::kEofIgnored);
    EXPECT_EQ(fact.diagnosed_ns, kTaken - 4 * kSec);
    EXPECT_EQ(fact.seen_ns, kTaken - 2 * kSec);
    const timeline::Hold& hold = incident.timeline.holds[0];
    EXPECT_FALSE(hold.open);
    EXPECT_EQ(hold.held_ns, kTaken - kSec - kFin);
    EXPECT_EQ(incident.timeline.text(hold.precision), "exact");
    ASSERT_TRUE(hold.closed);
    EXPECT_EQ(hold.closed->tid, 4121U);
    EXPECT_EQ(incident.timeline.thread_at(hold.closed->where)->tid, 4121U);
    ASSERT_TRUE(hold.first_touch);
    EXPECT_EQ(hold.first_touch->at_ns, kFin + kMs);
    const model::Census before = leak(kTaken - 2 * kSec);
    auto expected = diagnose::diagnose(before, before.sockets.front());
    expected.advice.resize(expected.advice.size() - expected.ending.size() - 1);  // it has ended
    expected.summary =
        "thread t4121 read end-of-file 19 s ago and by then had not closed fd 50; after 21 s it was closed "
        "by "
        "thread was4121 (4121) of process 4121";
    EXPECT_EQ(words_of(restored(hold.diagnosis, incident.timeline)), words_of(expected));
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, WhatEndedDuringALookIsNotOpenedAgain) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    replay.look_begins(kTaken - kMs);
    replay.on(left(100, kTaken - kMs / 2, 4121, 4121));
    model::Census census = leak(kTaken);
    replay.look(census);
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.holds[0].ended, Ended::kClosed);
    EXPECT_FALSE(incident.holds[0].cause);
    EXPECT_EQ(incident.unseen, std::vector<std::uint32_t>{0});
    EXPECT_TRUE(incident.groups.empty());
}

TEST(ReplayHolds, BriefHoldsAreCountedAndNobodyIsAccused) {
    Wanted wanted;
    wanted.selection.min_held_ns = 250 * kMs;
    Replay replay(wanted);
    replay.about(about());
    for (std::uint64_t i = 0; i < 1000; ++i) {
        replay.on(entered(i, kFin + i * kMs));
        replay.on(left(i, kFin + i * kMs + 20'000 + i, 4121, 4121));
    }
    replay.on(entered(2000, kFin, 9090));
    replay.on(left(2000, kFin + 249 * kMs, 5, 5));
    replay.on(entered(3000, kFin, 9090));
    replay.on(left(3000, kFin + 400 * kMs, 5, 5));
    const Incident incident = replay.finish();
    EXPECT_EQ(incident.brief.holds, 1001U);
    EXPECT_EQ(incident.brief_by_port.at(8080).holds, 1000U);
    EXPECT_EQ(incident.brief_by_port.at(8080).longest_ns, 20'999U);
    EXPECT_EQ(incident.brief.longest_ns, 249 * kMs);
    EXPECT_NEAR(static_cast<double>(incident.brief_typical_ns), 20'500, 2'000);
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.timeline.holds[0].diagnosis.cause, timeline::StringId::kNone);
    EXPECT_FALSE(incident.timeline.holds[0].diagnosis.culprit);
    EXPECT_EQ(incident.unseen.size(), 1U);
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, ABriefOneThatALookHappenedToSeeIsBriefAllTheSame) {
    Wanted wanted;
    wanted.selection.min_held_ns = 250 * kMs;
    Replay replay(wanted);
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kFin + 20 * kMs));
    replay.on(left(100, kFin + 21 * kMs, 4121, 4121));
    replay.on(entered(101, kFin + 30 * kMs));
    model::Census next = leak(kFin + 40 * kMs, 2);
    next.sockets.erase(next.sockets.begin());
    look(replay, std::move(next));
    const Incident incident = replay.finish();
    EXPECT_EQ(incident.brief.holds, 1U);
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.holds[0].key.cookie, 101U);
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, AMissedEndLastsUntilItWasSeenLast) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken - 3 * kSec));
    look(replay, leak(kTaken - 2 * kSec, 0));
    look(replay, leak(kTaken - kSec, 0));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.holds[0].ended, Ended::kMissed);
    EXPECT_EQ(incident.holds[0].held_ns(), kTaken - 3 * kSec - kFin);
    EXPECT_EQ(incident.timeline.text(incident.timeline.holds[0].precision), "at-least");
    EXPECT_EQ(incident.holds[0].cause, Cause::kEofIgnored);
    EXPECT_EQ(incident.timeline.text(incident.timeline.holds[0].diagnosis.cause), "eof-ignored");
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, ASocketEnteredAgainIsAnotherHold) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken - 3 * kSec));
    replay.on(entered(100, kTaken - 2 * kSec));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.holds[0].ended, Ended::kMissed);
    EXPECT_EQ(incident.open_unseen, 1U);
}

TEST(ReplayHolds, AHoldOlderThanTheRecordingIsALowerBound) {
    Replay replay({});
    replay.about(about());
    model::Census census = leak(kTaken);
    census.sockets[0].held_since_ns = kBegun - 60 * kSec;
    census.sockets[0].precision = model::Precision::kAtLeast;
    look(replay, std::move(census));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.timeline.text(incident.timeline.holds[0].precision), "at-least");
    EXPECT_EQ(incident.totals.already_open, 1U);
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, GroupsAreThoseOfASnapshotOverTheWholeTime) {
    Replay replay({});
    replay.about(about());
    for (std::uint64_t i = 0; i < 10; ++i) replay.on(entered(100 + i, kFin + i));
    look(replay, leak(kTaken - 4 * kSec, 10));
    for (std::uint64_t i = 0; i < 4; ++i) replay.on(left(100 + i, kTaken - (4 - i) * 100 * kMs, 4121, 4121));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.groups.size(), 1U);
    const Group& group = incident.groups[0];
    EXPECT_EQ(group.holds, 10U);
    EXPECT_EQ(group.open, 6U);
    EXPECT_EQ(group.local_port, 8080);
    EXPECT_EQ(group.cause, Cause::kEofIgnored);
    EXPECT_EQ(incident.timeline.processes[group.owner].pid, 4121U);
    EXPECT_EQ(group.culprits, 1U);
    EXPECT_EQ(group.top_culprits[0].tid, 4121U);
    EXPECT_EQ(group.top_culprits[0].holds, 10U);
    EXPECT_EQ(group.longest_ns, kTaken + kSec - kFin - 4);
    EXPECT_EQ(incident.holds[group.longest].key.cookie, 104U);
    EXPECT_EQ(group.first_ns, kFin);
    EXPECT_EQ(incident.group_of, std::vector<std::uint32_t>(10, 0));
    EXPECT_EQ(incident.most_open, 10U);
}

TEST(ReplayHolds, SelectionLeavesOthersOut) {
    Wanted by_pid;
    by_pid.selection.pids = {99};
    Wanted by_port;
    by_port.local_ports.emplace().set(8080);
    by_port.netns = 1;
    Wanted by_family;
    by_family.ipv4 = false;
    const std::vector<std::pair<Wanted, std::size_t>> cases{{by_pid, 0}, {by_port, 1}, {by_family, 0}};
    for (const auto& [wanted, expected] : cases) {
        Replay replay(wanted);
        replay.about(about());
        replay.on(entered(100, kFin));
        look(replay, leak(kTaken - kSec));
        replay.on(left(100, kTaken, 4121, 4121));
        const Incident incident = replay.finish();
        EXPECT_EQ(incident.holds.size(), expected);
        EXPECT_EQ(incident.left_out, 1 - expected);
        EXPECT_EQ(incident.brief.holds, 0U);
    }
}

TEST(ReplayHolds, WhatTheRecorderWasNotAskedForStaysOut) {
    Replay replay({});
    replay.about(about());
    for (const std::uint64_t at : {kTaken - kSec, kTaken}) {
        replay.look_begins(at);
        model::Census census = leak(at, 3);
        replay.unwanted({{1, 100}, {1, 102}});
        replay.look(census);
    }
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.holds[0].key.cookie, 101U);
    EXPECT_EQ(incident.not_selected, 2U);
    EXPECT_EQ(incident.open_unseen, 0U);
}

TEST(ReplayHolds, HoldsOfOthersAreNoRiddles) {
    Replay replay({});
    replay.about(about());
    for (std::uint64_t i = 0; i < 3; ++i) replay.on(entered(100 + i, kFin));
    replay.on(entered(300, kFin));
    replay.look_begins(kTaken - kSec);
    model::Census census = leak(kTaken - kSec, 3);
    replay.unwanted({{1, 100}, {1, 102}});
    replay.look(census);
    for (const std::uint64_t cookie : {100U, 101U, 102U, 300U})
        replay.on(left(cookie, kTaken - kSec / 2, 4121, 4121));
    replay.on(entered(301, kTaken - kSec / 4));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    EXPECT_EQ(incident.holds[0].key.cookie, 101U);
    EXPECT_TRUE(incident.unseen.empty());
    EXPECT_EQ(incident.not_selected, 2U);
    EXPECT_EQ(incident.whose_unknown, 2U);
    EXPECT_EQ(incident.open_unseen, 0U);
    EXPECT_EQ(incident.brief.holds, 0U);
}

TEST(ReplayHolds, OpenOnesAreAsOldAsTheyAreKnownToBe) {
    Wanted wanted;
    wanted.selection.min_held_ns = 60 * kSec;
    Replay replay(wanted);
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken));
    replay.on(entered(200, kTaken));
    const Incident incident = replay.finish();
    EXPECT_TRUE(incident.holds.empty());
    EXPECT_EQ(incident.young, 2U);
    EXPECT_EQ(incident.brief.holds, 0U);
    EXPECT_EQ(incident.open_unseen, 0U);
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, OpenAtOneTimeAreThoseToldOf) {
    Replay replay({});
    replay.about(about());
    for (std::uint64_t i = 0; i < 3; ++i) replay.on(entered(100 + i, kFin + i * kSec));
    look(replay, leak(kFin + 3 * kSec, 3));
    replay.on(left(100, kFin + 4 * kSec));
    replay.on(left(101, kFin + 5 * kSec));
    replay.on(entered(103, kFin + 6 * kSec));
    replay.on(left(103, kFin + 7 * kSec));
    const Incident incident = replay.finish();
    EXPECT_EQ(incident.most_open, 3U);
    EXPECT_EQ(incident.most_open_ns, kFin + 2 * kSec);
    std::string text;
    for (const auto& sample : incident.timeline.counters.at(0).samples)
        text += std::to_string(static_cast<int>(sample.value)) + " ";
    EXPECT_EQ(text, "1 2 3 2 1 2 1 ");
}

TEST(ReplayHolds, LossesHaveTheirTime) {
    Replay replay({});
    replay.about(about());
    replay.losses(kFin, {3, 0, 0});
    replay.losses(kFin + kSec, {3, 0, 0});
    replay.losses(kTaken, {10, 1, 2});
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.timeline.losses.size(), 4U);
    EXPECT_EQ(incident.timeline.losses[0].at_ns, kFin);
    EXPECT_EQ(incident.timeline.losses[0].count, 3U);
    EXPECT_EQ(incident.timeline.losses[1].count, 7U);
    EXPECT_EQ(incident.timeline.text(incident.timeline.losses[3].what), "reconciled");
    EXPECT_EQ(incident.losses.ring, 10U);
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, StatesBeforeAndAfterAreShownWhereTheyWereRecorded) {
    const auto to = [](std::uint64_t at_ns, model::TcpState state) {
        return model::Transition{at_ns, model::TcpState::kClose, state, connection(100)};
    };
    Replay replay({});
    replay.about(about());
    replay.on(to(kOpened, model::TcpState::kEstablished));
    replay.on(to(kFin, model::TcpState::kCloseWait));
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken - kSec));
    replay.on(to(kTaken - kMs, model::TcpState::kLastAck));
    replay.on(left(100, kTaken - kMs, 4121, 4121));
    replay.on(to(kTaken, model::TcpState::kClose));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.holds.size(), 1U);
    std::vector<std::string> names;
    for (const auto& phase : incident.timeline.holds[0].phases)
        names.emplace_back(incident.timeline.text(phase.name));
    EXPECT_EQ(names, (std::vector<std::string>{"ESTABLISHED", "CLOSE_WAIT", "FIN not read",
                                               "end-of-file read", "LAST_ACK"}));
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, AnEmptyRecordingIsEmpty) {
    store::About nothing;
    Replay replay({});
    replay.about(nothing);
    const Incident incident = replay.finish();
    EXPECT_TRUE(incident.holds.empty());
    EXPECT_EQ(complaints(incident), "");
}

TEST(ReplayHolds, CountersTellOpenHoldsDescriptorsAndPressure) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    for (const std::uint64_t at : {kTaken - kSec, kTaken}) {
        model::Census census = leak(at);
        census.processes[0].fds_used = at == kTaken ? 70 : 57;
        census.window.emplace();
        census.window->from_ns = at - kSec;
        census.window->to_ns = at;
        census.window->io.some_ns = 125 * kMs;
        look(replay, std::move(census));
    }
    const Incident incident = replay.finish();
    std::vector<std::string> found;
    for (const auto& counter : incident.timeline.counters) {
        found.emplace_back(incident.timeline.text(counter.name));
        for (const auto& sample : counter.samples)
            found.back() += " " + std::to_string(sample.value).substr(0, 4);
    }
    EXPECT_EQ(found,
              (std::vector<std::string>{"disk pressure 12.5", "fds used 57.0 70.0", "holds open 1.00"}));
    EXPECT_EQ(complaints(incident), "");
}

}  // namespace
}  // namespace waitclose::replay
