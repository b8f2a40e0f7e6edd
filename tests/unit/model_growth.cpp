// SPDX-License-Identifier: BSD-2-Clause
#include "model/growth.h"

#include <gtest/gtest.h>

#include <vector>

namespace waitclose::model {
namespace {

using Parts = std::vector<std::uint64_t>;

TEST(LastingGain, OfSteadyGrowthIsItsAverage) {
    EXPECT_EQ(lasting_gain(Parts{2, 2, 2, 2}), 2);
    EXPECT_EQ(lasting_gain(Parts{10, 30, 20, 40}), 25);
    EXPECT_EQ(lasting_gain(Parts{3, 0, 3, 3, 3, 3, 3, 2}), 2.5);
}

TEST(LastingGain, OfABurstIsNone) {
    EXPECT_FALSE(lasting_gain(Parts{60, 0, 0, 0}));
    EXPECT_FALSE(lasting_gain(Parts{0, 30, 30, 0})) << "over the edge of two parts";
    EXPECT_FALSE(lasting_gain(Parts{1, 1, 60, 1})) << "what trickles beside it is too little";
}

TEST(LastingGain, LeavesABurstOut) {
    EXPECT_EQ(lasting_gain(Parts{4, 4, 1'000, 4}), 4);
    EXPECT_EQ(lasting_gain(Parts{4, 4, 14, 4}), 6.5) << "chance, no burst";
}

TEST(LastingGain, OfTooLittleIsNone) {
    EXPECT_FALSE(lasting_gain(Parts{}));
    EXPECT_FALSE(lasting_gain(Parts{9, 9, 9})) << "of too few parts";
    EXPECT_FALSE(lasting_gain(Parts{0, 0, 0, 0}));
    EXPECT_FALSE(lasting_gain(Parts{2, 2, 2, 1}));
    EXPECT_FALSE(lasting_gain(Parts{8, 8, 0, 0})) << "it has stopped, or has only begun";
}

TEST(LastingGain, OfWhatHasStoppedIsNone) {
    EXPECT_FALSE(lasting_gain(Parts{0, 30, 30, 30}));
    EXPECT_FALSE(lasting_gain(Parts{5, 30, 30, 30}));
    EXPECT_TRUE(lasting_gain(Parts{15, 30, 30, 30}));
}

TEST(LastingGain, OfHugeNumbers) {
    const std::uint64_t huge = 1ULL << 61;
    EXPECT_TRUE(lasting_gain(Parts{huge, huge, huge, huge}));
}

}  // namespace
}  // namespace waitclose::model
