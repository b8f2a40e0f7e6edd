// SPDX-License-Identifier: BSD-2-Clause
// Every culprit, with the tracer attached before the connection, before the FIN, and after it.
#include <gtest/gtest.h>

#include "cases.h"
#include "features.h"
#include "following.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto grown = 20ms;  // a younger hold is not accused of anything

class Holds : public testing::TestWithParam<Case> {
    void SetUp() override {
        if (const auto missing = missing_feature(GetParam().command)) GTEST_SKIP() << *missing;
    }
};

}  // namespace

TEST_P(Holds, SnapshotComesAfterwards) {
    auto culprit = Culprit::in_position(GetParam().command);
    culprit->wait_until_held_for(grown);
    Snapshot taken = snapshot(culprit->selection());
    ASSERT_EQ(taken.finished.code, 0) << taken.finished.err;
    ASSERT_TRUE(taken.document.is_object()) << taken.finished.out;
    EXPECT_EQ(taken.document.at("schema"), "waitclose.snapshot/1");
    const json* socket = find_socket(taken.document, culprit->truth());
    ASSERT_TRUE(socket) << "the socket is not in the snapshot; truth: " << culprit->truth();
    auto wrong = disagreements(*socket, culprit->truth(), Tracing::after);
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ntruth: " << culprit->truth()
                               << "\ngot: " << socket->dump(1);
}

TEST_P(Holds, WatchComesAfterwards) {
    auto culprit = Culprit::in_position(GetParam().command);
    follow(*culprit, Tracing::after);
}

TEST_P(Holds, WatchComesBeforeTheFin) {
    auto culprit = Culprit::before_fin(GetParam().command);
    follow(*culprit, Tracing::before_fin);
}

TEST_P(Holds, WatchComesBeforeTheConnection) {
    auto culprit = Culprit::before_start(GetParam().command);
    follow(*culprit, Tracing::from_start);
}

INSTANTIATE_TEST_SUITE_P(Culprits, Holds, testing::ValuesIn(holding_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace runtime
