// SPDX-License-Identifier: BSD-2-Clause
// Faulty servers in Java, Python and Node: watched from the start, and met by a later look.
#include <gtest/gtest.h>

#include "cases.h"
#include "following.h"

namespace runtime {

namespace {

constexpr auto grown = 20ms;

class RealRuntimes : public testing::TestWithParam<Case> {
protected:
    // Null where the runtime is not installed, which is a reason to skip.
    std::unique_ptr<Culprit> start(std::unique_ptr<Culprit> (*how)(const Arguments&)) {
        try {
            return how(GetParam().command);
        } catch (const CannotRun& reason) {
            why_not_ = reason.what();
            return nullptr;
        }
    }

    std::string why_not_;
};

}  // namespace

TEST_P(RealRuntimes, WatchComesBeforeTheConnection) {
    const auto culprit = start(Culprit::before_start);
    if (!culprit) GTEST_SKIP() << "SKIPPED: " << why_not_;
    follow(*culprit, Tracing::from_start);
}

TEST_P(RealRuntimes, SnapshotComesAfterwards) {
    const auto culprit = start(Culprit::in_position);
    if (!culprit) GTEST_SKIP() << "SKIPPED: " << why_not_;
    culprit->wait_until_held_for(grown);
    const Snapshot taken = snapshot(culprit->selection());
    ASSERT_EQ(taken.finished.code, 0) << taken.finished.err;
    const json* socket = find_socket(taken.document, culprit->truth());
    ASSERT_TRUE(socket) << culprit->truth();
    const auto wrong = disagreements(*socket, culprit->truth(), Tracing::after);
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ntruth: " << culprit->truth()
                               << "\ngot: " << socket->dump(1);
}

INSTANTIATE_TEST_SUITE_P(Real, RealRuntimes, testing::ValuesIn(real_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace runtime
