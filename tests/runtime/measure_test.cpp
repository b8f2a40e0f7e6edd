// SPDX-License-Identifier: BSD-2-Clause
// Numbers: how exact a hold is, and whether full-speed churn loses anything.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "programs.h"

namespace runtime {

namespace {

constexpr int holds = 1000;
constexpr std::int64_t exact_ns = 100'000;

std::int64_t middle(const json& line, const char* before, const char* after) {
    return (line.at(before).get<std::int64_t>() + line.at(after).get<std::int64_t>()) / 2;
}

std::int64_t percentile(const std::vector<std::int64_t>& sorted, double share) {
    return sorted.at(static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1)));
}

// Distance from the interval in which the truth must lie: the clock was read before and after each of the two
// calls.
std::int64_t outside(std::int64_t held, const json& truth) {
    std::int64_t shortest =
        truth.at("close_before_ns").get<std::int64_t>() - truth.at("fin_after_ns").get<std::int64_t>();
    std::int64_t longest =
        truth.at("close_after_ns").get<std::int64_t>() - truth.at("fin_before_ns").get<std::int64_t>();
    return std::max<std::int64_t>({shortest - held, held - longest, 0});
}

json churn_for(const Arguments& options) {
    Arguments argv{culprit_path("churn")};
    argv.insert(argv.end(), options.begin(), options.end());
    Finished finished = run(argv, 60s);
    EXPECT_EQ(finished.code, 0) << finished.err;
    return json::parse(finished.out);
}

void expect_nothing_lost(const Finished& watch, const json& churn) {
    ASSERT_EQ(watch.code, 0) << watch.err;
    json total = totals(watch.err);
    ASSERT_FALSE(total.is_null()) << watch.err;
    std::printf("  under watch: %.0f connections/s; %s\n", churn.at("per_second").get<double>(),
                total.dump().c_str());
    EXPECT_GE(total.at("entered"), churn.at("entered_close_wait"));
    EXPECT_GE(total.at("closed"), churn.at("entered_close_wait"));
    EXPECT_EQ(total.at("ring"), 0);
}

}  // namespace

TEST(Measure, LongExactHolds) {
    Culprit culprit({culprit_path("exact_holds"), "--count", std::to_string(holds)});
    std::string port = culprit.next_line().at("port").dump();
    Watch watch({"--min-held", "0ms", "-L", port});
    culprit.command("go");
    std::map<int, std::deque<json>> truths;  // by the client's port, in order
    for (int i = 0; i < holds; ++i) {
        json truth = culprit.next_line(30s);
        truths[truth.at("remote_port")].push_back(truth);
    }
    std::size_t closed = 0;
    watch.until([&](const json& line) { return line.at("event") == "closed" && ++closed == holds; }, 20s);
    ASSERT_EQ(watch.stop().code, 0);
    std::vector<std::int64_t> from_middle, from_interval;
    for (const json& line : watch.events()) {
        if (line.at("event") != "closed") continue;
        const json& socket = line.at("socket");
        std::deque<json>& same_port = truths.at(socket.at("remote").at("port"));
        ASSERT_FALSE(same_port.empty()) << "closed twice: " << line;
        const json truth = same_port.front();
        same_port.pop_front();
        std::int64_t held = socket.at("held_ns");
        std::int64_t expected = middle(truth, "close_before_ns", "close_after_ns") -
                                middle(truth, "fin_before_ns", "fin_after_ns");
        from_middle.push_back(std::abs(held - expected));
        from_interval.push_back(outside(held, truth));
        EXPECT_EQ(socket.at("held_precision"), "exact");
    }
    ASSERT_EQ(from_middle.size(), holds);
    std::sort(from_middle.begin(), from_middle.end());
    std::sort(from_interval.begin(), from_interval.end());
    std::printf(
        "  |held_ns - truth| over %zu holds: p50 %.1f us, p99 %.1f us, max %.1f us; beyond the clock "
        "readings: p99 %.1f us\n",
        from_middle.size(), static_cast<double>(percentile(from_middle, 0.5)) / 1e3,
        static_cast<double>(percentile(from_middle, 0.99)) / 1e3,
        static_cast<double>(from_middle.back()) / 1e3,
        static_cast<double>(percentile(from_interval, 0.99)) / 1e3);
    // The middle is no truth where the program lost its CPU between its two readings of the clock.
    EXPECT_LE(percentile(from_interval, 0.99), exact_ns);
}

// At full speed, told of in words: a healthy connection makes no line.
TEST(Measure, LongChurnLosesNothing) {
    json alone = churn_for({"--seconds", "4"});
    Watch watch({"--min-held", "5s"}, Watch::Form::text);
    json traced = churn_for({"--seconds", "4"});
    expect_nothing_lost(watch.stop(), traced);
    std::printf("  untraced: %.0f connections/s, ratio %.3f\n", alone.at("per_second").get<double>(),
                traced.at("per_second").get<double>() / alone.at("per_second").get<double>());
}

// At a moderate rate, told of in JSON: every connection makes a line when it enters and one when it leaves.
TEST(Measure, LongChurnIsToldCompletely) {
    Watch watch({"--min-held", "5s"});
    json traced = churn_for({"--seconds", "4", "--rate", "3000"});
    expect_nothing_lost(watch.stop(), traced);
    std::set<std::string> open;
    std::int64_t entered = 0, closed = 0;
    for (const json& line : watch.events()) {
        if (line.at("socket").at("local").at("address").get<std::string>().starts_with("127.2.") == false)
            continue;
        const std::string id = line.at("socket").at("id");
        if (line.at("event") == "entered") {
            ++entered;
            EXPECT_TRUE(open.insert(id).second) << "entered twice: " << id;
        } else if (line.at("event") == "closed") {
            ++closed;
            EXPECT_EQ(open.erase(id), 1u) << "closed without having entered: " << id;
        }
    }
    EXPECT_EQ(entered, traced.at("entered_close_wait"));
    EXPECT_EQ(closed, traced.at("entered_close_wait"));
}

}  // namespace runtime
