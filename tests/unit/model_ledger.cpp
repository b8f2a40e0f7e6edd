// SPDX-License-Identifier: BSD-2-Clause
#include "model/ledger.h"

#include <gtest/gtest.h>

namespace waitclose::model {
namespace {

constexpr SocketKey kKey{1, 7};

Entered entered(std::uint64_t at_ns, SocketKey key = kKey) {
    Entered event;
    event.at_ns = at_ns;
    event.connection.key = key;
    return event;
}

Left left(std::uint64_t at_ns, SocketKey key = kKey) {
    Left event;
    event.at_ns = at_ns;
    event.key = key;
    return event;
}

Census census_of(std::uint64_t taken_ns, std::initializer_list<std::uint64_t> cookies) {
    Census census;
    census.taken_ns = taken_ns;
    for (const std::uint64_t cookie : cookies) {
        Socket socket;
        socket.netns = kKey.netns;
        socket.cookie = cookie;
        socket.held_since_ns = taken_ns - 5;
        census.sockets.push_back(std::move(socket));
    }
    return census;
}

std::vector<Closed> take(Ledger& ledger, Census& census) {
    ledger.begin_census(census.taken_ns);
    return ledger.reconcile(census);
}

TEST(Ledger, MeasuresAHoldFromEntryToExit) {
    Ledger ledger;
    ledger.apply(entered(100));
    EXPECT_EQ(ledger.open(), 1U);
    const auto closed = ledger.apply(left(350));
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->held_ns, 250U);
    EXPECT_EQ(closed->hold.precision, Precision::kExact);
    EXPECT_EQ(ledger.open(), 0U);
}

TEST(Ledger, CountsAnExitItNeverSawTheEntryOf) {
    Ledger ledger;
    EXPECT_FALSE(ledger.apply(left(10)));
    EXPECT_EQ(ledger.totals().closed, 1U);
}

TEST(Ledger, KeepsSocketsOfDifferentNamespacesApart) {
    Ledger ledger;
    ledger.apply(entered(100, {1, 7}));
    ledger.apply(entered(100, {2, 7}));
    EXPECT_EQ(ledger.open(), 2U);
    EXPECT_TRUE(ledger.apply(left(200, {2, 7})));
    EXPECT_NE(ledger.find({1, 7}), nullptr);
    EXPECT_EQ(ledger.find({2, 7}), nullptr);
}

TEST(Ledger, ASecondEntryReplacesTheFirst) {
    Ledger ledger;
    ledger.apply(entered(100));
    ledger.apply(entered(500));
    EXPECT_EQ(ledger.open(), 1U);
    EXPECT_EQ(ledger.apply(left(600))->held_ns, 100U);
}

TEST(Ledger, AnEventOutOfOrderGivesNoNegativeHold) {
    Ledger ledger;
    ledger.apply(entered(100));
    EXPECT_EQ(ledger.apply(left(90))->held_ns, 0U);
}

TEST(Ledger, TheFirstCensusFindsWhatIsOlderThanTheTracer) {
    Ledger ledger;
    Census census = census_of(1000, {7});
    EXPECT_TRUE(take(ledger, census).empty());
    EXPECT_EQ(census.sockets[0].precision, Precision::kAtLeast);
    EXPECT_EQ(ledger.open(), 1U);
    EXPECT_EQ(ledger.totals().reconciled, 0U);
    EXPECT_EQ(ledger.totals().already_open, 1U);
}

TEST(Ledger, RemembersWhatHadBeenReadToItsEndBefore) {
    Ledger ledger;
    Census first = census_of(1000, {7, 8});
    first.sockets[0].fin_consumed = true;
    take(ledger, first);
    Census second = census_of(2000, {7, 8});
    second.sockets[0].fin_consumed = second.sockets[1].fin_consumed = true;
    take(ledger, second);
    EXPECT_TRUE(second.sockets[0].consumed_before);
    EXPECT_FALSE(second.sockets[1].consumed_before);
}

TEST(Ledger, GivesTheCensusTheExactBegin) {
    Ledger ledger;
    ledger.apply(entered(400));
    Census census = census_of(1000, {7});
    take(ledger, census);
    EXPECT_EQ(census.sockets[0].held_since_ns, 400U);
    EXPECT_EQ(census.sockets[0].precision, Precision::kExact);
    EXPECT_EQ(census.held_ns(census.sockets[0]), 600U);
}

TEST(Ledger, ALaterCensusThatFindsAnUnknownHoldReportsAMissedEntry) {
    Ledger ledger;
    Census first = census_of(1000, {});
    take(ledger, first);
    Census second = census_of(2000, {7});
    take(ledger, second);
    EXPECT_EQ(ledger.totals().reconciled, 1U);
    EXPECT_EQ(second.sockets[0].precision, Precision::kAtLeast);
    EXPECT_EQ(ledger.open(), 1U);
}

TEST(Ledger, AHoldThatEndsDuringTheCensusIsNeitherReopenedNorShown) {
    Ledger ledger;
    ledger.apply(entered(100));
    Census census = census_of(1000, {7});
    ledger.begin_census(1000);
    ledger.apply(left(1010));
    EXPECT_TRUE(ledger.reconcile(census).empty());
    EXPECT_TRUE(census.sockets.empty());
    EXPECT_EQ(ledger.open(), 0U);
    EXPECT_EQ(ledger.totals().reconciled, 0U);
}

TEST(Ledger, AHoldThatTwoCensusesMissHasEnded) {
    Ledger ledger;
    ledger.apply(entered(100));
    Census seen = census_of(1000, {7});
    take(ledger, seen);
    Census once = census_of(2000, {});
    EXPECT_TRUE(take(ledger, once).empty());
    EXPECT_EQ(ledger.open(), 1U);
    Census twice = census_of(3000, {});
    const auto gone = take(ledger, twice);
    ASSERT_EQ(gone.size(), 1U);
    EXPECT_FALSE(gone[0].left);
    EXPECT_EQ(ledger.totals().reconciled, 1U);
    EXPECT_EQ(ledger.open(), 0U);
}

TEST(Ledger, AHoldSkippedOnceAndSeenAgainStaysOpen) {
    Ledger ledger;
    ledger.apply(entered(100));
    for (const bool seen : {true, false, true, false, true}) {
        Census census = seen ? census_of(2000, {7}) : census_of(2000, {});
        EXPECT_TRUE(take(ledger, census).empty());
    }
    EXPECT_EQ(ledger.open(), 1U);
    EXPECT_EQ(ledger.totals().reconciled, 0U);
}

TEST(Ledger, AHoldYoungerThanTheCensusIsNotMissing) {
    Ledger ledger;
    for (std::uint64_t round = 1; round <= 5; ++round) {
        ledger.begin_census(round * 1000);
        ledger.apply(entered(round * 1000 + 1));
        Census census = census_of(round * 1000, {});
        EXPECT_TRUE(ledger.reconcile(census).empty());
    }
}

TEST(Ledger, KnowsWhenAHoldComesOfAge) {
    Ledger ledger;
    ledger.apply(entered(100));
    EXPECT_FALSE(ledger.has_untold(199, 100));
    EXPECT_TRUE(ledger.has_untold(200, 100));
    ledger.find(kKey)->told = 9;
    EXPECT_FALSE(ledger.has_untold(200, 100));
}

TEST(Ledger, HoldsThatEndedOrWereReplacedAreNotWaitedFor) {
    Ledger ledger;
    ledger.apply(entered(100, {1, 1}));
    ledger.apply(entered(110, {1, 2}));
    ledger.apply(entered(900, {1, 2}));
    ledger.apply(left(120, {1, 1}));
    EXPECT_FALSE(ledger.has_untold(950, 100));
    EXPECT_TRUE(ledger.has_untold(1000, 100));
}

// A paused view asks for nothing, for hours.
TEST(Ledger, KeepsNoMoreBeginsThanThereAreHolds) {
    Ledger ledger;
    for (std::uint64_t i = 1; i <= 100'000; ++i) {
        ledger.apply(entered(i, {1, i}));
        if (i > 10) ledger.apply(left(i, {1, i}));
        if (i == 5) ledger.find({1, 5})->told = 1;
    }
    EXPECT_EQ(ledger.open(), 10U);
    EXPECT_LE(ledger.kept_begins(), 2'000U);
    EXPECT_TRUE(ledger.has_untold(100'001, 100'000)) << "the first one of all";
    for (std::uint64_t i = 1; i <= 9; ++i) ledger.find({1, i})->told = 1;
    EXPECT_TRUE(ledger.has_untold(100'001, 99'991)) << "the tenth";
    EXPECT_FALSE(ledger.has_untold(100'001, 99'992));
    ledger.find({1, 10})->told = 1;
    EXPECT_FALSE(ledger.has_untold(100'001, 0));
}

}  // namespace
}  // namespace waitclose::model
