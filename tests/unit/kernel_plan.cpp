// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/plan.h"

#include <array>

#include <gtest/gtest.h>

namespace waitclose::kernel {
namespace {

constexpr std::array<std::string_view, 1> kProgram{"program"};
constexpr std::array kTwoWays{Alternative{"fentry/cheap", kProgram, "5.5"},
                              Alternative{"kprobe/dear", kProgram, "4.1"}};
constexpr std::array kOneWay{Alternative{"tp/only", kProgram, "4.7"}};
constexpr std::array kNeeds{Need{"first", true, "all is lost", kTwoWays},
                            Need{"second", false, "little is lost", kOneWay}};

TEST(Plan, PrefersTheFirstAlternative) {
    const Plan plan = make_plan(kNeeds, {});
    EXPECT_EQ(plan[0]->hook, "fentry/cheap");
    EXPECT_EQ(plan[1]->hook, "tp/only");
}

TEST(Plan, FallsBackWhereOneIsRefused) {
    EXPECT_EQ(make_plan(kNeeds, {{"fentry/cheap", "EPERM"}})[0]->hook, "kprobe/dear");
}

TEST(Plan, LeavesAHoleWhereNothingIsLeft) {
    const Plan plan = make_plan(kNeeds, {{"tp/only", "EPERM"}});
    EXPECT_NE(plan[0], nullptr);
    EXPECT_EQ(plan[1], nullptr);
}

TEST(Plan, SaysWhatIsMissing) {
    const auto facts = probe_facts(kNeeds, make_plan(kNeeds, {{"tp/only", "EPERM"}}), true);
    ASSERT_EQ(facts.hooks.size(), 2U);
    EXPECT_EQ(facts.hooks[1], (std::pair<std::string, std::string>{"first", "fentry/cheap"}));
    EXPECT_EQ(facts.missing, std::vector<std::string>{"second"});
}

TEST(Plan, WithoutTracingOnlyTheCensusIsUsedAndNothingIsMissing) {
    const auto facts = probe_facts(kNeeds, Plan(2, nullptr), false);
    ASSERT_EQ(facts.hooks.size(), 1U);
    EXPECT_EQ(facts.hooks[0].first, "census");
    EXPECT_TRUE(facts.missing.empty());
}

TEST(Plan, EveryNeedHasAnAlternativeAndSaysWhatItsLossCosts) {
    for (const Need& need : all_needs()) {
        EXPECT_FALSE(need.alternatives.empty()) << need.name;
        EXPECT_FALSE(need.without.empty()) << need.name;
        for (const Alternative& one : need.alternatives) {
            EXPECT_FALSE(one.programs.empty());
            EXPECT_TRUE(is_hook(one.hook));
        }
    }
    EXPECT_FALSE(is_hook("tp_btf/none"));
}

}  // namespace
}  // namespace waitclose::kernel
