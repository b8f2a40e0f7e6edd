// SPDX-License-Identifier: BSD-2-Clause
// Every culprit, with the tracer attached before the connection, before the FIN, and after it.
#include <gtest/gtest.h>

#include "cases.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto grown = 20ms;    // a younger hold is not accused of anything
constexpr auto patience = 10s;  // a census every few seconds may be what puts a line right

class Holds : public testing::TestWithParam<Case> {
protected:
    // Reads until a line about the socket agrees with the truth: the last line about a socket is what counts.
    json agreeing_line(Watch& watch, const json& truth, Tracing tracing) {
        std::vector<std::string> wrong{"there was no line about the socket"};
        json agreeing = watch.until(
            [&](const json& event) {
                if (!is_about(event, truth) || event.at("event") == "entered") return false;
                wrong = disagreements(event.at("socket"), truth, tracing);
                return wrong.empty();
            },
            patience);
        EXPECT_TRUE(wrong.empty()) << "watch said last:" << joined(wrong) << "\ntruth: " << truth;
        return agreeing;
    }

    void close_under(Watch& watch, Culprit& culprit, Tracing tracing) {
        json closed = culprit.close();
        const json& truth = culprit.truth();
        json event = watch.until(
            [&](const json& line) { return is_about(line, truth) && line.at("event") == "closed"; },
            patience);
        ASSERT_FALSE(event.is_null()) << "no line closed for " << truth;
        auto wrong = closing_disagreements(event, truth, closed, tracing);
        EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ntruth: " << closed << "\ngot: " << event.dump(1);
    }

    void follow(Culprit& culprit, Tracing tracing) {
        Arguments options = culprit.selection();
        options.insert(options.end(), {"--min-held", "0ms"});
        Watch watch(options);
        if (tracing != Tracing::after) culprit.reach_position();
        json line = agreeing_line(watch, culprit.truth(), tracing);
        if (!HasFailure()) close_under(watch, culprit, tracing);
        Finished finished = watch.stop();
        EXPECT_EQ(finished.code, 0) << finished.err;
        EXPECT_FALSE(totals(finished.err).is_null()) << finished.err;
        int entered = 0;
        for (const json& event : watch.events())
            if (is_about(event, culprit.truth())) entered += event.at("event") == "entered";
        EXPECT_TRUE(tracing == Tracing::after || entered == 1) << entered << " lines entered";
        if (HasFailure())
            for (const json& event : watch.events()) std::cerr << event << '\n';
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
