// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>

#include "model/socket.h"

namespace waitclose::model {
namespace {

Endpoint ipv6(const char* text) {
    Endpoint endpoint;
    EXPECT_EQ(::inet_pton(AF_INET6, text, endpoint.address.data()), 1);
    return endpoint;
}

TEST(ModelNames, StatesAreSpelledAsInTheContract) {
    EXPECT_STREQ(name_of(TcpState::kCloseWait), "CLOSE_WAIT");
    EXPECT_STREQ(name_of(TcpState::kEstablished), "ESTABLISHED");
    EXPECT_STREQ(name_of(TcpState::kFinWait1), "FIN_WAIT1");
    EXPECT_STREQ(name_of(TcpState::kNewSynRecv), "NEW_SYN_RECV");
    EXPECT_STREQ(name_of(static_cast<TcpState>(0)), "UNKNOWN");
    EXPECT_STREQ(name_of(static_cast<TcpState>(99)), "UNKNOWN");
}

TEST(ModelNames, AddressesAreCanonical) {
    EXPECT_EQ(address_text(Family::kIpv4, {{10, 0, 0, 7}, 8080}), "10.0.0.7");
    EXPECT_EQ(address_text(Family::kIpv6, ipv6("2001:0db8::0:1")), "2001:db8::1");
    EXPECT_EQ(address_text(Family::kIpv6, ipv6("::ffff:10.0.0.7")), "::ffff:10.0.0.7");
    const char* longest = "1111:2222:3333:4444:5555:6666:7777:8888";
    EXPECT_EQ(address_text(Family::kIpv6, ipv6(longest)), longest);
}

TEST(ModelNames, AnyAddressIgnoresThePort) {
    EXPECT_TRUE(is_any_address({{}, 80}));
    EXPECT_FALSE(is_any_address(ipv6("::1")));
    EXPECT_FALSE(is_any_address({{10, 0, 0, 0}, 0}));
}

TEST(ModelNames, CommEndsAtItsNulOrFillsItsField) {
    Actor actor;
    EXPECT_EQ(actor.comm_text(), "");
    std::memcpy(actor.comm.data(), "java", 4);
    EXPECT_EQ(actor.comm_text(), "java");
    actor.comm.fill('x');
    EXPECT_EQ(actor.comm_text(), std::string(16, 'x'));
}

}  // namespace
}  // namespace waitclose::model
