// SPDX-License-Identifier: BSD-2-Clause
// What the live view remembers from look to look and from second to second.
#include "live/chronicle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "live/ends.h"
#include "live_fixture.h"

namespace waitclose::live {
namespace {

using namespace testing_pictures;
using diagnose::Cause;

/// A look at one process that holds `sockets`, `seconds` after the first.
Look look_at(std::uint64_t seconds, std::uint64_t sockets, Cause cause = Cause::kEofIgnored) {
    Machine machine;
    machine.census.taken_ns = kNow + seconds * kSecond;
    const auto process = machine.add_process(4121, "java");
    if (sockets > 0) {
        machine.add_socket(process, 9, kSecond);
        machine.add_group(process, cause, sockets).all = {0};
    }
    return {std::make_unique<model::Census>(std::move(machine.census)), std::move(machine.groups), 0, {}};
}

/// Of the first group, over so many seconds.
void expect_gain(const Chronicle& chronicle, double change, std::uint64_t seconds) {
    const auto& gain = chronicle.picture().groups.front().trend.gain;
    ASSERT_TRUE(gain);
    EXPECT_DOUBLE_EQ(gain->change, change);
    EXPECT_EQ(gain->over_ns, seconds * kSecond);
}

model::Closed end_of(std::uint64_t cookie, Cause cause, std::uint64_t at_ns) {
    model::Closed closed;
    closed.hold.connection.key = {1, cookie};
    closed.hold.told = fingerprint({4121, cause, 8080, ""});
    closed.hold.since_ns = at_ns - kSecond;
    closed.held_ns = kSecond;
    return closed;
}

TEST(LiveChronicle, AGroupThatEndsStaysTenSeconds) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 5));
    chronicle.take(look_at(1, 0));
    ASSERT_EQ(chronicle.picture().groups.size(), 1U);
    EXPECT_TRUE(chronicle.picture().groups.front().ended_ns);
    EXPECT_EQ(chronicle.picture().groups.front().sockets(), 0U);
    chronicle.beat(kNow + 9 * kSecond, {});
    EXPECT_EQ(chronicle.picture().groups.size(), 1U);
    chronicle.beat(kNow + 12 * kSecond, {});
    EXPECT_TRUE(chronicle.picture().groups.empty());
}

TEST(LiveChronicle, AGroupWhoseCauseBecameKnownHasNotEnded) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 5, Cause::kUnknown));
    chronicle.take(look_at(1, 5, Cause::kHandlerBlocked));
    ASSERT_EQ(chronicle.picture().groups.size(), 1U);
    EXPECT_EQ(chronicle.picture().groups.front().key.cause, Cause::kHandlerBlocked);
}

TEST(LiveChronicle, AGroupThatComesBackLives) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 5));
    chronicle.take(look_at(1, 0));
    chronicle.take(look_at(2, 3));
    ASSERT_EQ(chronicle.picture().groups.size(), 1U);
    EXPECT_FALSE(chronicle.picture().groups.front().ended_ns);
}

TEST(LiveChronicle, ANewGroupGrewFromNothing) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 0));
    chronicle.take(look_at(9, 0));
    chronicle.take(look_at(10, 5));
    expect_gain(chronicle, 5, 10);
    chronicle.take(look_at(60, 30));
    expect_gain(chronicle, 30, 60);
    chronicle.take(look_at(70, 30));
    expect_gain(chronicle, 25, 60);
    chronicle.take(look_at(130, 30));
    expect_gain(chronicle, 0, 60);
}

TEST(LiveChronicle, ACauseThatBecameAnotherIsNoGrowth) {
    for (const Cause before : {Cause::kUnknown, Cause::kAbandoned}) {
        Chronicle chronicle;
        chronicle.take(look_at(0, 5, before));
        chronicle.take(look_at(10, 5, Cause::kHandlerBlocked));
        expect_gain(chronicle, 0, 10);
        EXPECT_EQ(chronicle.picture().groups.front().trend.counts, std::vector<std::uint64_t>(11, 5));
    }
}

TEST(LiveChronicle, SomeOfAGroupWithAnotherCauseDidNotComeFromNothing) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 9, Cause::kAbandoned));
    Look look = look_at(10, 6, Cause::kAbandoned);
    diagnose::Group split = look.groups.front();
    split.cause = Cause::kEofIgnored;
    split.sockets = 3;
    look.groups.push_back(split);
    chronicle.take(std::move(look));
    ASSERT_EQ(chronicle.picture().groups.size(), 2U);
    EXPECT_FALSE(chronicle.picture().groups[1].trend.gain);
}

