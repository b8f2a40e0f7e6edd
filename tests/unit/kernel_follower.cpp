// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/follower.h"

#include <cstring>

#include <sys/socket.h>

#include <gtest/gtest.h>

namespace waitclose::kernel {
namespace {

Connection end_at(std::uint8_t own, std::uint16_t own_port, std::uint8_t other, std::uint16_t other_port) {
    Connection made{};
    made.socket.family = AF_INET;
    made.socket.netns = 1;
    const wc_u8 local[4] = {10, 0, 0, own};
    const wc_u8 remote[4] = {10, 0, 0, other};
    std::memcpy(made.socket.local, local, sizeof local);
    std::memcpy(made.socket.remote, remote, sizeof remote);
    made.socket.local_port = own_port;
    made.socket.remote_port = other_port;
    return made;
}

/// Both at rest: all that was sent has arrived.
struct Pair {
    Connection asking = end_at(1, 40000, 2, 443);
    Connection answering = end_at(2, 443, 1, 40000);

    Pair() {
        asking.sequence = {1000, 1000, 5000, 0};
        answering.sequence = {5000, 5000, 1000, 0};
    }
    bool fit() const { return are_two_ends(asking, answering); }
};

TEST(AreTwoEnds, WhatOneSentTheOtherReceived) {
    EXPECT_TRUE(Pair().fit());
}

TEST(AreTwoEnds, DataOnItsWay) {
    Pair pair;
    pair.asking.sequence.sent = 1200;
    pair.answering.sequence.received = 1100;
    EXPECT_TRUE(pair.fit());
}

TEST(AreTwoEnds, SequenceNumbersWrap) {
    Pair pair;
    pair.asking.sequence.acknowledged = 0xffffff00U;
    pair.asking.sequence.sent = 0x100;
    pair.answering.sequence.received = 0x20;
    EXPECT_TRUE(pair.fit());
}

TEST(AreTwoEnds, TheSameAddressesElsewhereAreAnotherConnection) {
    Pair pair;
    pair.answering.socket.netns = 2;
    EXPECT_TRUE(pair.fit()) << "a veth pair";
    pair.answering.sequence.received = 1001;
    EXPECT_FALSE(pair.fit());
    pair.answering.sequence.received = 1000;
    pair.answering.sequence.acknowledged = pair.answering.sequence.sent = 5001;
    EXPECT_FALSE(pair.fit());
}

TEST(AreTwoEnds, NoConnectionLeavesALoopback) {
    Pair pair;
    for (auto* address : {pair.asking.socket.local, pair.asking.socket.remote, pair.answering.socket.local,
                          pair.answering.socket.remote})
        address[0] = 127;
    EXPECT_TRUE(pair.fit());
    pair.answering.socket.netns = 2;
    EXPECT_FALSE(pair.fit());
}

TEST(AreTwoEnds, AddressesAndPortsMirrorEachOther) {
    Pair pair;
    pair.answering.socket.remote[3] = 9;
    EXPECT_FALSE(pair.fit());
    pair = Pair();
    pair.answering.socket.remote_port = 40001;
    EXPECT_FALSE(pair.fit());
    pair = Pair();
    pair.answering.socket.family = AF_INET6;
    EXPECT_FALSE(pair.fit());
}

}  // namespace
}  // namespace waitclose::kernel
