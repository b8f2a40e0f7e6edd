// SPDX-License-Identifier: BSD-2-Clause
// Counts of accept() and accept queues, from the kernel side's records to the census.
#include <gtest/gtest.h>

#include "kernel/readings.h"

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kTick = 4'000'000;

AcceptRecord counted(std::uint64_t listener, std::uint64_t inode, std::uint32_t error) {
    AcceptRecord record{};
    record.key.listener = listener;
    record.key.inode = inode;
    record.key.start_ns = 700;
    record.key.tgid = 10;
    record.key.tid = 11;
    record.key.error = error;
    record.count = {.count = 5, .last_ns = 900};
    return record;
}

Readings two_listeners() {
    Readings readings;
    for (const std::uint64_t address : {0x20, 0x30}) {
        model::Socket listener;
        listener.state = model::TcpState::kListen;
        readings.listeners.push_back(std::move(listener));
        readings.listener_places.push_back({address, address + 1});
    }
    return readings;
}

TEST(JoinAccepts, FindTheirListener) {
    Readings readings = two_listeners();
    readings.accepts = {counted(0x30, 0x31, 24), counted(0x20, 0x21, 0)};
    const model::Census census = join(std::move(readings));
    ASSERT_EQ(census.accept.calls.size(), 2U);
    EXPECT_EQ(census.accept.calls[0].listener, 0);
    const model::AcceptCalls& failed = census.accept.calls[1];
    EXPECT_EQ(failed.listener, 1);
    EXPECT_EQ(failed.pid, 10U);
    EXPECT_EQ(failed.tid, 11U);
    EXPECT_EQ(failed.thread_start_ns, 700U);
    EXPECT_EQ(failed.error, 24U);
    EXPECT_EQ(failed.total, 5U);
    EXPECT_EQ(failed.last_ns, 900U);
    EXPECT_FALSE(failed.recent);
}

TEST(JoinAccepts, ThoseOfAnEarlierListenerAtTheSameAddressAreNobodys) {
    Readings readings = two_listeners();
    readings.accepts = {counted(0x30, 0x99, 24), counted(0x40, 0x41, 0)};
    EXPECT_TRUE(join(std::move(readings)).accept.calls.empty());
}

TEST(JoinAccepts, EveryListenerHasAQueue) {
    EXPECT_EQ(join(two_listeners()).accept.queues.size(), 2U);
}

TEST(QueueOf, TheFirstMemberWaitsAtLeastSoLong) {
    wc_census_queue record{};
    record.taken_ns = 1'000 * kTick;
    record.jiffies = 1'000;
    record.oldest_jiffies = 400;
    record.walked = 3;
    record.by_state[8] = 2;
    record.by_state[7] = 1;
    const TickClock clock(0, kTick);
    const model::AcceptQueue queue = queue_of(record, clock);
    EXPECT_EQ(queue.walked, 3U);
    EXPECT_EQ(queue.by_state[8], 2U);
    EXPECT_EQ(queue.by_state[7], 1U);
    EXPECT_EQ(queue.oldest_since_ns, 401 * kTick + kLateTickNs);
    record.walked = 0;
    EXPECT_FALSE(queue_of(record, clock).oldest_since_ns) << "nothing was walked: no stamp";
}

}  // namespace
}  // namespace waitclose::kernel
