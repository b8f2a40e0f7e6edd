// SPDX-License-Identifier: BSD-2-Clause
#include "system/machine_time.h"

#include <gtest/gtest.h>

namespace waitclose::system {
namespace {

TEST(PressureIn, ReadsBothTotals) {
    const auto found = pressure_in(
        "some avg10=37.82 avg60=11.85 avg300=7.79 total=6233540842\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n");
    EXPECT_EQ(found.some_ns, 6'233'540'842'000U);
    EXPECT_EQ(found.full_ns, 12'000U);
}

TEST(PressureIn, WhatIsNotThereIsNotZero) {
    // Before 5.13 there is no line "full" for the CPU.
    const auto old = pressure_in("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
    EXPECT_EQ(old.some_ns, 7'000U);
    EXPECT_FALSE(old.full_ns);
    for (const char* text :
         {"", "some", "some total=", "some avg10=0.00 total=-1", "some avg10=0.00 total=99999999999999999999",
          "total=4\n", "some avg10=1 total=18446744073709551615"})
        EXPECT_FALSE(pressure_in(text).some_ns) << text;
}

TEST(StealIn, IsTheEighthNumberOfAllCpus) {
    constexpr std::uint64_t kTick = 10'000'000;
    const char* text =
        "cpu  10132153 290696 3084719 46828483 16683 0 25195 175 0 0\n"
        "cpu0 1393280 32966 572056 13343292 6130 0 17875 17 0 0\n";
    EXPECT_EQ(steal_in(text, kTick), 1'750'000'000U);
    EXPECT_FALSE(steal_in("cpu0 1 2 3 4 5 6 7 8\n", kTick));
    EXPECT_FALSE(steal_in("cpu  1 2 3 4 5 6 7\n", kTick)) << "before 2.6.11";
    EXPECT_FALSE(steal_in("cpu  1 2 3 4 5 6 7 99999999999999999999\n", kTick));
    EXPECT_FALSE(steal_in("", kTick));
}

TEST(CpuStatIn, OfBothVersions) {
    const auto v1 = cpu_stat_in("nr_periods 20\nnr_throttled 19\nthrottled_time 1690419460\n");
    ASSERT_TRUE(v1);
    EXPECT_EQ(v1->periods, 20U);
    EXPECT_EQ(v1->throttled_periods, 19U);
    EXPECT_EQ(v1->throttled_ns, 1'690'419'460U);
    const auto v2 = cpu_stat_in(
        "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 4\nnr_throttled 3\nthrottled_usec 250\n");
    ASSERT_TRUE(v2);
    EXPECT_EQ(v2->throttled_ns, 250'000U);
    EXPECT_FALSE(cpu_stat_in("usage_usec 5\nuser_usec 3\nsystem_usec 2\n")) << "without the controller";
    EXPECT_FALSE(cpu_stat_in("nr_periods x\nnr_throttled 3\nthrottled_usec 250\n"));
    EXPECT_FALSE(cpu_stat_in(""));
}

TEST(AddThrottling, CountsTheDifferenceAndBelievesNoResets) {
    model::Window window;
    const std::vector<CgroupTime> before{{"/a", 10, 5, 500}, {"/b", 10, 5, 500}, {"/c", 7, 0, 0}};
    const std::vector<CgroupTime> after{
        {"/a", 30, 24, 2500}, {"/b", 2, 1, 100}, {"/c", 7, 0, 0}, {"/d", 9, 9, 9}};
    add_throttling(before, after, window);
    ASSERT_EQ(window.throttled.size(), 1U) << "made anew, without a quota, or not there at the beginning";
    EXPECT_EQ(window.throttled[0].cgroup, "/a");
    EXPECT_EQ(window.throttled[0].periods, 20U);
    EXPECT_EQ(window.throttled[0].throttled_periods, 19U);
    EXPECT_EQ(window.throttled[0].throttled_ns, 2000U);
}

TEST(AddMachineTime, WhatOneReadingLacksIsNotKnown) {
    model::Window window;
    MachineTime before;
    before.steal_ns = 5;
    before.cpu.some_ns = 100;
    before.io.some_ns = 100;
    MachineTime after;
    after.cpus = 2;
    after.cpu.some_ns = 130;
    after.io.some_ns = 90;
    add_machine_time(before, after, window);
    EXPECT_EQ(window.cpus, 2U);
    EXPECT_EQ(window.cpu.some_ns, 30U);
    EXPECT_FALSE(window.steal_ns);
    EXPECT_FALSE(window.io.some_ns) << "it went backwards";
    EXPECT_FALSE(window.memory.some_ns);
}

TEST(CpuCgroupOf, PrefersTheHierarchyThatHasTheController) {
    EXPECT_EQ(cpu_cgroup_of("4:memory:/m\n2:cpuacct:/x\n1:cpu:/a/b\n0::/u\n"), "/a/b");
    EXPECT_EQ(cpu_cgroup_of("3:cpu,cpuacct:/docker/1\n0::/\n"), "/docker/1");
    EXPECT_EQ(cpu_cgroup_of("1:name=systemd:/x\n0::/system.slice/orders.service\n"),
              "/system.slice/orders.service");
    EXPECT_EQ(cpu_cgroup_of("2:cpuset:/only\n"), std::nullopt);
    EXPECT_EQ(cpu_cgroup_of("0::/../../sibling\n"), std::nullopt) << "outside our cgroup namespace";
    EXPECT_EQ(cpu_cgroup_of("0::relative\n"), std::nullopt);
    EXPECT_EQ(cpu_cgroup_of("no colons"), std::nullopt);
}

TEST(CpuMountIn, FindsEitherVersion) {
    EXPECT_EQ(cpu_mount_in("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"), "/sys/fs/cgroup");
    EXPECT_EQ(cpu_mount_in("cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
                           "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n"
                           "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"),
              "/sys/fs/cgroup/cpu,cpuacct");
    EXPECT_EQ(cpu_mount_in("proc /proc proc rw 0 0\n"), std::nullopt);
}

}  // namespace
}  // namespace waitclose::system
