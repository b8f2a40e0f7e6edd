// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include "system/ring_files.h"

namespace waitclose::system {
namespace {

using Inodes = std::vector<std::uint64_t>;

TEST(RegisteredSockets, AreThoseOfTheListOfFiles) {
    EXPECT_EQ(
        registered_sockets("pos:\t0\nino:\t77\nUserFiles:\t3\n    1: socket:[90736733]\n    2: /dev/null\n"
                           "  103: socket:[5]\nUserBufs:\t0\nPollList:\n"),
        (Inodes{90736733, 5}));
    EXPECT_EQ(registered_sockets("UserFiles:\t0\nUserBufs:\t0\n"), Inodes{});
    EXPECT_EQ(registered_sockets(""), Inodes{});
}

TEST(RegisteredSockets, AreNothingElseThatLooksLikeOne) {
    EXPECT_EQ(registered_sockets("UserFiles:\t2\n    1: /tmp/x: socket:[5]\n    2: /socket:[6]\n"), Inodes{});
    EXPECT_EQ(registered_sockets("UserFiles:\t1\nUserBufs:\t1\n    1: socket:[5]\n"), Inodes{});
    EXPECT_EQ(registered_sockets("    1: socket:[5]\n"), Inodes{});
    EXPECT_EQ(registered_sockets("UserFiles:\t3\n    1: socket:[x]\n    2: socket:[]\n    3: socket:[5\n"),
              Inodes{});
    EXPECT_EQ(registered_sockets("UserFiles:\t1\n    1: socket:[99999999999999999999999]"), Inodes{});
}

TEST(FindRegistered, LeavesSocketsAloneThatSomebodyHolds) {
    model::Census census;
    census.sockets.resize(2);
    census.sockets[0].inode = 5;
    census.sockets[0].holder_count = 1;
    const std::vector<model::InFlight> gone{{model::InFlight::Where::kMessage, 1, 4'000'000, 3, "gone"}};
    find_registered(census, gone);
    census.sockets[1].inode = 6;  // and nobody holds it; but the ring's process has exited
    find_registered(census, gone);
    EXPECT_FALSE(census.sockets[0].in_flight);
    EXPECT_FALSE(census.sockets[1].in_flight);
}

}  // namespace
}  // namespace waitclose::system
