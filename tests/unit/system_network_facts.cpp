// SPDX-License-Identifier: BSD-2-Clause
// The texts of /proc about networks, files and tracers, whole and malformed.
#include <gtest/gtest.h>

#include "system/network_facts.h"
#include "system/tracer.h"

namespace waitclose::system {
namespace {

constexpr std::string_view kNetstat =
    "TcpExt: SyncookiesSent ListenOverflows ListenDrops\n"
    "TcpExt: 1 22 333\n"
    "IpExt: InNoRoutes ListenDrops\n"
    "IpExt: 5 6\n";

TEST(NetworkFacts, ACounterStandsBelowItsName) {
    EXPECT_EQ(netstat_counter(kNetstat, "TcpExt:", "ListenOverflows"), 22U);
    EXPECT_EQ(netstat_counter(kNetstat, "TcpExt:", "ListenDrops"), 333U);
    EXPECT_EQ(netstat_counter(kNetstat, "IpExt:", "ListenDrops"), 6U);
    EXPECT_FALSE(netstat_counter(kNetstat, "TcpExt:", "InNoRoutes"));
    EXPECT_FALSE(netstat_counter("", "TcpExt:", "ListenDrops"));
    EXPECT_FALSE(netstat_counter("TcpExt: A B\n", "TcpExt:", "B"));
    EXPECT_FALSE(netstat_counter("TcpExt: A B\nTcpExt: 1\n", "TcpExt:", "B"));
    EXPECT_FALSE(netstat_counter("TcpExt: A B\nTcpExt: 1 x\n", "TcpExt:", "B"));
}

TEST(NetworkFacts, SocketsInTimeWait) {
    constexpr std::string_view text =
        "sockets: used 290\nTCP: inuse 37 orphan 0 tw 11737 alloc 60 mem 3\nUDP: inuse 4 mem 2\n";
    EXPECT_EQ(sockstat_number(text, "TCP:", "tw"), 11737U);
    EXPECT_EQ(sockstat_number(text, "UDP:", "mem"), 2U);
    EXPECT_FALSE(sockstat_number(text, "UDP:", "tw"));
    EXPECT_FALSE(sockstat_number("TCP: tw", "TCP:", "tw"));
}

TEST(NetworkFacts, TheFileTable) {
    const auto table = file_table_in("1184\t0\t9223372036854775807\n");
    ASSERT_TRUE(table);
    EXPECT_EQ(table->used, 1184U);
    EXPECT_EQ(table->limit, 9223372036854775807U);
    EXPECT_FALSE(file_table_in("1184\t0\n"));
    EXPECT_FALSE(file_table_in("1184\t0\t0\n"));
    EXPECT_FALSE(file_table_in("a b c"));
}

TEST(NetworkFacts, AreReadHere) {
    const auto facts = network_facts_here();
    EXPECT_TRUE(facts.somaxconn);
    EXPECT_TRUE(facts.time_wait);
}

TEST(Tracer, LinesOfAStatusFile) {
    constexpr std::string_view text = "Name:\tsh\\nTgid:\t1\nTgid:\t991\nTracerPid:\t0\n";
    EXPECT_EQ(status_value(text, "Tgid:"), "991");
    EXPECT_EQ(status_value(text, "TracerPid:"), "0");
    EXPECT_EQ(status_value(text, "Umask:"), "");
}

}  // namespace
}  // namespace waitclose::system
