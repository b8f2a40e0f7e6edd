// SPDX-License-Identifier: BSD-2-Clause
// Only what grows all the time is a forecast.
#include "model/growth.h"

#include <gtest/gtest.h>

#include "diagnose/descriptors.h"
#include "diagnose_builder.h"

namespace waitclose::diagnose {
namespace {

using namespace waitclose::test;

struct Look {
    std::uint64_t at_s;
    std::uint64_t number;
};

model::Growth growth_of(const std::vector<Look>& looks) {
    model::Growth growth;
    for (const Look& look : looks) growth.look(1000 * kSec + look.at_s * kSec, look.number);
    return growth;
}

TEST(DiagnoseGrowth, SteadyIsWhatGrewInBothHalves) {
    const auto steady = growth_of({{0, 2}, {10, 12}, {20, 22}, {30, 32}}).steady();
    ASSERT_TRUE(steady);
    EXPECT_DOUBLE_EQ(steady->per_second, 1);
    EXPECT_EQ(steady->first, 2U);
    EXPECT_EQ(steady->last, 32U);
    EXPECT_EQ(steady->span_ns, 30 * kSec);
}

TEST(DiagnoseGrowth, ABurstIsNone) {
    EXPECT_FALSE(growth_of({{0, 0}, {1, 100}, {15, 100}, {30, 100}}).steady());
    EXPECT_FALSE(growth_of({{0, 0}, {15, 0}, {29, 0}, {30, 100}}).steady());
    EXPECT_FALSE(growth_of({{0, 0}, {15, 10}, {30, 100}}).steady()) << "nine times as fast at last";
    EXPECT_FALSE(growth_of({{0, 0}, {15, 50}, {30, 20}}).steady()) << "it shrinks again";
}

TEST(DiagnoseGrowth, TooLittleIsNone) {
    EXPECT_FALSE(model::Growth().steady());
    EXPECT_FALSE(growth_of({{0, 0}}).steady());
    EXPECT_FALSE(growth_of({{0, 0}, {30, 100}}).steady()) << "nobody looked in between";
    EXPECT_FALSE(growth_of({{0, 0}, {2, 50}, {4, 100}}).steady()) << "too short";
    EXPECT_FALSE(growth_of({{0, 0}, {15, 3}, {30, 7}}).steady()) << "too few";
    EXPECT_FALSE(growth_of({{0, 0}, {2, 50}, {30, 100}}).steady()) << "nobody looked near the middle";
}

TEST(DiagnoseGrowth, TakesAnyNumberOfLooks) {
    model::Growth growth;
    for (std::uint64_t i = 0; i <= 100'000; ++i) growth.look(kSec + i * kMs * 10, 5 + i / 100);
    const auto steady = growth.steady();
    ASSERT_TRUE(steady);
    EXPECT_NEAR(steady->per_second, 1, 0.01);
    EXPECT_NEAR(static_cast<double>(steady->middle), 505, 40);
    EXPECT_EQ(steady->span_ns, 1000 * kSec);
}

TEST(DiagnoseGrowth, TimeDoesNotGoBack) {
    EXPECT_FALSE(growth_of({{30, 0}, {15, 50}, {0, 100}}).steady());
}

TEST(DiagnoseGrowth, AForecastSaysWhatItRestsOn) {
    model::Process process;
    process.fds_used = 100;
    process.fd_limit = 1000;
    const FdOutlook outlook = outlook_of(process, growth_of({{0, 0}, {15, 15}, {30, 30}}));
    EXPECT_EQ(outlook.full_in_ns, 900 * kSec);
    EXPECT_EQ(outlook.basis, "0 holds at first, 15 half-way and 30 at last, over 30 s");
    EXPECT_FALSE(outlook_of(process, growth_of({{0, 0}, {1, 30}, {30, 30}})).full_in_ns);
    process.fds_used = 1000;
    EXPECT_EQ(outlook_of(process, model::Growth()).full_in_ns, 0U) << "that is no forecast";
}

}  // namespace
}  // namespace waitclose::diagnose
