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
    EXPECT_EQ(budget.load(), (Load{99, true, ~0U}));
}

TEST(Budget, SamplesGoFirstAndItIsSaid) {
    Budget budget(0.03, 99);
    const auto given_up = spend(budget, 0.5);
    ASSERT_GE(given_up.size(), 5U);
    EXPECT_TRUE(given_up[0].starts_with("threads on a CPU were sampled 49 times")) << given_up[0];
    EXPECT_TRUE(given_up[1].starts_with("threads on a CPU were sampled 19 times")) << given_up[1];
    EXPECT_TRUE(given_up[2].starts_with("threads on a CPU were no longer sampled")) << given_up[2];
    EXPECT_TRUE(given_up[3].starts_with("the stacks of threads")) << given_up[3];
    EXPECT_TRUE(given_up[4].starts_with("threads that had slept 4096 times")) << given_up[4];
    EXPECT_NE(given_up[0].find("50.0 % of a core"), std::string::npos) << given_up[0];
    EXPECT_EQ(budget.load().sample_hz, 0U);
    EXPECT_FALSE(budget.load().stack_bytes);
    EXPECT_EQ(budget.load().most_stretches, 64U);
}

TEST(Budget, TheBeginningMayCostMore) {
    Budget budget(0.03, 99);
    EXPECT_FALSE(budget.judge({kSecond / 4, kSecond / 40}));
    EXPECT_FALSE(budget.judge({kSecond / 2, kSecond / 40 + 1000}));
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
