// SPDX-License-Identifier: BSD-2-Clause
#include "commands/hooks_found.h"

#include <array>
#include <set>

#include <gtest/gtest.h>

namespace waitclose::commands {
namespace {

using model::Obstacle;

constexpr std::array kTyped{
    kernel::AttachPoint{"program", kernel::Mechanism::kTypedTracepoint, "sock_recv_length"}};
constexpr std::array kClassic{
    kernel::AttachPoint{"program", kernel::Mechanism::kTracepoint, "syscalls/sys_exit_read"}};
constexpr std::array kHooks{
    kernel::Alternative{"tp_btf/new", kTyped, "6.3"},
    kernel::Alternative{"tp/old", kClassic, "5.8", kernel::Cost::kHigh, "splice() is not seen"}};
constexpr std::array kNeeds{kernel::Need{"read", false, false, "who read is not known", kHooks}};
const std::set<std::string, std::less<>> kNothing;

Circumstances ordinary() {
    return {"6.12.0", true, true, true, kNothing};
}

Obstacle obstacle_of(std::size_t hook, const Circumstances& circumstances) {
    const kernel::Refusals refused{{"tp_btf/new", "EPERM"}, {"tp/old", "ENOENT"}};
    return hooks_found(kNeeds, {nullptr}, refused, circumstances)[0].hooks[hook].obstacle;
}

TEST(HooksFound, SaysWhatWasChosenAndRuledOut) {
    const auto found = hooks_found(kNeeds, {&kHooks[1]}, {{"tp_btf/new", "EPERM"}}, ordinary());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name, "read");
    EXPECT_EQ(found[0].without, "who read is not known");
    ASSERT_NE(found[0].choice(), nullptr);
    EXPECT_EQ(found[0].choice()->name, "tp/old");
    EXPECT_EQ(found[0].choice()->cost, "high");
    EXPECT_EQ(found[0].choice()->without, "splice() is not seen");
    EXPECT_FALSE(found[0].choice()->refused);
    EXPECT_EQ(found[0].hooks[0].refused, "EPERM");
    EXPECT_EQ(found[0].hooks[0].since, "6.3");
    EXPECT_EQ(hooks_found(kNeeds, {nullptr}, {}, ordinary())[0].choice(), nullptr);
}

TEST(HooksFound, TellsObstaclesApart) {
    EXPECT_EQ(obstacle_of(0, ordinary()), Obstacle::kKernel);
    Circumstances old = ordinary();
    old.kernel = "6.1.0-13-amd64";
    EXPECT_EQ(obstacle_of(0, old), Obstacle::kOldKernel);
    EXPECT_EQ(obstacle_of(1, old), Obstacle::kKernel);
    Circumstances unmounted = ordinary();
    unmounted.has_tracefs = unmounted.reads_tracefs = false;
    EXPECT_EQ(obstacle_of(0, unmounted), Obstacle::kKernel) << "it is not in tracefs";
    EXPECT_EQ(obstacle_of(1, unmounted), Obstacle::kTracefs);
    Circumstances unreadable = ordinary();
    unreadable.reads_tracefs = false;
    EXPECT_EQ(obstacle_of(1, unreadable), Obstacle::kPrivilege);
    Circumstances unprivileged = ordinary();
    unprivileged.may_load = false;
    EXPECT_EQ(obstacle_of(0, unprivileged), Obstacle::kPrivilege);
    const std::set<std::string, std::less<>> disabled{"tp_btf/new"};
    EXPECT_EQ(obstacle_of(0, {"6.12.0", false, false, false, disabled}), Obstacle::kSwitchedOff);
}

TEST(HooksFound, WhatOthersHaveIsNotTheKernelsFault) {
    const kernel::Refusals refused{{"tp/old", kernel::taken_text(kClassic[0])}};
    const auto found = hooks_found(kNeeds, {nullptr}, refused, ordinary());
    EXPECT_EQ(found[0].hooks[1].obstacle, Obstacle::kTaken);
    EXPECT_EQ(
        found[0].hooks[1].refused,
        "no place is left: 64 other programs run at the tracepoint syscalls/sys_exit_read, as many as the "
        "kernel allows");
    EXPECT_FALSE(kernel::is_taken(refused, "tp_btf/new"));
}

TEST(HooksFound, WhatIsNotRefusedHasNoObstacle) {
    const auto found = hooks_found(kNeeds, {&kHooks[0]}, {}, ordinary());
    EXPECT_EQ(found[0].hooks[1].obstacle, Obstacle::kNothing);
}

TEST(IsOlder, ComparesNumbersNotText) {
    EXPECT_TRUE(is_older("5.8.0", "5.17"));
    EXPECT_TRUE(is_older("5.19-rc1", "6.3"));
    EXPECT_FALSE(is_older("6.12.0+deb13", "6.3"));
    EXPECT_FALSE(is_older("6.3.0", "6.3"));
    EXPECT_FALSE(is_older("10.0", "6.3"));
    for (const char* odd : {"", "6", "6.", ".6", "linux-6.1", "99999999999.1"})
        EXPECT_FALSE(is_older(odd, "6.3"));
}

}  // namespace
}  // namespace waitclose::commands
