// SPDX-License-Identifier: BSD-2-Clause
// The one rule of growth in the live view: what was measured over the last minute, and no more.
#include "live/history.h"

#include <gtest/gtest.h>

#include <functional>

#include "model/units.h"

namespace waitclose::live {
namespace {

using model::kSecond;

/// One number a second, for so many seconds.
History history_of(std::uint64_t seconds, const std::function<std::uint64_t(std::uint64_t)>& count) {
    History history;
    for (std::uint64_t i = 0; i <= seconds; ++i) history.add(i * kSecond, count(i));
    return history;
}

void expect_gain(const History& history, double change, std::uint64_t seconds, bool lasts) {
    const auto gain = history.trend().gain;
    ASSERT_TRUE(gain);
    EXPECT_DOUBLE_EQ(gain->change, change);
    EXPECT_EQ(gain->over_ns, seconds * kSecond);
    EXPECT_EQ(gain->lasts, lasts);
}

TEST(LiveHistory, OfLessThanFiveSecondsNothingIsSaid) {
    EXPECT_FALSE(History().trend().gain);
    EXPECT_FALSE(history_of(4, [](std::uint64_t i) { return 100 + 10 * i; }).trend().gain);
    expect_gain(history_of(5, [](std::uint64_t i) { return 100 + 10 * i; }), 50, 5, false);
}

TEST(LiveHistory, NothingIsWorkedOutForALongerTimeThanWasWatched) {
    expect_gain(history_of(20, [](std::uint64_t i) { return 20 * i; }), 400, 20, true);
    expect_gain(history_of(59, [](std::uint64_t i) { return 20 * i; }), 1180, 59, true);
    expect_gain(history_of(60, [](std::uint64_t i) { return 20 * i; }), 1200, 60, true);
    expect_gain(history_of(200, [](std::uint64_t i) { return 20 * i; }), 1200, 60, true);
}

TEST(LiveHistory, WhatCameAtOnceDoesNotLast) {
    expect_gain(history_of(30, [](std::uint64_t i) { return i < 2 ? 0 : 500; }), 500, 30, false);
    expect_gain(history_of(30, [](std::uint64_t i) { return i < 29 ? 0 : 500; }), 500, 30, false);
    expect_gain(history_of(40, [](std::uint64_t i) { return i <= 20 ? i : 40 - i; }), 0, 40, false);
    expect_gain(history_of(100, [](std::uint64_t i) { return i < 40 ? 1'000 - i : 960; }), 0, 60, false);
}

TEST(LiveHistory, AConstantPoolDoesNotGrow) {
    expect_gain(history_of(300, [](std::uint64_t) { return 12; }), 0, 60, false);
    EXPECT_EQ(history_of(300, [](std::uint64_t) { return 12; }).trend().counts,
              std::vector<std::uint64_t>(61, 12));
}

TEST(LiveHistory, OfLooksFurtherApartThanAMinuteItIsTheShareOfOne) {
    History history;
    history.add(0, 0);
    history.add(120 * kSecond, 20);
    expect_gain(history, 10, 60, false);  // it may have come at once: nobody looked
}

TEST(LiveHistory, WhatCameWhileNobodyLookedNeedNotGoOn) {
    History history = history_of(30, [](std::uint64_t i) { return i; });
    history.add(75 * kSecond, 75);
    expect_gain(history, 60, 60, false);
    for (std::uint64_t i = 76; i <= 135; ++i) history.add(i * kSecond, i);
    expect_gain(history, 60, 60, true);
}

TEST(LiveHistory, TheSparklineIsOfTheSameMinute) {
    const auto counts = history_of(100, [](std::uint64_t i) { return i; }).trend().counts;
    ASSERT_EQ(counts.size(), 61U);
    EXPECT_EQ(counts.front(), 40U);
    EXPECT_EQ(counts.back(), 100U);
}

TEST(LiveHistory, ManyNumbersASecondReachAsFar) {
    History history;
    for (std::uint64_t i = 0; i <= 1'000; ++i) history.add(i * kSecond / 10, i);
    expect_gain(history, 600, 60, true);
}

TEST(LiveHistory, WhatWasNotThereBeforeGrewFromNothing) {
    History history;
    history.begin_empty(0, 30 * kSecond);
    history.add(31 * kSecond, 5);
    expect_gain(history, 5, 31, false);
}

}  // namespace
}  // namespace waitclose::live
