// SPDX-License-Identifier: BSD-2-Clause
// What the live view remembers from look to look and from second to second.
#include "live/chronicle.h"

#include <gtest/gtest.h>

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

model::Closed end_of(std::uint64_t cookie, Cause cause, std::uint64_t at_ns) {
    model::Closed closed;
    closed.hold.connection.key = {1, cookie};
    closed.hold.told = fingerprint({4121, cause, 8080, ""});
    closed.hold.since_ns = at_ns - kSecond;
    closed.held_ns = kSecond;
    return closed;
}

TEST(LiveChronicle, GrowthIsMeasuredOnceThereWereFiveSeconds) {
    History history;
    history.add(0, 100);
    EXPECT_FALSE(history.trend().per_minute);
    history.add(4 * kSecond, 140);
    EXPECT_FALSE(history.trend().per_minute);
    history.add(6 * kSecond, 160);
    EXPECT_DOUBLE_EQ(history.trend().per_minute.value_or(0), 600);
}

TEST(LiveChronicle, WhatCameAtOnceDoesNotGoOn) {
    History history;
    for (std::uint64_t i = 0; i <= 10; ++i) history.add(i * kSecond, i < 2 ? 0 : 5);
    EXPECT_DOUBLE_EQ(history.trend().per_minute.value_or(0), 5);
    History ended;
    for (std::uint64_t i = 0; i <= 20; ++i) ended.add(i * kSecond, i < 15 ? 8 : 7);
    EXPECT_DOUBLE_EQ(ended.trend().per_minute.value_or(0), -1);
    History wave;
    for (std::uint64_t i = 0; i <= 20; ++i) wave.add(i * kSecond, i <= 10 ? i : 20 - i);
    EXPECT_DOUBLE_EQ(wave.trend().per_minute.value_or(1), 0);
    History steady;
    for (std::uint64_t i = 0; i <= 20; ++i) steady.add(i * kSecond, 20 * i);
    EXPECT_DOUBLE_EQ(steady.trend().per_minute.value_or(0), 1200);
}

TEST(LiveChronicle, GrowthIsThatOfTheLastMinute) {
    History history;
    for (std::uint64_t i = 0; i <= 100; ++i) history.add(i * kSecond, i < 40 ? 1'000 - i : 960);
    EXPECT_DOUBLE_EQ(history.trend().per_minute.value_or(1), 0);
}

TEST(LiveChronicle, LooksFurtherApartThanAMinuteAreCompared) {
    History history;
    history.add(0, 0);
    history.add(120 * kSecond, 20);
    EXPECT_DOUBLE_EQ(history.trend().per_minute.value_or(0), 10);
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
    chronicle.take(look_at(10, 5));
    EXPECT_EQ(chronicle.picture().groups.front().trend.counts, (std::vector<std::uint64_t>{0, 5}));
    // In this minute; whether it goes on so is not known.
    EXPECT_DOUBLE_EQ(chronicle.picture().groups.front().trend.per_minute.value_or(0), 5);
    chronicle.take(look_at(60, 30));
    EXPECT_DOUBLE_EQ(chronicle.picture().groups.front().trend.per_minute.value_or(0), 30);
    chronicle.take(look_at(70, 30));
    EXPECT_DOUBLE_EQ(chronicle.picture().groups.front().trend.per_minute.value_or(0), 25);
}

TEST(LiveChronicle, ACauseThatBecameKnownIsNoGrowth) {
    Chronicle chronicle;
    chronicle.take(look_at(0, 5, Cause::kUnknown));
    chronicle.take(look_at(10, 5, Cause::kHandlerBlocked));
    EXPECT_EQ(chronicle.picture().groups.front().trend.counts, (std::vector<std::uint64_t>{5, 5}));
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
    chronicle.select(2 * kSecond, false);
    chronicle.take(look_at(0, 2));
    chronicle.end(end_of(1, Cause::kEofIgnored, kNow));
    EXPECT_TRUE(chronicle.picture().ended.empty()) << "held too briefly";

    chronicle.select(0, true);
    chronicle.end(end_of(2, Cause::kAbandoned, kNow));
    EXPECT_TRUE(chronicle.picture().ended.empty()) << "of no group shown";
    chronicle.beat(kNow, {500, 500, 0});
    chronicle.beat(kNow + kSecond, {600, 600, 0});
    EXPECT_EQ(chronicle.picture().pulse.open, 1U) << "of the groups, not of the machine";
    EXPECT_FALSE(chronicle.picture().pulse.entered_per_s) << "of the machine";
}

TEST(LiveChronicle, AnotherFilterIsNoGrowth) {
    Chronicle chronicle;
    const auto sort_anew = [&](std::uint64_t sockets) {
        Look look = look_at(0, sockets);
        look.census.reset();
        EXPECT_FALSE(chronicle.take(std::move(look))) << "the census stays";
    };
    chronicle.take(look_at(0, 5));
    chronicle.take(look_at(10, 7));
    const Trend before = chronicle.picture().groups.front().trend;
    EXPECT_DOUBLE_EQ(before.per_minute.value_or(0), 12);
    chronicle.select(0, true);
    sort_anew(0);
    EXPECT_TRUE(chronicle.picture().groups.empty()) << "left out, not ended";
    chronicle.select(0, false);
    sort_anew(7);
    EXPECT_FALSE(chronicle.picture().groups.front().trend.per_minute) << "did not come from nothing";
    chronicle.take(look_at(20, 8));
    EXPECT_DOUBLE_EQ(chronicle.picture().groups.front().trend.per_minute.value_or(0), 6);
    sort_anew(8);
    EXPECT_DOUBLE_EQ(chronicle.picture().groups.front().trend.per_minute.value_or(0), 6) << "the same ones";
    sort_anew(2);
    EXPECT_FALSE(chronicle.picture().groups.front().trend.per_minute) << "a part of it";
}

TEST(LiveChronicle, AnotherFilterHasItsOwnPulse) {
    Chronicle chronicle;
    for (std::uint64_t i = 0; i < 10; ++i) chronicle.beat(kNow + i * kSecond, {100'000, 100'000, 0});
    EXPECT_DOUBLE_EQ(chronicle.picture().pulse.trend.per_minute.value_or(1), 0);
    chronicle.select(0, true);
    for (std::uint64_t i = 10; i < 20; ++i) chronicle.beat(kNow + i * kSecond, {100'000, 100'000, 0});
    EXPECT_DOUBLE_EQ(chronicle.picture().pulse.trend.per_minute.value_or(1), 0);
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
    EXPECT_DOUBLE_EQ(chronicle.picture().pulse.trend.per_minute.value_or(0), 600);
}

}  // namespace
}  // namespace waitclose::live
