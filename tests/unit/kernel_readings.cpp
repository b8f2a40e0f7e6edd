// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/readings.h"

#include <cstring>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/iterator.h"
#include "kernel/records.h"

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kTick = 4'000'000;

TEST(TickClock, NeverClaimsMoreThanIsCertain) {
    // The counter was 0 at 1 s; it reads 100 now, 401 ms later; the stamp is 10 ticks old.
    const TickClock clock(1'000'000'000, kTick);
    const std::uint64_t now = 1'000'000'000 + 100 * kTick + 1'000'000;
    const std::uint64_t end_of_tick = 1'000'000'000 + 91 * kTick;
    EXPECT_EQ(clock.latest(90, 100, now), end_of_tick + kLateTickNs);
}

// Where ticks begin each census learns anew, late by up to a tick: no bound shrinks by more from one to the
// next.
TEST(TickClock, TheBoundsOfTwoCensusesDifferByATickAtMost) {
    const std::int64_t begin = 1'000'000'000;
    const std::uint64_t now = 1'000'000'000 + 1000 * kTick;
    const std::uint64_t first = TickClock(begin, kTick).latest(90, 1000, now);
    const std::uint64_t second = TickClock(begin + kTick - 1, kTick).latest(90, 1250, now + 250 * kTick);
    EXPECT_LT(second - first, kTick);
    EXPECT_LT(second - first, kLateTickNs) << "what README says is left for ticks";
}

TEST(TickClock, NeverLiesInTheFuture) {
    const TickClock clock(0, kTick);
    EXPECT_EQ(clock.latest(100, 100, 100 * kTick + 5), 100 * kTick + 5);
}

TEST(TickClock, SurvivesTheWrapOfTheStamp) {
    const std::uint64_t jiffies = (1ULL << 32) + 5;
    const TickClock clock(0, kTick);
    EXPECT_EQ(clock.latest(0xfffffffeU, jiffies, jiffies * kTick), (jiffies - 6) * kTick + kLateTickNs);
}

TEST(TickClock, SurvivesACounterThatBeganBeforeBoot) {
    // jiffies begins at 2^32 - 300 s, so the phase is far below zero.
    const std::uint64_t jiffies = (1ULL << 32) - 300 * 250 + 1000;
    const std::int64_t phase = 4'000'000'000 - static_cast<std::int64_t>(jiffies * kTick);
    const TickClock clock(phase, kTick);
    EXPECT_EQ(clock.latest(static_cast<std::uint32_t>(jiffies - 250), jiffies, 4'000'000'000),
              4'000'000'000 - 249 * kTick + kLateTickNs);
}

wc_census_socket record() {
    wc_census_socket one{};
    one.taken_ns = 1'000'000'000'000;
    one.jiffies = one.taken_ns / kTick;
    one.segment_jiffies = one.data_jiffies = one.sent_jiffies = static_cast<wc_u32>(one.jiffies - 250);
    one.socket.family = 2;
    one.socket.state = 8;
    one.inode = 77;
    return one;
}

TEST(SocketOf, TheFinCountsAsOneUnreadByte) {
    const TickClock clock(0, kTick);
    wc_census_socket one = record();
    one.unread = 0;
    EXPECT_TRUE(socket_of(one, clock).fin_consumed);
    one.unread = 1;
    EXPECT_FALSE(socket_of(one, clock).fin_consumed);
    EXPECT_EQ(socket_of(one, clock).unread_bytes, 0U);
    one.unread = 13;
    EXPECT_EQ(socket_of(one, clock).unread_bytes, 12U);
}

TEST(SocketOf, ABareFinIsNoData) {
    const TickClock clock(0, kTick);
    wc_census_socket one = record();
    one.bytes_received = 1;
    EXPECT_FALSE(socket_of(one, clock).received_data);
    EXPECT_EQ(socket_of(one, clock).last_data_ns, 0U);
    one.bytes_received = 2;
    EXPECT_TRUE(socket_of(one, clock).received_data);
}

TEST(RoleOf, TheAcknowledgedSynTellsWhoOpened) {
    wc_census_socket one = record();
    one.bytes_sent = one.bytes_acked = 500;
    EXPECT_EQ(role_of(one), model::Role::kServer);
    one.bytes_acked = 501;
    EXPECT_EQ(role_of(one), model::Role::kClient);
    one.bytes_retransmitted = 100;
    one.bytes_acked = 401;
    EXPECT_EQ(role_of(one), model::Role::kClient);
    one.in_flight = 50;
    one.bytes_acked = 350;
    EXPECT_EQ(role_of(one), model::Role::kServer);
    one.bytes_acked = 9999;
    EXPECT_EQ(role_of(one), model::Role::kUnknown);
}

TEST(Records, AnActorWithoutIdsIsNobody) {
    wc_actor nobody{};
    EXPECT_FALSE(actor_of(nobody));
    nobody.tgid = 5;
    EXPECT_FALSE(actor_of(nobody));
    nobody.tid = 6;
    ASSERT_TRUE(actor_of(nobody));
    EXPECT_EQ(actor_of(nobody)->tid, 6U);
}

TEST(Records, ADeedWithoutATimeDidNotHappen) {
    wc_deed deed{};
    deed.actor.tgid = deed.actor.tid = 5;
    EXPECT_FALSE(deed_of(deed, WC_OPERATION_READ));
    deed.at_ns = 1;
    EXPECT_TRUE(deed_of(deed, WC_OPERATION_READ));
}

wc_census_descriptor descriptor(std::uint32_t pid, std::uint64_t start, std::uint32_t fd, SocketPlace place) {
    wc_census_descriptor one{};
    one.tgid = pid;
    one.leader_start_ns = start;
    one.fd = fd;
    one.socket_address = place.address;
    one.inode = place.inode;
    return one;
}

wc_census_thread thread(std::uint32_t pid, std::uint64_t start, std::uint32_t tid, const char* comm) {
    wc_census_thread one{};
    one.actor.tgid = pid;
    one.actor.tid = tid;
    one.actor.start_ns = start;
    one.leader_start_ns = start;
    one.state = 1;
    std::strncpy(one.actor.comm, comm, sizeof(one.actor.comm) - 1);
    return one;
}

TEST(ThreadOf, TheStackOfASleeperEndsAtItsFirstZero) {
    wc_census_thread record = thread(7, 1, 7, "t");
    record.stack[0] = 0xffffffff81001010;
    record.stack[1] = 0xffffffff81002010;
    EXPECT_EQ(thread_of(record, 0).kernel_addresses,
              (std::vector<std::uint64_t>{0xffffffff81001010, 0xffffffff81002010}));
    std::fill(std::begin(record.stack), std::end(record.stack), 0xffffffff81001010);
    EXPECT_EQ(thread_of(record, 0).kernel_addresses.size(), std::size_t{WC_STACK_DEPTH});
    record.state = 0;
    EXPECT_TRUE(thread_of(record, 0).kernel_addresses.empty()) << "what runs has left it already";
}

#ifdef SYS_poll
wc_census_thread polling(model::TcpState state, std::uint64_t acked_unsent) {
    wc_census_thread record = thread(7, 1, 7, "t");
    record.has_registers = 1;
    record.syscall = SYS_poll;
    record.polled = {.timeout_ns = WC_NO_TIMEOUT, .fd = 9, .known = 1, .writes = 0, .reserved = {}};
    record.file_inode = 77;
    record.file_mode = S_IFSOCK;
    record.file_socket.address = 0x1000;
    record.file_socket.remote_port = 443;
    record.file_socket.state = static_cast<wc_u8>(state);
    record.acked_unsent = acked_unsent;
    return record;
}

TEST(ThreadOf, OnlyAConnectionThatThisSideOpenedIsPolledForAnAnswer) {
    const auto polled = [](const wc_census_thread& record) {
        return thread_of(record, 0).polled.has_value();
    };
    EXPECT_TRUE(polled(polling(model::TcpState::kEstablished, 1)));
    EXPECT_TRUE(polled(polling(model::TcpState::kSynSent, 0))) << "a connect() under way";
    EXPECT_FALSE(polled(polling(model::TcpState::kEstablished, 0))) << "accepted";
    EXPECT_FALSE(polled(polling(model::TcpState::kCloseWait, 1))) << "maybe the held one itself";
    wc_census_thread listener = polling(model::TcpState::kListen, 1);
    listener.file_socket.remote_port = 0;
    EXPECT_FALSE(polled(listener));
    wc_census_thread several = polling(model::TcpState::kEstablished, 1);
    several.polled = {};
    EXPECT_FALSE(polled(several));
    EXPECT_FALSE(thread_of(several, 0).file);
}
#endif

Readings with_socket(SocketPlace place) {
    Readings readings;
    readings.sockets.emplace_back();
    readings.sockets.back().has_file = place.inode != 0;
    readings.socket_places.push_back(place);
    readings.queued_at.push_back(0);
    return readings;
}

TEST(Join, NamesEveryHolder) {
    Readings readings = with_socket({0x10, 5});
    readings.descriptors = {descriptor(100, 1, 7, {0x10, 5}), descriptor(200, 2, 9, {0x10, 5}),
                            descriptor(200, 2, 11, {0x99, 6})};
    readings.threads = {thread(100, 1, 100, "parent"), thread(200, 2, 200, "child")};
    const model::Census census = join(std::move(readings));
    const auto holders = census.holders_of(census.sockets[0]);
    ASSERT_EQ(holders.size(), 2U);
    EXPECT_EQ(census.process_of(holders[0]).comm, "parent");
    EXPECT_EQ(census.process_of(holders[1]).comm, "child");
    EXPECT_EQ(holders[1].fd, 9);
}

TEST(Join, SaysWhetherThreadsHaveEnded) {
    const auto told = [](wc_u8 first, wc_u8 second) {
        Readings readings = with_socket({0x10, 5});
        readings.descriptors = {descriptor(100, 1, 7, {0x10, 5})};
        readings.threads = {thread(100, 1, 100, "main"), thread(100, 1, 101, "worker")};
        readings.threads[0].ended = first;
        readings.threads[1].ended = second;
        return join(std::move(readings)).processes[0].threads_ended;
    };
    EXPECT_EQ(told(WC_ENDED_UNKNOWN, WC_ENDED_UNKNOWN), std::nullopt);
    EXPECT_EQ(told(WC_ENDED_NONE, WC_ENDED_NONE), false);
    EXPECT_EQ(told(WC_ENDED_NONE, WC_ENDED_SOME), true) << "one ended between the two looks";
    EXPECT_EQ(told(WC_ENDED_SOME, WC_ENDED_NONE), true);
}

TEST(Join, AReusedAddressIsNotTheSameSocket) {
    Readings readings = with_socket({0x10, 5});
    readings.descriptors = {descriptor(100, 1, 7, {0x10, 6})};
    EXPECT_EQ(join(std::move(readings)).sockets[0].holder_count, 0U);
}

TEST(Join, AReusedPidIsNotTheSameProcess) {
    Readings readings = with_socket({0x10, 5});
    readings.descriptors = {descriptor(100, 1, 7, {0x10, 5})};
    readings.threads = {thread(100, 999, 100, "somebody else")};
    const model::Census census = join(std::move(readings));
    EXPECT_EQ(census.processes[0].thread_count, 0U);
    EXPECT_EQ(census.processes[0].comm, "");
}

TEST(Join, TheDescriptorsOfAProcessWhoseLeaderIsGoneCountOnce) {
    Readings readings = with_socket({0x10, 5});
    readings.descriptors = {descriptor(100, 1, 7, {0x10, 5}), descriptor(100, 1, 8, {0x10, 5}),
                            descriptor(100, 1, 7, {0x10, 5}), descriptor(100, 1, 8, {0x10, 5})};
    EXPECT_EQ(join(std::move(readings)).sockets[0].holder_count, 2U);
}

model::Socket listener(std::uint16_t port, std::uint8_t last_byte) {
    model::Socket one;
    one.state = model::TcpState::kListen;
    one.local.port = port;
    one.local.address[3] = last_byte;
    return one;
}

TEST(Join, AnUnacceptedSocketFindsTheListenerTheKernelNamed) {
    Readings readings = with_socket({0x10, 0});
    readings.sockets[0].local.port = 80;
    readings.queued_at[0] = 0x30;
    readings.listeners.push_back(listener(80, 0));
    readings.listeners.push_back(listener(80, 0));
    readings.listener_places = {{0x20, 1}, {0x30, 2}};
    EXPECT_EQ(join(std::move(readings)).sockets[0].listener, 1);
}

TEST(Join, WithoutThatOnlyASingleFittingListenerIsBelieved) {
    const auto listener_found = [](std::initializer_list<std::uint8_t> addresses) {
        Readings readings = with_socket({0x10, 0});
        readings.sockets[0].local.port = 80;
        readings.sockets[0].local.address[3] = 1;
        for (const std::uint8_t last_byte : addresses) {
            readings.listeners.push_back(listener(80, last_byte));
            readings.listener_places.push_back({0x20, 1});
        }
        return join(std::move(readings)).sockets[0].listener;
    };
    EXPECT_EQ(listener_found({0}), 0);
    EXPECT_EQ(listener_found({2, 1}), 1);
    EXPECT_EQ(listener_found({0, 0}), model::kNone);
    EXPECT_EQ(listener_found({2}), model::kNone);
}

TEST(Join, FindsTheOtherEndByItsMirroredAddresses) {
    Readings readings = with_socket({0x10, 5});
    readings.sockets[0].local.port = 80;
    readings.sockets[0].remote.port = 5000;
    model::Socket peer;
    peer.local.port = 5000;
    peer.remote.port = 80;
    readings.peers.push_back(std::move(peer));
    readings.peer_places = {{0x40, 9}};
    readings.descriptors = {descriptor(100, 1, 7, {0x10, 5}), descriptor(300, 3, 4, {0x40, 9})};
    const model::Census census = join(std::move(readings));
    ASSERT_NE(census.sockets[0].peer_holder, model::kNone);
    const auto& holder = census.holders[static_cast<std::size_t>(census.sockets[0].peer_holder)];
    EXPECT_EQ(census.process_of(holder).pid, 300U);
}

std::size_t split(std::vector<std::uint64_t>& words, std::vector<std::uint32_t>& sizes) {
    return split_records(std::as_bytes(std::span(words)),
                         [&](const wc_header& header) { sizes.push_back(header.size); });
}

TEST(SplitRecords, GivesWholeRecordsAndKeepsTheRest) {
    const auto header = [](std::uint64_t size) { return size << 32 | WC_KIND_CENSUS_SOCKET; };
    std::vector<std::uint64_t> words{header(16), 0, header(8), header(24), 0};
    std::vector<std::uint32_t> sizes;
    EXPECT_EQ(split(words, sizes), 24U);
    EXPECT_EQ(sizes, (std::vector<std::uint32_t>{16, 8}));
}

TEST(SplitRecords, EndsAtASizeThatCannotBe) {
    for (const std::uint64_t size : {0ULL, 4ULL, 13ULL}) {
        std::vector<std::uint64_t> words{size << 32, 1, 2};
        std::vector<std::uint32_t> sizes;
        EXPECT_EQ(split(words, sizes), 24U) << size;
        EXPECT_TRUE(sizes.empty());
    }
}

}  // namespace
}  // namespace waitclose::kernel
