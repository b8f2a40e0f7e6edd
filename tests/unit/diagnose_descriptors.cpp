// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include "diagnose/descriptors.h"
#include "diagnose_builder.h"
#include "output/outlook.h"

namespace waitclose::test {
namespace {

using diagnose::FdOutlooks;

class Outlook : public testing::Test {
protected:
    Outlook() {
        b.census.processes[p].fds_used = 400;
        b.census.processes[p].fd_limit = 1000;
    }
    /// So many holds, the first so old, each younger by the step.
    void holds(int count, std::uint64_t oldest, std::uint64_t step) {
        for (int i = 0; i < count; ++i)
            b.socket({{p, 10 + i}}).held_since_ns = kTaken - oldest + static_cast<std::uint64_t>(i) * step;
    }
    void earlier(std::uint64_t holds, std::uint64_t before, std::optional<std::uint64_t> fds = {}) {
        b.census.earlier = model::EarlierLook{kTaken - before, {{{10, kBooted}, {holds, fds}}}};
    }
    diagnose::FdOutlook of() { return FdOutlooks(b.census).of(b.census.processes[p]); }

    Builder b;
    std::uint32_t p = b.process(10, {in_accept(10)});
};

TEST_F(Outlook, TwoLooksMeasureButForecastNothing) {
    holds(40, 20 * kSec, 0);
    earlier(20, 2 * kSec);
    const auto outlook = of();
    ASSERT_TRUE(outlook.holds_per_s);
    EXPECT_DOUBLE_EQ(*outlook.holds_per_s, 10);
    EXPECT_FALSE(outlook.full_in_ns) << "a burst between two looks is no habit";
    EXPECT_EQ(outlook.basis, "20 holds 2.0 s ago, 40 now");
    EXPECT_EQ(output::outlook_text(outlook),
              "400 of 1,000 descriptors open; holds grow by 10.0/s (20 holds 2.0 s ago, 40 now)");
}

TEST_F(Outlook, ABurstForecastsNothing) {
    holds(60, 30 * kSec, 10 * kMs);
    EXPECT_FALSE(of().holds_per_s);
    holds(3, 60 * kSec, 20 * kSec);
    EXPECT_FALSE(of().holds_per_s) << "three more in a minute are none either";
}

TEST_F(Outlook, ABurstIsLeftOutOfALastingLeak) {
    holds(60, 64 * kSec, kSec);
    holds(500, 30 * kSec, kMs);
    const auto outlook = of();
    ASSERT_TRUE(outlook.full_in_ns);
    EXPECT_NEAR(*outlook.holds_per_s, 1, 0.01);
    EXPECT_EQ(outlook.basis, "560 holds begun in the 1 min up to 5 s ago and still held");
}

TEST_F(Outlook, TheSlowerOfLooksAndAgesCounts) {
    holds(60, 64 * kSec, kSec);
    earlier(55, 10 * kSec);
    EXPECT_DOUBLE_EQ(*of().holds_per_s, 0.5) << "half of them replaced others";
    EXPECT_EQ(of().basis, "55 holds 10 s ago, 60 now");
    EXPECT_EQ(of().full_in_ns, 1'200 * kSec);
    earlier(10, 10 * kSec);
    EXPECT_DOUBLE_EQ(*of().holds_per_s, 1) << "the others came at once";
}

TEST_F(Outlook, OfAProcessThatHasHardlyLived) {
    b.census.processes[p].start_ns = kTaken - 14 * kSec;
    holds(16, 13 * kSec, 500 * kMs);
    EXPECT_FALSE(of().holds_per_s) << "nine seconds";
    b.census.processes[p].start_ns = kTaken - 16 * kSec;
    EXPECT_TRUE(of().full_in_ns);
}

TEST_F(Outlook, OfAges) {
    holds(60, 64 * kSec, kSec);  // one a second, until 5 s ago
    const auto outlook = of();
    ASSERT_TRUE(outlook.holds_per_s);
    EXPECT_DOUBLE_EQ(*outlook.holds_per_s, 1);
    EXPECT_EQ(outlook.full_in_ns, 600 * kSec);
    EXPECT_EQ(outlook.basis, "60 holds begun in the 1 min up to 5 s ago and still held");
}

TEST_F(Outlook, ASlowLeakTakesALongerSpan) {
    holds(10, 850 * kSec, 85 * kSec);
    const auto outlook = of();
    ASSERT_TRUE(outlook.holds_per_s);
    EXPECT_LT(*outlook.holds_per_s, 0.02);
}

TEST_F(Outlook, YoungHoldsAreAnyServices) {
    holds(500, 4 * kSec, kMs);
    EXPECT_FALSE(of().holds_per_s);
}

TEST_F(Outlook, FewHoldsAreNoGrowth) {
    holds(7, 64 * kSec, kSec);
    EXPECT_FALSE(of().holds_per_s);
}

// A reset ends the hold, and leaves the descriptor behind.
TEST_F(Outlook, WhatWasResetStillTakesADescriptor) {
    holds(60, 64 * kSec, kSec);
    earlier(60, 10 * kSec, 390);
    EXPECT_DOUBLE_EQ(*of().holds_per_s, 1) << "the table grew by one a second";
    EXPECT_EQ(of().full_in_ns, 600 * kSec);
    earlier(60, 10 * kSec, 395);
    EXPECT_FALSE(of().full_in_ns) << "others were closed";
    earlier(60, 10 * kSec, 500);
    EXPECT_FALSE(of().full_in_ns);
}

TEST_F(Outlook, AgesThatKeepaliveMadeYoungerDoNotCount) {
    holds(60, 64 * kSec, kSec);
    for (auto& socket : b.census.sockets) {
        socket.precision = model::Precision::kAtLeast;
        socket.keepalive.on = true;
    }
    EXPECT_FALSE(of().holds_per_s);
}

TEST_F(Outlook, TwoLooksThatSawNoneContradictAges) {
    holds(60, 64 * kSec, kSec);
    earlier(60, 10 * kSec);
    EXPECT_FALSE(of().holds_per_s) << "one a second would have shown within ten";
    earlier(60, kSec);
    EXPECT_TRUE(of().holds_per_s) << "within one second it need not";
}

TEST_F(Outlook, AnotherProcessHadThatPid) {
    holds(60, 20 * kSec, 0);
    b.census.earlier = model::EarlierLook{kTaken - kSec, {{{10, kBooted + 1}, {50}}}};
    EXPECT_EQ(of().basis, "0 holds 1.0 s ago, 60 now");
}

TEST_F(Outlook, HostileNumbers) {
    holds(60, 64 * kSec, kSec);
    b.census.processes[p].fd_limit = 0;
    EXPECT_EQ(of().full_in_ns, 0U);
    b.census.processes[p].fd_limit = ~std::uint64_t{0};
    EXPECT_FALSE(of().full_in_ns) << "longer than anybody plans";
    b.census.processes[p].fd_limit.reset();
    EXPECT_FALSE(of().full_in_ns);
    b.census.processes[p].fds_used.reset();
    EXPECT_TRUE(of().holds_per_s);
    earlier(0, 0);
    EXPECT_TRUE(of().holds_per_s) << "no time between the looks";
    b.census.processes[p].start_ns = kTaken + kSec;
    EXPECT_FALSE(of().holds_per_s) << "born after the census";
}

TEST_F(Outlook, TwoDescriptorsOfOneSocketAreOneHold) {
    b.socket({{p, 5}, {p, 6}});
    EXPECT_EQ(diagnose::look_of(b.census).holds.at({10, kBooted}).sockets, 1U);
}

}  // namespace
}  // namespace waitclose::test
