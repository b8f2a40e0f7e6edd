// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "diagnose/diagnoser.h"
#include "diagnose/peer_timeout.h"
#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::clusters_of;
using diagnose::silence_before_fin_ns;
using Silences = std::vector<std::uint64_t>;

/// `n` silences around `centre`, evenly within +-`jitter`.
Silences around(std::uint64_t centre, std::uint64_t jitter, std::size_t n) {
    Silences silences;
    for (std::size_t i = 0; i < n; ++i) silences.push_back(centre - jitter + 2 * jitter * i / n);
    return silences;
}

Silences operator+(Silences one, const Silences& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}

TEST(PeerTimeout, OneTimeoutThroughTicks) {
    const auto found = clusters_of(around(3 * kSec, 10 * kMs, 412));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].n, 412U);
    EXPECT_EQ(found[0].of, 412U);
    EXPECT_NEAR(static_cast<double>(found[0].centre_ns), 3e9, 1e7);
    EXPECT_NEAR(static_cast<double>(found[0].spread_ns), 1e7, 1e6);
    EXPECT_EQ(diagnose::rounded_text(found[0].centre_ns), "3.0 s");
}

TEST(PeerTimeout, CentreOnTheEdgeOfABin) {
    for (int bin = 215; bin < 300; ++bin) {
        const auto edge = static_cast<std::uint64_t>(std::exp2(bin / 8.0));
        EXPECT_EQ(clusters_of(around(edge, edge / 100, 20)).size(), 1U) << edge;
    }
}

TEST(PeerTimeout, TwoTimeouts) {
    const auto found = clusters_of(around(3 * kSec, 5 * kMs, 60) + around(60 * kSec, 5 * kMs, 40));
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].n, 60U);
    EXPECT_EQ(found[1].n, 40U);
    EXPECT_EQ(found[1].of, 100U);
}

TEST(PeerTimeout, OneAmongNoise) {
    const auto found = clusters_of(around(5 * kSec, 5 * kMs, 50) + around(50 * kSec, 49 * kSec, 50));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(static_cast<double>(found[0].centre_ns), 5e9, 1e7);
}

TEST(PeerTimeout, NoiseIsNone) {
    EXPECT_TRUE(clusters_of(around(10 * kSec, 10 * kSec - kMs, 500)).empty());
    EXPECT_TRUE(clusters_of(around(3 * kSec, 400 * kMs, 500)).empty()) << "uniform within three bins";
    std::mt19937_64 random(7);  // NOLINT: the same noise every time
    for (int round = 0; round < 200; ++round) {
        std::exponential_distribution<double> spread(1.0);
        Silences silences;
        for (int i = 0; i < 100; ++i) silences.push_back(static_cast<std::uint64_t>(2e9 * spread(random)));
        EXPECT_TRUE(clusters_of(silences).empty()) << round;
    }
}

TEST(PeerTimeout, TooFewOrTooSmallAShare) {
    EXPECT_TRUE(clusters_of(around(3 * kSec, kMs, 7)).empty());
    EXPECT_EQ(clusters_of(around(3 * kSec, kMs, 8)).size(), 1U);
    EXPECT_TRUE(clusters_of(around(3 * kSec, kMs, 10) + Silences(30, 0)).empty());
    EXPECT_TRUE(clusters_of({}).empty());
}

TEST(PeerTimeout, SendingAndClosingAtOnceIsNone) {
    EXPECT_TRUE(clusters_of(Silences(500, 0)).empty());
    EXPECT_TRUE(clusters_of(Silences(500, 99 * kMs)).empty());
    EXPECT_EQ(clusters_of(Silences(500, 100 * kMs)).size(), 1U);
}

TEST(PeerTimeout, HugeSilences) {
    EXPECT_EQ(clusters_of(Silences(10, ~std::uint64_t{0} >> 1)).size(), 1U);
}

constexpr std::uint64_t kMeasured = 3 * kSec + 12 * kMs;  // the stamp of the data reads that much later

class Silence : public testing::Test {
protected:
    Silence() { socket.last_data_ns = kFin - 3 * kSec; }

    Builder b;
    model::Socket& socket = b.socket({{b.process(10, {asleep(10, SYS_poll)})}});
};

TEST_F(Silence, FromTheLastDataToTheFin) {
    EXPECT_EQ(silence_before_fin_ns(socket), kMeasured);
    socket.last_sent_ns = kFin - 4 * kSec;
    EXPECT_EQ(silence_before_fin_ns(socket), kMeasured);
}

TEST_F(Silence, NobodyAskedAnything) {
    socket.last_data_ns = 0;
    EXPECT_FALSE(silence_before_fin_ns(socket));
}

TEST_F(Silence, AnsweredInBetween) {
    socket.last_sent_ns = kFin - kSec;
    EXPECT_FALSE(silence_before_fin_ns(socket));
    socket.last_sent_ns = socket.last_data_ns;
    EXPECT_FALSE(silence_before_fin_ns(socket)) << "a server may have answered within the tick";
    socket.role = model::Role::kClient;
    EXPECT_EQ(silence_before_fin_ns(socket), kMeasured) << "a client had its answer";
}

TEST_F(Silence, OnlyWhereTheTimeOfTheFinIsKnown) {
    socket.precision = model::Precision::kAtLeast;
    EXPECT_EQ(silence_before_fin_ns(socket), 3 * kSec) << "both are stamps";
    socket.keepalive.on = true;
    EXPECT_FALSE(silence_before_fin_ns(socket)) << "the stamp may be that of an answered probe";
    socket.keepalive.on = false;
    socket.unsent_bytes = 1;
    EXPECT_FALSE(silence_before_fin_ns(socket));
}

TEST_F(Silence, NeverNegative) {
    socket.last_data_ns = kFin + 13 * kMs;
    EXPECT_EQ(silence_before_fin_ns(socket), 0U);
}

TEST(PeerTimeouts, ContributeToTheHoldsOfTheirPort) {
    Builder b;
    const auto p = b.process(10, {asleep(10, SYS_poll)});
    for (int i = 0; i < 30; ++i) {
        auto& socket = b.socket({{p, 50 + i}});
        socket.last_data_ns = socket.held_since_ns - (i < 15 ? 3 * kSec : 0);
        socket.local.port = i < 15 ? 8080 : 9090;
    }
    diagnose::Diagnoser diagnoser(b.census);
    const auto timed_out = diagnoser.diagnose(b.census.sockets[3]);
    EXPECT_EQ(timed_out.contributing, std::vector<std::string>{"peer-timeout"});
    ASSERT_TRUE(fact(timed_out, "peer_timeout_ns"));
    EXPECT_EQ(std::get<std::int64_t>(fact(timed_out, "peer_timeout_ns")->value),
              static_cast<std::int64_t>(3 * kSec + 12 * kMs));
    EXPECT_TRUE(says(timed_out, "3.0 s (n = 15)"));
    EXPECT_TRUE(diagnoser.diagnose(b.census.sockets[20]).contributing.empty());
}

}  // namespace
}  // namespace waitclose::test
