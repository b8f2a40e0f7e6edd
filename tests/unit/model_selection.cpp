// SPDX-License-Identifier: BSD-2-Clause
#include "model/selection.h"

#include <gtest/gtest.h>

namespace waitclose::model {
namespace {

/// Socket 0 is held by java (100), socket 1 by nginx (200), socket 2 waits in java's accept queue.
Census census() {
    Census all;
    all.taken_ns = 10'000;
    all.processes.resize(2);
    all.processes[0].pid = 100;
    all.processes[0].comm = "java";
    all.processes[0].cgroup = "/system.slice/orders.service";
    all.processes[1].pid = 200;
    all.processes[1].comm = "nginx";
    all.holders = {{0, 5, false}, {1, 6, false}, {0, 3, false}};
    all.sockets.resize(3);
    for (std::uint32_t i = 0; i < 2; ++i) {
        all.sockets[i].first_holder = i;
        all.sockets[i].holder_count = 1;
    }
    all.sockets[2].listener = 0;
    all.sockets[0].held_since_ns = 1'000;
    all.sockets[1].held_since_ns = 9'000;
    all.sockets[2].held_since_ns = 5'000;
    all.listeners.resize(1);
    all.listeners[0].first_holder = 2;
    all.listeners[0].holder_count = 1;
    return all;
}

using Wanted = std::vector<std::uint32_t>;

TEST(Selection, WithoutConditionsEverything) {
    EXPECT_EQ(select(census(), {}), (Wanted{0, 1, 2}));
}

TEST(Selection, ByPidIncludingTheListenersQueue) {
    Selection selection;
    selection.pids = {100};
    EXPECT_EQ(select(census(), selection), (Wanted{0, 2}));
    selection.pids = {999};
    EXPECT_EQ(select(census(), selection), Wanted{});
}

TEST(Selection, ByComm) {
    Selection selection;
    selection.comm = std::regex("^ng", std::regex::extended);
    EXPECT_EQ(select(census(), selection), Wanted{1});
}

TEST(Selection, ByCgroupIsByWholePathElements) {
    Selection selection;
    selection.cgroup = "/system.slice";
    EXPECT_EQ(select(census(), selection), (Wanted{0, 2}));
    selection.cgroup = "/system.slice/orders.service/";
    EXPECT_EQ(select(census(), selection), (Wanted{0, 2}));
    selection.cgroup = "/system.slice/orders";
    EXPECT_EQ(select(census(), selection), Wanted{});
    selection.cgroup = "/";
    EXPECT_EQ(select(census(), selection), (Wanted{0, 2}));
}

TEST(Selection, ByAge) {
    Selection selection;
    selection.min_held_ns = 5'000;
    EXPECT_EQ(select(census(), selection), (Wanted{0, 2}));
    selection.min_held_ns = 9'001;
    EXPECT_EQ(select(census(), selection), Wanted{});
}

TEST(Selection, WhatIsLeftOutCountsOnce) {
    Selection selection;
    selection.min_held_ns = 5'000;
    selection.pids = {999};
    Census all = census();
    all.states[TcpState::kCloseWait] = 5;
    LeftOut out = left_out(all, selection, true);
    EXPECT_EQ(out.by_address, 2U);
    EXPECT_EQ(out.by_age, 1U);
    EXPECT_EQ(out.by_holder, 2U);
    EXPECT_EQ(left_out(all, selection, false).by_address, 0U) << "they ended while they were counted";
    all.states.clear();
    EXPECT_EQ(left_out(all, {}, true).total(), 0U);
}

using Meant = std::set<std::uint32_t>;

TEST(Selection, MeansWhoHoldsOrListens) {
    Census all = census();
    all.processes.resize(3);  // one that a thread of another waits for
    EXPECT_EQ(processes_meant(all, {1}, {}), (Meant{0, 1})) << "java listens";
    Selection selection;
    selection.pids = {200};
    EXPECT_EQ(processes_meant(all, {1}, selection), Meant{1});
    EXPECT_EQ(listeners_meant(all, {1}, selection), Meant{});
    selection.pids = {100};
    EXPECT_EQ(processes_meant(all, {}, selection), Meant{0}) << "a listener is reason enough";
}

TEST(Selection, ListenersAreMeantByPortOrByTheirQueue) {
    Census all = census();
    all.listeners[0].local.port = 8080;
    Selection selection;
    selection.local_ports = {8080};
    EXPECT_EQ(listeners_meant(all, {}, selection), Meant{0});
    selection.local_ports = {9090};
    EXPECT_EQ(listeners_meant(all, {1}, selection), Meant{});
    EXPECT_EQ(processes_meant(all, {1}, selection), Meant{1});
    selection.by_remote_port = true;
    EXPECT_EQ(listeners_meant(all, {2}, selection), Meant{0});
}

}  // namespace
}  // namespace waitclose::model
