// SPDX-License-Identifier: BSD-2-Clause
// Who had a hold when: one after the other only where it really changed hands.
#include "replay/keepers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replay_fixture.h"

namespace waitclose::replay {
namespace {

using namespace testing;
using timeline::kNowhere;

constexpr std::uint32_t kA = 0, kB = 1, kC = 2;

/// A look: who is named, who holds it, and when it was handed over.
struct Look {
    std::uint64_t at_s;
    std::uint32_t owner;
    std::vector<std::uint32_t> holders;
    std::uint64_t handed_s = 0;
};

/// "A 0-3, B 3-9" of a hold from 0 s to 9 s that is shown with `owner`; "" where that one had it all the
/// time.
std::string kept(const std::vector<Look>& looks, std::uint32_t owner, std::uint64_t a_gone_s = 0) {
    HolderSets sets;
    Keepers keepers;
    for (const Look& look : looks) {
        auto holders = look.holders;
        keepers.see(kFin + look.at_s * kSec, look.owner, sets.of(holders),
                    look.handed_s ? kFin + look.handed_s * kSec : 0);
    }
    const auto gone = [&](std::uint32_t process) {
        return process == kA && a_gone_s ? kFin + a_gone_s * kSec : 0;
    };
    std::string told;
    for (const timeline::Tenure& one : keepers.tenures(sets, owner, kFin, kFin + 9 * kSec, gone))
        told += fmt::format("{}{} {}-{}", told.empty() ? "" : ", ",
                            one.owner == kNowhere ? '?' : static_cast<char>('A' + one.owner),
                            (one.begin_ns - kFin) / kSec, (one.end_ns - kFin) / kSec);
    return told;
}

TEST(ReplayKeepers, WhoHadItAllTheTimeIsNotTold) {
    EXPECT_EQ(kept({}, kNowhere), "");
    EXPECT_EQ(kept({{1, kA, {kA}}, {2, kA, {kA}}}, kA), "");
    EXPECT_EQ(kept({{1, kA, {kA}}, {2, kB, {kA, kB}}, {3, kA, {kA, kB}}, {4, kA, {kA}}}, kA), "")
        << "who is named for a look or two meanwhile has not got it";
    EXPECT_EQ(kept({{1, kNowhere, {kA, kB}}, {5, kB, {kB}}}, kB), "") << "it had it before, too";
    EXPECT_EQ(kept({{1, kNowhere, {kA, kB}}, {5, kNowhere, {kB, kA, kA}}}, kNowhere), "");
}

TEST(ReplayKeepers, WhoGotItHasItFromThenOn) {
    const std::vector<Look> looks{{1, kA, {kA}}, {2, kA, {kA, kB}}, {5, kB, {kB}}};
    EXPECT_EQ(kept(looks, kA), "A 0-5, B 5-9") << "as of the look that noticed";
    EXPECT_EQ(kept(looks, kB), "A 0-2, B 2-9");
    EXPECT_EQ(kept(looks, kA, 4), "A 0-4, B 4-9") << "A was seen to end";
    EXPECT_EQ(kept(looks, kA, 9), "A 0-5, B 5-9") << "A lives on";
    EXPECT_EQ(kept({{1, kA, {kA}}, {2, kA, {kA, kB}}, {5, kB, {kB}, 3}}, kA), "A 0-3, B 3-9")
        << "A was seen to close its copy";
    EXPECT_EQ(kept({{1, kA, {kA}}, {2, kA, {kA, kB}}, {5, kB, {kB}, 8}}, kA), "A 0-5, B 5-9")
        << "later than the look that saw it: something else";
}

TEST(ReplayKeepers, OneAfterTheOther) {
    EXPECT_EQ(kept({{1, kA, {kA}}, {3, kB, {kB}}, {6, kC, {kC}}}, kB), "A 0-3, B 3-6, C 6-9");
    EXPECT_EQ(kept({{1, kA, {kA}}, {3, kB, {kB}}, {6, kA, {kA}}}, kA), "A 0-3, B 3-6, A 6-9");
    EXPECT_EQ(kept({{1, kA, {kA}}, {3, kNowhere, {kB, kC}}}, kA), "A 0-3, ? 3-9");
}

TEST(ReplayKeepers, WhatNobodyHasIsOfWhomItWasOfBefore) {
    EXPECT_EQ(kept({{1, kA, {kA}}, {3, kNowhere, {}}, {6, kB, {kB}}}, kA), "A 0-6, B 6-9") << "on its way";
    EXPECT_EQ(kept({{1, kA, {kA}}, {3, kNowhere, {}}, {6, kB, {kB}}}, kNowhere), "A 0-3, ? 3-6, B 6-9");
    EXPECT_EQ(kept({{1, kNowhere, {}}, {3, kB, {kB}}}, kB), "") << "a queue that several share";
    EXPECT_EQ(kept({{1, kA, {}}, {3, kB, {kB}}}, kA), "A 0-3, B 3-9") << "whose queue it was";
}

TEST(ReplayKeepers, TimesThatCannotBeChangeNothing) {
    EXPECT_EQ(kept({{20, kA, {kA}}, {30, kB, {kB}}}, kA), "") << "after its end";
    HolderSets sets;
    Keepers keepers;
    std::vector<std::uint32_t> a{kA}, b{kB};
    keepers.see(kFin - kSec, kA, sets.of(a), 0);
    keepers.see(kFin - kMs, kB, sets.of(b), 0);
    EXPECT_TRUE(keepers.tenures(sets, kB, kFin, kFin + kSec, [](std::uint32_t) { return 0; }).empty());
}

/// A server (pid 10) passes a connection on to a worker (pid 20), exits, and the worker closes it.
TEST(ReplayKeepers, AReplayTellsWhoHadItAndWhatWasSaidMeanwhile) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    const auto look_at = [&](std::uint64_t at_ns, bool by_server, bool by_worker) {
        Builder builder;
        builder.census.taken_ns = at_ns;
        std::vector<Hold> holds;
        if (by_server) holds.push_back({builder.process(10, {in_accept(10)}), 5});
        if (by_worker) holds.push_back({builder.process(20, {in_accept(20)}), 7});
        model::Socket& socket = socket_of(builder, 100, holds);
        if (by_worker && !by_server)
            touches(socket).let_go = deed(10, 10, kFin + 12 * kSec, model::Operation::kNone, 5);
        look(replay, std::move(builder.census));
    };
    look_at(kFin + 11 * kSec, true, false);
    look_at(kFin + 13 * kSec, false, true);
    look_at(kFin + 20 * kSec, false, true);
    replay.on(left(100, kFin + 21 * kSec, 20, 20));
    Builder after;
    after.census.taken_ns = kTaken;
    look(replay, std::move(after.census));
    const Incident incident = replay.finish();
    EXPECT_EQ(complaints(incident), "");
    const timeline::Timeline& timeline = incident.timeline;
    ASSERT_EQ(timeline.holds.size(), 1U);
    const timeline::Hold& hold = timeline.holds[0];
    ASSERT_EQ(hold.tenures.size(), 2U);
    EXPECT_EQ(timeline.processes[hold.tenures[0].owner].pid, 10U);
    EXPECT_EQ(hold.tenures[0].end_ns, kFin + 12 * kSec);
    EXPECT_EQ(timeline.processes[hold.tenures[1].owner].pid, 20U);
    EXPECT_EQ(timeline.text(hold.tenures[0].cause), "abandoned");
    EXPECT_FALSE(timeline.text(hold.tenures[1].cause).empty());
    // The worker closed the last it held, and no look saw it again: its lane has that close all the same.
    ASSERT_TRUE(hold.closed);
    const timeline::Thread* closer = timeline.thread_at(hold.closed->where);
    ASSERT_NE(closer, nullptr);
    EXPECT_EQ(closer->tid, 20U);
    EXPECT_EQ(closer->to_ns, kFin + 21 * kSec);
    EXPECT_EQ(closer->slices.back().activity, timeline::Activity::kUnknown);
}

}  // namespace
}  // namespace waitclose::replay
