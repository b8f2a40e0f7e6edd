// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/plan.h"

#include <array>

#include <gtest/gtest.h>

namespace waitclose::kernel {
namespace {

constexpr std::array kPoint{AttachPoint{"program", Mechanism::kTracepoint, "sock/some"}};
constexpr std::array kOnlyCensus{Alternative{"iter/only", kPoint, "5.8"}};
constexpr std::array kTwoWays{Alternative{"fentry/cheap", kPoint, "5.8"},
                              Alternative{"kprobe/dear", kPoint, "5.8", Cost::kMedium}};
constexpr std::array kOneWay{Alternative{"tp/only", kPoint, "5.8"}};
constexpr std::array kNeeds{Need{"census", true, true, "nothing is left", kOnlyCensus},
                            Need{"first", true, false, "all is lost", kTwoWays},
                            Need{"second", false, false, "little is lost", kOneWay}};

TEST(Plan, PrefersTheFirstAlternative) {
    const Plan plan = make_plan(kNeeds, {}, {true});
    EXPECT_EQ(plan[0]->hook, "iter/only");
    EXPECT_EQ(plan[1]->hook, "fentry/cheap");
    EXPECT_EQ(plan[2]->hook, "tp/only");
    EXPECT_EQ(first_unmet(kNeeds, plan, true), nullptr);
}

TEST(Plan, WhatAWindowNeedsIsLeftOutWithoutOne) {
    constexpr std::array kWithWindow{kNeeds[0],
                                     Need{"switches", false, false, "little is lost", kOneWay, true}};
    EXPECT_EQ(make_plan(kWithWindow, {}, {true})[1], nullptr);
    EXPECT_TRUE(probe_facts(kWithWindow, make_plan(kWithWindow, {}, {true}), {true}).missing.empty());
    EXPECT_NE(make_plan(kWithWindow, {}, {true, true})[1], nullptr);
    const Refusals refused{{"tp/only", "EPERM"}};
    EXPECT_EQ(
        probe_facts(kWithWindow, make_plan(kWithWindow, refused, {true, true}), {true, true}).missing.size(),
        1U);
}

TEST(Plan, WhatACaptureNeedsIsLeftOutWithoutOne) {
    constexpr std::array kWithCapture{kNeeds[0],
                                      Need{"stacks", false, false, "little is lost", kOneWay, false, true}};
    EXPECT_EQ(make_plan(kWithCapture, {}, {true, true})[1], nullptr);
    EXPECT_NE(make_plan(kWithCapture, {}, {true, false, true})[1], nullptr);
    EXPECT_EQ(make_plan(kWithCapture, {}, {false, false, true})[1], nullptr) << "a capture is traced";
}

TEST(Plan, FallsBackWhereOneIsRefused) {
    EXPECT_EQ(make_plan(kNeeds, {{"fentry/cheap", "EPERM"}}, {true})[1]->hook, "kprobe/dear");
}

TEST(Plan, LeavesAHoleWhereNothingIsLeft) {
    const Plan plan = make_plan(kNeeds, {{"tp/only", "EPERM"}}, {true});
    EXPECT_NE(plan[1], nullptr);
    EXPECT_EQ(plan[2], nullptr);
    EXPECT_EQ(first_unmet(kNeeds, plan, true), nullptr) << "nobody has to have the second";
}

TEST(Plan, SaysWhatItCannotDoWithout) {
    const Refusals refused{{"fentry/cheap", "EPERM"}, {"kprobe/dear", "ENOENT"}};
    const Need* unmet = first_unmet(kNeeds, make_plan(kNeeds, refused, {true}), true);
    ASSERT_NE(unmet, nullptr);
    EXPECT_EQ(unmet->name, "first");
    EXPECT_EQ(first_unmet(kNeeds, make_plan(kNeeds, refused, {false}), false), nullptr)
        << "a census does not need it";
}

TEST(Plan, NoCensusMeansNothingAtAll) {
    const Refusals refused{{"iter/only", "EPERM"}};
    EXPECT_EQ(first_unmet(kNeeds, make_plan(kNeeds, refused, {false}), false)->name, "census");
    EXPECT_EQ(first_unmet(kNeeds, make_plan(kNeeds, refused, {true}), true)->name, "census");
}

TEST(Plan, SaysWhatIsMissing) {
    const auto facts = probe_facts(kNeeds, make_plan(kNeeds, {{"tp/only", "EPERM"}}, {true}), {true});
    ASSERT_EQ(facts.hooks.size(), 2U);
    EXPECT_EQ(facts.hooks[1], (std::pair<std::string, std::string>{"first", "fentry/cheap"}));
    EXPECT_EQ(facts.missing, std::vector<std::string>{"second"});
}

TEST(Plan, WithoutTracingOnlyTheCensusIsUsedAndNothingIsMissing) {
    const auto facts = probe_facts(kNeeds, make_plan(kNeeds, {}, {false}), {false});
    ASSERT_EQ(facts.hooks.size(), 1U);
    EXPECT_EQ(facts.hooks[0].first, "census");
    EXPECT_TRUE(facts.missing.empty());
}

TEST(Plan, EveryNeedHasAnAlternativeAndSaysWhatItsLossCosts) {
    for (const Need& need : all_needs()) {
        EXPECT_FALSE(need.alternatives.empty()) << need.name;
        EXPECT_FALSE(need.without.empty()) << need.name;
        for (const Alternative& one : need.alternatives) {
            EXPECT_FALSE(one.points.empty()) << one.hook;
            EXPECT_TRUE(is_hook(one.hook));
            EXPECT_FALSE(one.since.empty()) << one.hook;
        }
    }
    EXPECT_FALSE(is_hook("tp_btf/none"));
}

TEST(Plan, EveryHookHasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (const Need& need : all_needs())
        for (const Alternative& one : need.alternatives)
            EXPECT_TRUE(names.insert(one.hook).second) << one.hook;
}

TEST(Plan, AlternativesStandInTheOrderOfTheirCost) {
    for (const Need& need : all_needs())
        for (std::size_t i = 1; i < need.alternatives.size(); ++i)
            EXPECT_LE(need.alternatives[i - 1].cost, need.alternatives[i].cost) << need.name;
}

}  // namespace
}  // namespace waitclose::kernel
