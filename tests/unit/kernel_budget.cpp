// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/budget.h"

#include <gtest/gtest.h>

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

/// Spends a share of a core for ten seconds.
std::vector<std::string> spend(Budget& budget, double share) {
    std::vector<std::string> given_up;
    for (std::uint64_t at = 0; at <= 10 * kSecond; at += kSecond / 4)
        if (auto what = budget.judge({at, static_cast<std::uint64_t>(static_cast<double>(at) * share)}))
            given_up.push_back(*what);
    return given_up;
}

TEST(Budget, WithinItNothingIsGivenUp) {
    Budget budget(0.03, 99);
    EXPECT_TRUE(spend(budget, 0.029).empty());
    EXPECT_EQ(budget.load(), (Load{.sample_hz = 99}));
}

TEST(Budget, SamplesGoFirstAndItIsSaid) {
    Budget budget(0.03, 99);
    const auto given_up = spend(budget, 0.1);
    ASSERT_EQ(given_up.size(), 9U);
    EXPECT_TRUE(given_up[0].starts_with("threads on a CPU were sampled 49 times")) << given_up[0];
    EXPECT_TRUE(given_up[1].starts_with("threads on a CPU were sampled 19 times")) << given_up[1];
    EXPECT_TRUE(given_up[2].starts_with("threads on a CPU were no longer sampled")) << given_up[2];
    EXPECT_TRUE(given_up[3].starts_with("the stacks of threads going to sleep were read in")) << given_up[3];
    EXPECT_TRUE(given_up[4].starts_with("the stacks of threads going to sleep were no")) << given_up[4];
    EXPECT_TRUE(given_up[5].starts_with("of threads that sleep more than 64 times")) << given_up[5];
    EXPECT_TRUE(given_up[8].starts_with("of threads that sleep more than 1 times")) << given_up[8];
    EXPECT_NE(given_up[0].find("10 % of a core"), std::string::npos) << given_up[0];
    EXPECT_EQ(budget.load(), (Load{0, false, false, 1}));
}

TEST(Budget, FarTooMuchGivesUpAllSamplesAtOnce) {
    Budget budget(0.03, 99);
    const auto given_up = spend(budget, 0.5);
    ASSERT_FALSE(given_up.empty());
    EXPECT_TRUE(given_up[0].starts_with("threads on a CPU were no longer sampled")) << given_up[0];
}

TEST(Budget, PausesAreNoReasonToThinkItCheap) {
    Budget budget(0.03, 99);
    EXPECT_TRUE(budget.judge({.wall_ns = kSecond, .cpu_ns = kSecond / 34, .paused_ns = kSecond / 2}));
    Budget all_open(0.03, 99);
    EXPECT_FALSE(all_open.judge({.wall_ns = kSecond, .cpu_ns = kSecond / 34}));
}

TEST(Budget, RecordsArePaidForByWhatIsLeft) {
    Budget budget(0.03, 99);
    const std::int64_t at_first = budget.records_to_come({});
    EXPECT_GT(at_first, 1000);
    EXPECT_EQ(budget.records_to_come({.wall_ns = kSecond, .cpu_ns = kSecond * 4 / 100, .records = 10'000}),
              0);
    const Spent later{.wall_ns = 2 * kSecond, .cpu_ns = kSecond * 4 / 100, .records = 10'000};
    EXPECT_GT(budget.records_to_come(later), 0) << "time pays";
    Budget dear(0.03, 99);
    EXPECT_LT(dear.records_to_come({.wall_ns = kSecond, .cpu_ns = kSecond / 100, .records = 100}),
              at_first / 4);
}

TEST(Budget, TheBeginningMayCostMore) {
    Budget budget(0.03, 99);
    EXPECT_FALSE(budget.judge({kSecond / 4, kSecond / 50}));
    EXPECT_FALSE(budget.judge({kSecond / 2, kSecond / 50 + 1000}));
}

TEST(Budget, WhatWasSpentLongAgoIsNoReason) {
    Budget budget(0.03, 99);
    EXPECT_TRUE(budget.judge({kSecond, kSecond / 4}));
    EXPECT_FALSE(budget.judge({2 * kSecond, kSecond / 4 + 1000}));
}

TEST(Budget, WithoutSamplesStacksGoFirst) {
    Budget budget(0.03, 0);
    const auto what = budget.judge({kSecond, kSecond});
    ASSERT_TRUE(what);
    EXPECT_TRUE(what->starts_with("the stacks of threads")) << *what;
}

}  // namespace
}  // namespace waitclose::kernel
