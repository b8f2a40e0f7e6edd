// SPDX-License-Identifier: BSD-2-Clause
// Healthy programs are never accused: no diagnosed line about them, and their short holds are measured right.
#include <gtest/gtest.h>

#include "cases.h"
#include "judgement.h"
#include "verdict.h"

namespace runtime {

namespace {

class Decoys : public testing::TestWithParam<Case> {};

std::vector<json> about(const Watch& watch, const json& truth) {
    std::vector<json> lines;
    for (const json& event : watch.events())
        if (is_about(event, truth)) lines.push_back(event);
    return lines;
}

Arguments with(Arguments options, const Arguments& more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

}  // namespace

TEST_P(Decoys, AreNotAccused) {
    auto decoy = Culprit::before_start(GetParam().command);
    Watch watch(with(decoy->selection(), {"--min-held", "250ms"}));
    decoy->reach_position();
    Finished finished = watch.stop();
    EXPECT_EQ(finished.code, 0) << finished.err;
    for (const json& line : about(watch, decoy->truth()))
        EXPECT_TRUE(line.at("event") != "held" && line.at("event") != "changed") << line.dump(1);
}

TEST_P(Decoys, AreMeasuredRight) {
    auto decoy = Culprit::before_start(GetParam().command);
    Watch watch(with(decoy->selection(), {"--min-held", "0ms"}));
    decoy->reach_position();
    const json& truth = decoy->truth();
    bool reset = GetParam().name == "Reset";
    if (!reset) {
        json closed = watch.until(
            [&](const json& line) { return is_about(line, truth) && line.at("event") == "closed"; }, 10s);
        ASSERT_FALSE(closed.is_null()) << truth;
        auto wrong = closing_disagreements(closed, truth, truth, Tracing::from_start);
        EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ntruth: " << truth << "\ngot: " << closed.dump(1);
    }
    EXPECT_EQ(watch.stop().code, 0);
    bool silent = about(watch, truth).empty();
    EXPECT_EQ(silent, reset) << "a connection that was reset never was in CLOSE_WAIT, the others were";
}

TEST_P(Decoys, AreNotInASnapshot) {
    auto decoy = Culprit::in_position(GetParam().command);
    Snapshot taken = snapshot(decoy->selection());
    ASSERT_EQ(taken.finished.code, 0) << taken.finished.err;
    EXPECT_EQ(find_socket(taken.document, decoy->truth()), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Healthy, Decoys, testing::ValuesIn(healthy_cases()),
                         [](const auto& tested) { return tested.param.name; });

namespace {

class LongDecoys : public testing::TestWithParam<Case> {};

constexpr auto watched_for = 5s;
constexpr int snapshots = 5;

}  // namespace

// Whoever goes on for seconds is looked at by all three commands, again and again, however short its holds
// are.
TEST_P(LongDecoys, AreNotAccusedOverSeconds) {
    std::unique_ptr<Culprit> decoy;
    try {
        decoy = Culprit::before_start(GetParam().command);
    } catch (const CannotRun& reason) {
        GTEST_SKIP() << "SKIPPED: " << reason.what();
    }
    const Arguments selection = decoy->selection();
    Watch watch(with(selection, {"--min-held", "0ms"}));
    decoy->reach_position();
    const json& truth = decoy->truth();
    const auto expect_no_blame = [&](const json& socket) {
        // On a busy machine the queue is read some time before the moment that ages are told of: it was there
        // when it was read. Without --min-held 0 nothing so young is told.
        const bool passes_the_queue = socket.at("cause").at("id") == "never-accepted" &&
                                      socket.at("held_ns").get<std::int64_t>() < 100'000'000;
        if (passes_the_queue) return;
        EXPECT_FALSE(blames(socket.at("cause").at("id"))) << socket.dump(1);
    };
    int entered = 0;
    watch.until(
        [&](const json& event) {
            entered += is_about(event, truth) && event.at("event") == "entered";
            if (event.at("event") == "held" || event.at("event") == "changed")
                expect_no_blame(event.at("socket"));
            return testing::Test::HasFailure();
        },
        watched_for);
    EXPECT_EQ(watch.stop().code, 0);
    EXPECT_GT(entered, 0) << "there was nothing to see";
    for (int i = 0; i <= snapshots; ++i) {
        const Snapshot taken = snapshot(i < snapshots ? selection : with(selection, {"--observe", "2s"}));
        ASSERT_TRUE(taken.document.is_object()) << taken.finished.err;
        for (const json& socket : taken.document.at("sockets")) expect_no_blame(socket);
    }
}

INSTANTIATE_TEST_SUITE_P(Healthy, LongDecoys, testing::ValuesIn(lasting_decoys()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace runtime
