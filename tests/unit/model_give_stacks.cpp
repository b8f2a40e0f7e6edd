// SPDX-License-Identifier: BSD-2-Clause
#include "model/give_stacks.h"

#include <gtest/gtest.h>

#include "capture_fixture.h"

namespace waitclose::model {
namespace {

using namespace replay::testing;

std::string function_of(const Thread& thread) {
    const Frame* frame = thread.user_stack ? own_function(*thread.user_stack) : nullptr;
    return frame ? frame->function : "";
}

TEST(GiveStacks, ASleeperIsWhereItWentToSleep) {
    replay::testing::Told told = disk();
    give_stacks(told.census, told.activity);
    EXPECT_EQ(function_of(told.census.threads[1]), "write_audit_log");
    EXPECT_EQ(told.census.threads[1].user_stack->size(), 4U) << "without the kernel's part";
    EXPECT_FALSE(told.census.threads[0].user_stack) << "it was not followed";
}

TEST(GiveStacks, OneThatRunsIsWhereMostSamplesAre) {
    replay::testing::Told told = busy();
    give_stacks(told.census, told.activity);
    EXPECT_EQ(function_of(told.census.threads[1]), "spin_parse");
    told.activity.threads[0].samples.resize(2);
    told.census.threads[1].user_stack.reset();
    give_stacks(told.census, told.activity);
    EXPECT_FALSE(told.census.threads[1].user_stack) << "two samples tell by accident";
}

TEST(GiveStacks, AnotherSleepTellsNothing) {
    replay::testing::Told told = disk();
    ThreadActivity& thread = told.activity.threads[0];
    thread.intervals.clear();
    then(thread, Doing::kRunning, kCaptured + kSec);
    then(thread, Doing::kBlocked, kTaken, 0);
    give_stacks(told.census, told.activity);
    EXPECT_FALSE(told.census.threads[1].user_stack) << "the census has it asleep since long before";
    told.census.threads[1].asleep_since_ns = kTaken - kMs;
    give_stacks(told.census, told.activity);
    EXPECT_FALSE(told.census.threads[1].user_stack) << "it has woken since";
    told.census.threads[1].asleep_since_ns = kCaptured + kSec;
    give_stacks(told.census, told.activity);
    EXPECT_EQ(function_of(told.census.threads[1]), "write_audit_log");
}

TEST(GiveStacks, AnotherThreadOfThatIdTellsNothing) {
    for (int which = 0; which < 3; ++which) {
        replay::testing::Told told = disk();
        ThreadActivity& thread = told.activity.threads[0];
        if (which == 0) thread.start_ns += 1;
        if (which == 1) thread.process_start_ns += 1;
        if (which == 2) thread.ended = true;
        give_stacks(told.census, told.activity);
        EXPECT_FALSE(told.census.threads[1].user_stack) << which;
    }
}

TEST(GiveStacks, TheRestingStackStandsInWhereTheSleepHasNone) {
    replay::testing::Told told = disk();
    told.activity.sleeps[0].stack = kNowhere;
    told.activity.threads[0].resting_stack = 0;
    give_stacks(told.census, told.activity);
    EXPECT_EQ(function_of(told.census.threads[1]), "write_audit_log");
    told = disk();
    told.activity.sleeps[0].stack = 99;
    give_stacks(told.census, told.activity);
    EXPECT_FALSE(told.census.threads[1].user_stack) << "an index that points at nothing";
}

}  // namespace
}  // namespace waitclose::model
