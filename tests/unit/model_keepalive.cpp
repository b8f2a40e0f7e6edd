// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <limits>

#include "diagnose/diagnosis.h"
#include "diagnose_builder.h"
#include "kernel/readings.h"
#include "model/keepalive.h"

namespace waitclose::test {
namespace {

using model::reaping_of;

model::Socket kept_alive() {
    model::Socket socket;
    socket.keepalive = {true, 7200 * kSec, 75 * kSec, 9, 0, kFin, 0};
    return socket;
}

TEST(Keepalive, TheDefaults) {
    const auto reaping = reaping_of(kept_alive());
    ASSERT_TRUE(reaping);
    EXPECT_EQ(reaping->first_probe_ns, kFin + 7200 * kSec);
    EXPECT_EQ(reaping->gives_up_ns, kFin + 7200 * kSec + 9 * 75 * kSec);
    EXPECT_EQ(reaping->probes, 9U);
}

TEST(Keepalive, NotWhenOffOrUnknownOrDataIsUnderWay) {
    model::Socket socket = kept_alive();
    socket.keepalive.on = false;
    EXPECT_FALSE(reaping_of(socket));
    socket = kept_alive();
    socket.unsent_bytes = 1;
    EXPECT_FALSE(reaping_of(socket));
    for (const int missing : {0, 1, 2}) {
        socket = kept_alive();
        if (missing == 0) socket.keepalive.idle_ns.reset();
        if (missing == 1) socket.keepalive.interval_ns.reset();
        if (missing == 2) socket.keepalive.probes.reset();
        EXPECT_FALSE(reaping_of(socket)) << missing;
    }
}

TEST(Keepalive, TheUserTimeoutDecidesInstead) {
    model::Socket socket = kept_alive();
    socket.keepalive.user_timeout_ns = 7300 * kSec;
    EXPECT_EQ(reaping_of(socket)->probes, 2U) << "100 s after the first probe, looked at every 75 s";
    EXPECT_EQ(reaping_of(socket)->gives_up_ns, kFin + 7350 * kSec);
    socket.keepalive.user_timeout_ns = kSec;
    EXPECT_EQ(reaping_of(socket)->probes, 1U) << "one probe goes out in any case";
}

TEST(Keepalive, HostileSettings) {
    model::Socket socket = kept_alive();
    socket.keepalive.probes = 0;
    EXPECT_EQ(reaping_of(socket)->gives_up_ns, reaping_of(socket)->first_probe_ns);
    socket.keepalive.interval_ns = 0;
    socket.keepalive.user_timeout_ns = std::numeric_limits<std::uint64_t>::max();
    EXPECT_GT(reaping_of(socket)->gives_up_ns, 0U);
    socket.keepalive = {true, ~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint32_t{0}, 0, ~std::uint64_t{0},
                        0};
    EXPECT_EQ(reaping_of(socket)->gives_up_ns, 4'000'000'000'000'000'000U);
}

TEST(Keepalive, ZeroOfTheSocketIsTheNamespaces) {
    const kernel::TickClock clock(0, 4 * kMs);
    wc_census_socket record{};
    record.taken_ns = kTaken;
    record.jiffies = kTaken / (4 * kMs);
    record.segment_jiffies = static_cast<wc_u32>(record.jiffies - 500);
    record.data_jiffies = static_cast<wc_u32>(record.jiffies - 250);
    record.keepalive = 1;
    record.keepalive_time = 500;
    const model::Keepalive defaults{false, 7200 * kSec, 75 * kSec, 9, 0, 0, 0};
    const auto found = kernel::socket_of(record, clock, defaults).keepalive;
    EXPECT_TRUE(found.on);
    EXPECT_EQ(found.idle_ns, 2 * kSec);
    EXPECT_EQ(found.interval_ns, 75 * kSec);
    EXPECT_EQ(found.probes, 9U);
    EXPECT_EQ(found.heard_ns, clock.latest(record.data_jiffies, record.jiffies, record.taken_ns));
}

TEST(Keepalive, TheAdviceSaysWhatWillHappen) {
    Builder b;
    const auto p = b.process(10, {asleep(10, SYS_poll)});
    auto& socket = b.socket({{p}});
    socket.keepalive = kept_alive().keepalive;
    const std::string advice = b.diagnose().advice;
    EXPECT_NE(advice.find("the first probe goes out in 1 h 59 min"), std::string::npos) << advice;
    EXPECT_NE(advice.find("after 9 unanswered probes in 2 h 10 min"), std::string::npos) << advice;
    EXPECT_NE(advice.find("A peer that still has its end open answers"), std::string::npos) << advice;
    b.census.sockets[0].keepalive.unanswered = 3;
    EXPECT_NE(b.diagnose().advice.find("3 probes went unanswered"), std::string::npos);
    b.census.sockets[0].peer_holder = 0;
    EXPECT_NE(b.diagnose().advice.find("still held here, by p10 (pid 10)"), std::string::npos);
    b.census.sockets[0].unsent_bytes = 5;
    EXPECT_NE(b.diagnose().advice.find("retransmission"), std::string::npos);
}

}  // namespace
}  // namespace waitclose::test
