// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include "kernel/readings.h"

namespace waitclose::kernel {
namespace {

wc_census_watch watch(std::uint32_t kind) {
    wc_census_watch record{};
    record.kind = kind;
    record.fd = 57;
    record.epoll = 0x1000;
    record.events = EPOLLIN | EPOLLET;
    record.ready = 1;
    return record;
}

wc_census_carrier carrier(std::uint32_t kind, std::uint32_t pid, std::uint32_t fd, std::uint64_t object = 0,
                          std::uint64_t inode = 0) {
    wc_census_carrier record{};
    record.kind = kind;
    record.tgid = pid;
    record.leader_start_ns = pid + 1;
    record.fd = fd;
    record.object = object;
    record.inode = inode;
    std::memset(record.comm, 'c', sizeof record.comm);  // not terminated
    return record;
}

TEST(AddWatch, KeepsWhatIsKnown) {
    model::Socket socket;
    socket.watching = model::Watching::kSome;
    add_watch(socket, watch(WC_WATCH_EPOLL));
    add_watch(socket, watch(WC_WATCH_RING));
    ASSERT_TRUE(socket.watches);
    ASSERT_EQ(socket.watches->size(), 2U);
    EXPECT_EQ((*socket.watches)[0].fd, 57);
    EXPECT_TRUE((*socket.watches)[0].ready);
    EXPECT_TRUE(is_edge_triggered((*socket.watches)[0]));
    EXPECT_EQ((*socket.watches)[1].fd, -1);
    EXPECT_EQ((*socket.watches)[1].kind, model::WatchKind::kRing);
    EXPECT_EQ(socket.watching, model::Watching::kSome);
}

TEST(AddWatch, ACutMeansThatNotAllIsKnown) {
    model::Socket socket;
    socket.watching = model::Watching::kSome;
    add_watch(socket, watch(WC_WATCH_EPOLL));
    add_watch(socket, watch(WC_WATCH_CUT));
    EXPECT_EQ(socket.watches->size(), 1U);
    EXPECT_EQ(socket.watching, model::Watching::kUnknown);
}

TEST(Carriers, AreJoinedByIdentity) {
    Readings readings;
    readings.sockets.resize(2);
    readings.socket_places = {{0x10, 5}, {0x20, 6}};
    readings.queued_at = {0, 0};
    readings.sockets[0].has_file = readings.sockets[1].has_file = true;
    add_watch(readings.sockets[0], watch(WC_WATCH_EPOLL));
    wc_census_descriptor held{};
    held.socket_address = 0x10;
    held.inode = 5;
    held.tgid = 100;
    held.leader_start_ns = 101;
    readings.descriptors = {held};
    readings.carriers = {
        carrier(WC_CARRIER_EPOLL, 100, 4, 0x1000),      carrier(WC_CARRIER_EPOLL, 100, 9, 0x9000),
        carrier(WC_CARRIER_HELD_BACK, 100, 8),          carrier(WC_CARRIER_HELD_BACK, 300, 8),
        carrier(WC_CARRIER_MESSAGE, 200, 3, 0x20, 6),   carrier(WC_CARRIER_MESSAGE, 200, 3, 0x20, 7),
        carrier(WC_CARRIER_MESSAGE, 200, 3, 0x9999, 6), carrier(WC_CARRIER_RING, 200, 5)};
    const model::Census census = join(std::move(readings));
    ASSERT_EQ(census.epolls.size(), 1U);
    EXPECT_EQ(census.epolls[0].fd, 4);
    EXPECT_EQ(census.epolls[0].comm, std::string(16, 'c'));
    ASSERT_EQ(census.processes.size(), 1U);
    EXPECT_EQ(census.processes[0].held_back_fd, 8);
    EXPECT_FALSE(census.sockets[0].in_flight);
    ASSERT_TRUE(census.sockets[1].in_flight);
    ASSERT_EQ(census.sockets[1].in_flight->size(), 1U);  // a later file at the same address is another
    EXPECT_EQ(census.sockets[1].in_flight->front().pid, 200U);
}

TEST(Carriers, OfALaterProcessWithTheSameIdSayNothing) {
    Readings readings;
    wc_census_descriptor held{};
    held.tgid = 100;
    held.leader_start_ns = 1;
    readings.descriptors = {held};
    readings.carriers = {carrier(WC_CARRIER_HELD_BACK, 100, 8)};
    EXPECT_FALSE(join(std::move(readings)).processes[0].held_back_fd);
}

TEST(Watch, ToldByItsEvents) {
    model::Watch one;
    one.kind = model::WatchKind::kEpoll;
    EXPECT_TRUE(is_disarmed(one));
    EXPECT_EQ(events_text(one), "nothing");
    one.events = EPOLLERR | EPOLLHUP;
    EXPECT_FALSE(is_disarmed(one));
    EXPECT_FALSE(tells_of_fin(one));
    one.events = EPOLLRDHUP | EPOLLONESHOT;
    EXPECT_TRUE(tells_of_fin(one));
    EXPECT_EQ(events_text(one), "EPOLLRDHUP|EPOLLONESHOT");
    one.kind = model::WatchKind::kPoll;
    one.events = 0;
    EXPECT_FALSE(is_disarmed(one));
}

}  // namespace
}  // namespace waitclose::kernel