TEST(LiveChronicle, EndsAreCountedBeforeTheNextLook) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 2));
    chronicle.end(end_of(1, Cause::kEofIgnored, kNow));
    EXPECT_EQ(chronicle.picture().groups.front().sockets(), 1U);
    ASSERT_EQ(chronicle.picture().ended.size(), 1U);
    EXPECT_EQ(chronicle.picture().ended.front().cause, Cause::kEofIgnored);
    chronicle.end(end_of(2, Cause::kEofIgnored, kNow));
    EXPECT_TRUE(chronicle.picture().groups.front().ended_ns) << "all of its holds have ended";
    chronicle.beat(kNow + 61 * kSecond, {});
    EXPECT_TRUE(chronicle.picture().ended.empty());
}

TEST(LiveChronicle, WhatWasNotAskedForIsNotToldOf) {
    Chronicle chronicle;
    chronicle.select({2 * kSecond, false, {}});
    chronicle.take(look_at(0, 2));
    chronicle.end(end_of(1, Cause::kEofIgnored, kNow));
    EXPECT_TRUE(chronicle.picture().ended.empty()) << "held too briefly";

    chronicle.select({0, true, {}});
    chronicle.end(end_of(2, Cause::kAbandoned, kNow));
    EXPECT_TRUE(chronicle.picture().ended.empty()) << "of no group shown";
    model::Closed closed = end_of(3, Cause::kAbandoned, kNow);
    closed.hold.told = kNotAskedFor;
    chronicle.select({0, false, {}});
    chronicle.end(closed);
    EXPECT_TRUE(chronicle.picture().ended.empty()) << "not asked for";
}

TEST(LiveChronicle, APartOfTheHoldsHasNoRates) {
    Chronicle chronicle;
    chronicle.select({0, true, {}});
    chronicle.take(look_at(0, 2));
    chronicle.end(end_of(1, Cause::kEofIgnored, kNow));
    chronicle.beat(kNow, {500, 500, 0});
    chronicle.beat(kNow + kSecond, {600, 600, 0});
    EXPECT_EQ(chronicle.picture().pulse.open, 1U) << "of the groups, not of the machine";
    EXPECT_FALSE(chronicle.picture().pulse.entered_per_s) << "of the machine";
    chronicle.end(end_of(2, Cause::kEofIgnored, kNow));
    chronicle.recount(600);
    EXPECT_EQ(chronicle.picture().pulse.open, 0U) << "the only group has ended";
}

// What the filter leaves out is kept, and shown once it may be.
TEST(LiveChronicle, AnotherFilterLosesNothingOfWhatEnded) {
    Chronicle chronicle;
    const auto only = [](std::uint32_t owner) {
        return Shown{0, false, [owner](const Ended& ended) { return ended.owner == owner; }};
    };
    const auto ended = [&] { return chronicle.picture().ended.size(); };
    chronicle.take(look_at(0, 2));
    chronicle.end(end_of(1, Cause::kEofIgnored, kNow));
    EXPECT_EQ(ended(), 1U);
    chronicle.select(only(99));
    EXPECT_EQ(ended(), 0U);
    Look look = look_at(1, 1);
    look.others = std::exchange(look.groups, {});
    chronicle.take(std::move(look));
    model::Closed closed = end_of(2, Cause::kEofIgnored, kNow + kSecond);
    closed.hold.told = fingerprint_left_out({4121, Cause::kEofIgnored, 8080, ""});
    chronicle.end(closed);
    EXPECT_EQ(ended(), 0U) << "left out by the filter";
    chronicle.select(only(4121));
    EXPECT_EQ(ended(), 2U);
    chronicle.select({});
    ASSERT_EQ(ended(), 2U);
    EXPECT_EQ(chronicle.picture().ended.front().cause, Cause::kEofIgnored);
    chronicle.beat(kNow + 70 * kSecond, {});
    chronicle.select({});
    EXPECT_EQ(ended(), 0U) << "a minute ago";
}

TEST(LiveChronicle, AnotherFilterIsNoGrowth) {
    Chronicle chronicle;
    const auto sort_anew = [&](std::uint64_t sockets) {
        Look look = look_at(0, sockets);
        look.census.reset();
        EXPECT_FALSE(chronicle.take(std::move(look))) << "the census stays";
    };
    const Shown filtered{0, true, {}};
    chronicle.take(look_at(0, 5));
    chronicle.take(look_at(10, 7));
    expect_gain(chronicle, 2, 10);
    chronicle.select(filtered);
    sort_anew(0);
    EXPECT_TRUE(chronicle.picture().groups.empty()) << "left out, not ended";
    chronicle.select({});
    sort_anew(7);
    EXPECT_FALSE(chronicle.picture().groups.front().trend.gain) << "did not come from nothing";
    chronicle.take(look_at(20, 8));
    expect_gain(chronicle, 1, 10);
    sort_anew(8);
    expect_gain(chronicle, 1, 10);
    sort_anew(2);
    EXPECT_FALSE(chronicle.picture().groups.front().trend.gain) << "a part of it";
}

