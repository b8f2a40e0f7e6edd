// SPDX-License-Identifier: BSD-2-Clause
// The pace of a listener, and what its counters grew by lately.
#include <cerrno>

#include <gtest/gtest.h>

#include "model/accept_history.h"
#include "model/accept_pace.h"

namespace waitclose::model {
namespace {

constexpr std::uint64_t kSec = 1'000'000'000;

AcceptCalls calls(std::int32_t listener, std::uint32_t tid, std::uint32_t error, std::uint64_t total) {
    return {.listener = listener,
            .pid = 10,
            .tid = tid,
            .thread_start_ns = 5,
            .error = error,
            .total = total,
            .recent = std::nullopt,
            .last_ns = total};
}

AcceptSide side_with(std::vector<AcceptCalls> all) {
    AcceptSide side;
    side.counted = true;
    side.calls = std::move(all);
    sort_by_listener(side);
    return side;
}

TEST(AcceptPace, AddsTheThreadsOfOneListener) {
    AcceptSide side = side_with({calls(1, 11, 0, 4), calls(0, 11, 0, 100), calls(1, 12, 0, 2),
                                 calls(1, 12, EMFILE, 7), calls(1, 12, ENFILE, 3)});
    side.calls[1].recent = 4;
    const AcceptPace pace = pace_at(side, 1);
    EXPECT_EQ(pace.taken.total, 6U);
    EXPECT_EQ(pace.taken.recent, 4U);
    EXPECT_EQ(pace.taken.last_ns, 4U);
    EXPECT_EQ(pace.out_of_files().total, 10U);
    EXPECT_EQ(pace.out_of_files().last_ns, 7U);
    EXPECT_EQ(pace_at(side, 2).taken.total, 0U);
    EXPECT_EQ(pace_at(side, 1, 99).taken.total, 0U);
}

TEST(AcceptPace, IsUnknownWithoutAWindow) {
    AcceptSide side = side_with({calls(0, 11, 0, 4)});
    EXPECT_FALSE(accepts_per_second(side, pace_at(side, 0)));
    side.window_ns = 2 * kSec;
    EXPECT_EQ(accepts_per_second(side, pace_at(side, 0)), 0.0);
    side.calls[0].recent = 5;
    EXPECT_EQ(accepts_per_second(side, pace_at(side, 0)), 2.5);
    side.counted = false;
    EXPECT_FALSE(accepts_per_second(side, pace_at(side, 0)));
}

TEST(AcceptPace, NamesErrors) {
    EXPECT_EQ(errno_name(EMFILE), "EMFILE");
    EXPECT_EQ(errno_name(4095), "error 4095");
}

TEST(AcceptHistory, TheFirstLookHasNoWindow) {
    AcceptHistory history;
    AcceptSide side = side_with({calls(0, 11, 0, 4)});
    history.apply(side, {77}, 100 * kSec);
    EXPECT_FALSE(side.window_ns);
    EXPECT_FALSE(side.calls[0].recent);
}

TEST(AcceptHistory, GrowthSinceTheLookBefore) {
    AcceptHistory history;
    AcceptSide before = side_with({calls(0, 11, 0, 4), calls(0, 12, 0, 9)});
    before.networks[5].listen_overflows = GrowingCount{10, {}};
    history.apply(before, {77}, 100 * kSec);
    // Another listener stands first now, one thread is new, and one count begins anew.
    AcceptSide now = side_with({calls(1, 11, 0, 10), calls(1, 13, 0, 2), calls(1, 12, 0, 1)});
    now.networks[5].listen_overflows = GrowingCount{15, {}};
    now.networks[5].listen_drops = GrowingCount{15, {}};
    now.networks[6].listen_overflows = GrowingCount{15, {}};
    history.apply(now, {88, 77}, 101 * kSec);
    EXPECT_EQ(now.window_ns, kSec);
    EXPECT_EQ(now.calls[0].recent, 6U);
    EXPECT_EQ(now.calls[1].recent, 2U);
    EXPECT_EQ(now.calls[2].recent, 1U);
    EXPECT_EQ(now.networks[5].listen_overflows->recent, 5U);
    EXPECT_FALSE(now.networks[5].listen_drops->recent) << "not known before";
    EXPECT_FALSE(now.networks[6].listen_overflows->recent);
}

TEST(AcceptHistory, QuickLooksStillMakeAWindowOfTwoSeconds) {
    AcceptHistory history;
    for (std::uint64_t i = 0; i <= 50; ++i) {
        AcceptSide side = side_with({calls(0, 11, 0, i)});
        history.apply(side, {77}, 100 * kSec + i * kSec / 10);
        if (i < 25) continue;
        EXPECT_GE(*side.window_ns, AcceptHistory::kLeastWindowNs);
        EXPECT_LE(*side.window_ns, AcceptHistory::kLeastWindowNs + kSec / 2);
        EXPECT_EQ(*side.calls[0].recent, *side.window_ns / (kSec / 10));
    }
}

}  // namespace
}  // namespace waitclose::model
