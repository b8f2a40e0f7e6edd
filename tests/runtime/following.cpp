// SPDX-License-Identifier: BSD-2-Clause
#include "following.h"

#include <gtest/gtest.h>

namespace runtime {

namespace {

constexpr auto patience = 10s;  // a census every few seconds may be what puts a line right

// Reads until a line about the socket agrees with the truth: the last line about a socket is what counts.
void expect_agreeing_line(Watch& watch, const json& truth, Tracing tracing) {
    std::vector<std::string> wrong{"there was no line about the socket"};
    watch.until(
        [&](const json& event) {
            if (!is_about(event, truth) || event.at("event") == "entered") return false;
            wrong = disagreements(event.at("socket"), truth, tracing);
            return wrong.empty();
        },
        patience);
    EXPECT_TRUE(wrong.empty()) << "watch said last:" << joined(wrong) << "\ntruth: " << truth;
}

void close_under(Watch& watch, Culprit& culprit, Tracing tracing) {
    json closed = culprit.close();
    const json& truth = culprit.truth();
    json event = watch.until(
        [&](const json& line) { return is_about(line, truth) && line.at("event") == "closed"; }, patience);
    ASSERT_FALSE(event.is_null()) << "no line closed for " << truth;
    auto wrong = closing_disagreements(event, truth, closed, tracing);
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ntruth: " << closed << "\ngot: " << event.dump(1);
}

}  // namespace

void follow(Culprit& culprit, Tracing tracing, const Arguments& more) {
    Arguments options = culprit.selection();
    options.insert(options.end(), {"--min-held", "0ms"});
    options.insert(options.end(), more.begin(), more.end());
    Watch watch(options);
    if (tracing != Tracing::after) culprit.reach_position();
    expect_agreeing_line(watch, culprit.truth(), tracing);
    if (!testing::Test::HasFailure()) close_under(watch, culprit, tracing);
    Finished finished = watch.stop();
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_FALSE(totals(finished.err).is_null()) << finished.err;
    int entered = 0;
    for (const json& event : watch.events())
        if (is_about(event, culprit.truth())) entered += event.at("event") == "entered";
    EXPECT_TRUE(tracing == Tracing::after || entered == 1) << entered << " lines entered";
    if (testing::Test::HasFailure())
        for (const json& event : watch.events()) std::cerr << event << '\n';
}

}  // namespace runtime