TEST(LiveChronicle, AnotherFilterHasItsOwnPulse) {
    Chronicle chronicle;
    const auto gain = [&] { return chronicle.picture().pulse.trend.gain.value_or(Gain{-1, 0, false}); };
    for (std::uint64_t i = 0; i < 10; ++i) chronicle.beat(kNow + i * kSecond, {100'000 + i, 100'000, 0});
    EXPECT_DOUBLE_EQ(gain().change, 9);
    chronicle.select({0, true, {}});
    for (std::uint64_t i = 10; i < 20; ++i) chronicle.beat(kNow + i * kSecond, {100'000 + i, 100'000, 0});
    EXPECT_DOUBLE_EQ(gain().change, 0);
    EXPECT_EQ(gain().over_ns, 9 * kSecond);
    chronicle.select({});
    chronicle.beat(kNow + 20 * kSecond, {100'020, 100'000, 0});
    EXPECT_DOUBLE_EQ(gain().change, 20) << "of the machine it was always known";
}

TEST(LiveChronicle, WhatEndedStaysEndedWhenSortedAnew) {
    Chronicle chronicle;
    Look look = look_at(0, 2);
    const model::Socket& socket = look.census->sockets.front();
    const model::SocketKey key{socket.netns, socket.cookie};
    chronicle.take(std::move(look));
    model::Closed closed = end_of(1, Cause::kEofIgnored, kNow);
    closed.hold.connection.key = key;
    chronicle.end(closed);
    look = look_at(0, 2);
    look.census.reset();
    chronicle.take(std::move(look));
    EXPECT_EQ(chronicle.picture().groups.front().sockets(), 1U);
    EXPECT_TRUE(chronicle.picture().gone.contains(key));
}

TEST(LiveChronicle, RatesAreThoseOfTheLastSeconds) {
    Chronicle chronicle;
    for (std::uint64_t i = 0; i < 20; ++i) chronicle.beat(kNow + i * kSecond, {10 * i, 12 * i, 2 * i});
    EXPECT_DOUBLE_EQ(chronicle.picture().pulse.entered_per_s.value_or(0), 12);
    EXPECT_DOUBLE_EQ(chronicle.picture().pulse.closed_per_s.value_or(0), 2);
    const auto& gain = chronicle.picture().pulse.trend.gain;
    ASSERT_TRUE(gain);
    EXPECT_DOUBLE_EQ(gain->change, 190);
    EXPECT_EQ(gain->over_ns, 19 * kSecond);
}

