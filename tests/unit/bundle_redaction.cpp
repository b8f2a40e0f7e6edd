// SPDX-License-Identifier: BSD-2-Clause
#include "bundle/redaction.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace waitclose::bundle {
namespace {

using model::Family;

model::Endpoint ipv4(const char* text, std::uint16_t port = 80) {
    model::Endpoint endpoint;
    endpoint.port = port;
    ::inet_pton(AF_INET, text, endpoint.address.data());
    return endpoint;
}

model::Endpoint ipv6(const char* text, std::uint16_t port = 80) {
    model::Endpoint endpoint;
    endpoint.port = port;
    ::inet_pton(AF_INET6, text, endpoint.address.data());
    return endpoint;
}

TEST(Redaction, TheSameAddressIsAlwaysTheSameAndOthersAreOthers) {
    Redaction redaction;
    const auto first = redaction.masked(Family::kIpv4, ipv4("10.1.2.3", 443));
    EXPECT_NE(first.address, ipv4("10.1.2.3").address);
    EXPECT_EQ(first.port, 443);
    EXPECT_EQ(redaction.masked(Family::kIpv4, ipv4("10.1.2.3", 5)).address, first.address);
    EXPECT_NE(redaction.masked(Family::kIpv4, ipv4("10.1.2.4")).address, first.address);
    EXPECT_EQ(first.address[0] & 0xf0, 0xf0);
    EXPECT_EQ(redaction.masked_count(), 2U);
}

TEST(Redaction, NoAddressAtAllStays) {
    Redaction redaction;
    EXPECT_EQ(redaction.masked(Family::kIpv4, ipv4("0.0.0.0")), ipv4("0.0.0.0"));
    EXPECT_EQ(redaction.masked(Family::kIpv6, ipv6("::")), ipv6("::"));
    EXPECT_EQ(redaction.masked_text("listens on 0.0.0.0:80"), "listens on 0.0.0.0:80");
    EXPECT_EQ(redaction.masked_count(), 0U);
}

TEST(Redaction, SixteenBytesBecomeDocumentation) {
    Redaction redaction;
    const auto masked = redaction.masked(Family::kIpv6, ipv6("fe80::1"));
    EXPECT_EQ(model::address_text(Family::kIpv6, masked), "2001:db8::1");
}

TEST(Redaction, TextAndSocketsAgree) {
    Redaction redaction;
    const auto masked = redaction.masked(Family::kIpv4, ipv4("10.1.2.3"));
    const std::string text = model::address_text(Family::kIpv4, masked);
    EXPECT_EQ(redaction.masked_text("10.1.2.3"), text);
    EXPECT_EQ(redaction.masked_text("10.1.2.3:5432"), text + ":5432");
    EXPECT_EQ(redaction.masked_text("worker-10.1.2.3"), "worker-" + text);
    EXPECT_EQ(redaction.masked_text("ends with 10.1.2.3."), "ends with " + text + ".");
    EXPECT_EQ(redaction.masked_text("/srv/10.1.2.3/a.log"), "/srv/" + text + "/a.log");
    EXPECT_EQ(redaction.masked_text("::ffff:10.1.2.3"), text);
    EXPECT_EQ(redaction.masked_count(), 1U);
}

TEST(Redaction, WhatItGaveOutStays) {
    Redaction redaction;
    const std::string once = redaction.masked_text("from 10.1.2.3 to [fd00::7]:443");
    EXPECT_EQ(once.find("10.1.2.3"), std::string::npos);
    EXPECT_EQ(once.find("fd00::7"), std::string::npos);
    EXPECT_EQ(redaction.masked_text(once), once);
}

TEST(Redaction, WhatIsNoAddressStays) {
    Redaction redaction;
    for (const char* text :
         {"", "6.18.44", "1.2.3.4.5x", "300.1.1.1", "v1.2.3.4", "12:34:56", "std::vector", "libc.so.6",
          "2026-11-22T00:10:00.123456789Z", "java 17.0.9", "a.b.c.d", "4026531840:73012", "...", "::"})
        EXPECT_EQ(redaction.masked_text(text), text);
}

TEST(Redaction, ACensusKeepsNone) {
    Redaction redaction;
    model::Census census;
    census.sockets.resize(1);
    census.sockets[0].local = ipv4("10.9.8.7", 8080);
    census.sockets[0].remote = ipv4("10.9.8.6", 5000);
    census.threads.resize(1);
    census.threads[0].comm = "to-10.9.8.7";
    census.threads[0].file.emplace();
    census.threads[0].file->remote = "10.9.8.6:5432";
    redaction.mask(census);
    EXPECT_EQ(census.sockets[0].remote.port, 5000);
    const auto remote = model::address_text(Family::kIpv4, census.sockets[0].remote);
    EXPECT_NE(remote, "10.9.8.6");
    EXPECT_EQ(census.threads[0].file->remote, remote + ":5432");
    EXPECT_EQ(census.threads[0].comm, "to-" + model::address_text(Family::kIpv4, census.sockets[0].local));
}

TEST(Redaction, NamesOfThreadsThatActedFitTheirPlace) {
    Redaction redaction;
    model::Actor actor;
    const std::string name = "10.19.18.17:443";
    std::copy(name.begin(), name.end(), actor.comm.begin());
    redaction.mask(actor);
    EXPECT_EQ(actor.comm_text().find("10.19"), std::string::npos);
    EXPECT_LE(actor.comm_text().size(), 15U);
}

}  // namespace
}  // namespace waitclose::bundle