TEST(LiveChronicle, HowManyEndedIsSaidWhereNotAllAreListed) {
    Chronicle chronicle;
    const Picture& picture = chronicle.picture();
    chronicle.take(look_at(0, 2));
    const auto end = [&](std::uint64_t from, std::uint64_t until, std::uint64_t at_ns) {
        for (std::uint64_t i = from; i < until; ++i) chronicle.end(end_of(i, Cause::kEofIgnored, at_ns));
    };
    end(0, 1'500, kNow + kSecond);
    EXPECT_EQ(picture.ended.size(), 1'000U);
    EXPECT_EQ(picture.ended_in_all, 1'500U);
    chronicle.select(
        {0, false, [](const Ended& one) { return one.closed.hold.connection.key.cookie < 1'200; }, 1});
    EXPECT_EQ(picture.ended.size(), 1'000U);
    EXPECT_EQ(picture.ended_in_all, 1'200U);
    EXPECT_TRUE(picture.ended_in_all_exact);
    chronicle.select({});
    end(1'500, 9'000, kNow + 2 * kSecond);
    EXPECT_EQ(picture.ended_in_all, 9'000U);
    EXPECT_TRUE(picture.ended_in_all_exact);
    chronicle.select({});
    EXPECT_EQ(picture.ended_in_all, 5'000U) << "of those that are kept";
    EXPECT_FALSE(picture.ended_in_all_exact);
    chronicle.beat(kNow + 70 * kSecond, {});
    EXPECT_EQ(picture.ended_in_all, 0U);
    EXPECT_TRUE(picture.ended_in_all_exact);
    chronicle.end_unknown(kNow + 69 * kSecond);
    chronicle.beat(kNow + 71 * kSecond, {});
    EXPECT_FALSE(picture.ended_in_all_exact);
}

TEST(LiveChronicle, BetweenAFilterAndItsLookNothingPassesUnfiltered) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 3));
    const Shown others{0, true, [](const Ended& one) { return one.owner == 99U; }, 1};
    chronicle.select(others);
    chronicle.end(end_of(1, Cause::kEofIgnored, kNow));
    EXPECT_TRUE(chronicle.picture().ended.empty()) << "its row is one of the filter before";
    Look look = look_at(1, 2);
    look.filter = 1;
    chronicle.take(std::move(look));
    chronicle.end(end_of(2, Cause::kEofIgnored, kNow + kSecond));
    EXPECT_EQ(chronicle.picture().ended.size(), 1U) << "a look by this filter knows best";
}

TEST(LiveChronicle, WhoHeldWhatEndedIsKept) {
    Chronicle chronicle;
    Look look = look_at(0, 1);
    look.census->processes.front().cgroup = "/system.slice/orders.service";
    const model::Socket& socket = look.census->sockets.front();
    const model::SocketKey key{socket.netns, socket.cookie};
    chronicle.take(std::move(look));
    const auto holders = [&](model::Closed closed) {
        chronicle.end(closed);
        return chronicle.picture().ended.front().holders;
    };
    model::Closed closed = end_of(1, Cause::kEofIgnored, kNow);
    EXPECT_TRUE(holders(closed).empty()) << "of a socket that no look has seen, closed by nobody known";
    closed.hold.connection.key = key;
    ASSERT_EQ(holders(closed).size(), 1U);
    EXPECT_EQ(holders(closed).front().pid, 4121U);
    EXPECT_EQ(holders(closed).front().cgroup, "/system.slice/orders.service");
    closed.hold.place = 7;
    EXPECT_TRUE(holders(closed).empty()) << "of another census";
    closed.left.emplace().closer.emplace().pid = 4121;
    EXPECT_EQ(holders(closed).size(), 1U) << "whoever closed it";
}

/// Which groups stay as ended ones, by the rule in its plainest form, which
/// takes too long for many.
std::vector<GroupKey> expected_rows(const std::vector<GroupRow>& before, const std::vector<GroupKey>& now) {
    const auto was = [&](const GroupKey& key) {
        return std::ranges::any_of(before, [&](const GroupRow& row) { return row.key == key; });
    };
    std::vector<GroupKey> rows = now;
    for (const GroupRow& row : before) {
        bool stays = false;
        bool renamed = false;
        for (const GroupKey& key : now) {
            stays = stays || key == row.key;
            renamed = renamed || (key.is_kin_of(row.key) && (!was(key) || row.key.cause == Cause::kUnknown));
        }
        if (!stays && !(renamed && !row.ended_ns)) rows.push_back(row.key);
    }
    return rows;
}

/// Many groups, some with another cause than before.
Look many_groups(std::uint64_t seconds, std::size_t groups, std::uint32_t owners, std::uint32_t& random) {
    const auto below = [&](std::uint32_t most) {
        return (random = random * 1'664'525 + 1'013'904'223) % 65'536 % most;
    };
    Look look = look_at(seconds, 1);
    diagnose::Group group = std::exchange(look.groups, {}).front();
    std::unordered_set<std::uint64_t> there;
    for (std::size_t i = 0; i < groups; ++i) {
        group.owner_pid = below(owners);
        group.cause =
            static_cast<Cause>(below(2) == 0 ? static_cast<std::uint32_t>(Cause::kUnknown) : below(5));
        group.sockets = 1 + below(5);
        if (there.insert(fingerprint(key_of(group))).second) look.groups.push_back(group);
    }
    return look;
}

TEST(LiveChronicle, ManyGroupsEndAsFewDo) {
    Chronicle chronicle;
    std::uint32_t random = 1;
    for (std::uint64_t round = 0; round < 5; ++round) {
        Look look = many_groups(round, 900, 400, random);
        std::vector<GroupKey> now;
        for (const diagnose::Group& group : look.groups) now.push_back(key_of(group));
        const auto expected = expected_rows(chronicle.picture().groups, now);
        chronicle.take(std::move(look));
        std::vector<GroupKey> rows;
        for (const GroupRow& row : chronicle.picture().groups) rows.push_back(row.key);
        EXPECT_EQ(rows, expected) << "round " << round;
        EXPECT_TRUE(round == 0 || rows.size() > now.size()) << "too easy";
    }
}

// A view may be paused for hours.
TEST(LiveChronicle, OfManyEndsTheLatestAreKept) {
    Ends ends;
    const std::uint64_t many = Ends::kMost + 5'000;
    for (std::uint64_t i = 1; i <= many; ++i) ends.add(end_of(i, Cause::kEofIgnored, kNow));
    const Ends::Taken taken = ends.take();
    ASSERT_EQ(taken.latest.size(), Ends::kMost);
    EXPECT_EQ(taken.latest.front().hold.connection.key.cookie, 5'001U);
    EXPECT_EQ(taken.latest.back().hold.connection.key.cookie, many);
    EXPECT_EQ(taken.before, 5'000U);
    EXPECT_TRUE(ends.take().latest.empty());
    EXPECT_EQ(ends.take().before, 0U);
}

}  // namespace
}  // namespace waitclose::live
