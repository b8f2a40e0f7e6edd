// SPDX-License-Identifier: BSD-2-Clause
// Whom a blocked handler waits for, thread by thread and across processes.
#include <gtest/gtest.h>

#include <set>

#include "cases.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto patience = 10s;

Arguments at_once(Arguments options) {
    options.insert(options.end(), {"--min-held", "0ms"});
    return options;
}

// The first line that names the cause the culprit told.
json diagnosed(Watch& watch, const json& truth) {
    return watch.until(
        [&](const json& line) {
            return is_about(line, truth) && line.at("event") != "entered" &&
                   line.at("socket").at("cause").at("id") == truth.at("cause");
        },
        patience);
}

class Chains : public testing::TestWithParam<Case> {
protected:
    // The cause as `watch` has it that was there before the connection.
    json cause_of(const Arguments& command) {
        culprit_ = Culprit::before_start(command);
        Watch watch(at_once(culprit_->selection()));
        culprit_->reach_position();
        const json line = diagnosed(watch, culprit_->truth());
        EXPECT_FALSE(line.is_null()) << culprit_->truth() << "\nlast: "
                                     << (watch.events().empty() ? json() : watch.events().back());
        EXPECT_EQ(watch.stop().code, 0);
        return line.is_null() ? json() : line.at("socket").at("cause");
    }
    const json& truth() const { return culprit_->truth(); }

private:
    std::unique_ptr<Culprit> culprit_;
};

// Each but the last names the next; the last names the first when it is a circle, else nobody.
void expect_links(const json& because, const json& truth) {
    for (std::size_t i = 0; i < because.size(); ++i) {
        const json& on = because[i].at("on");
        const bool is_last = i + 1 == because.size();
        if (is_last && !truth.at("circle").get<bool>()) {
            EXPECT_TRUE(on.is_null()) << because.dump(1);
            continue;
        }
        const json& next = because[is_last ? 0 : i + 1];
        EXPECT_EQ(on, (json{{"pid", next.at("pid")}, {"tid", next.at("tid")}})) << because.dump(1);
    }
}

}  // namespace

TEST_P(Chains, AreFollowedToTheirEnd) {
    const json cause = cause_of(GetParam().command);
    ASSERT_FALSE(cause.is_null());
    const json& because = cause.at("because");
    const json& chain = truth().at("chain");
    ASSERT_EQ(because.size(), chain.size()) << because.dump(1) << chain;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        for (const char* key : {"pid", "tid", "waits_for"})
            EXPECT_EQ(because[i].at(key), chain[i].at(key)) << because.dump(1);
        EXPECT_TRUE(because[i].at("for_ns").is_number_unsigned()) << because.dump(1);
    }
    expect_links(because, truth());
}

INSTANTIATE_TEST_SUITE_P(Culprits, Chains,
                         testing::Values(Case{"Service", {"chain", "--mode", "service"}},
                                         Case{"Services", {"chain", "--mode", "services"}},
                                         Case{"Mixed", {"chain", "--mode", "mixed"}},
                                         Case{"ChildLock", {"chain", "--mode", "child-lock"}},
                                         Case{"Circle", {"chain", "--mode", "circle"}},
                                         Case{"Writers", {"chain", "--mode", "writers"}},
                                         Case{"Impostor", {"chain", "--mode", "impostor"}},
                                         Case{"Twin", {"chain", "--mode", "twin"}},
                                         Case{"OtherNetns", {"chain", "--mode", "services", "--netns"}},
                                         Case{"ThirdParty", {"chain", "--mode", "third-party"}}),
                         [](const auto& tested) { return tested.param.name; });

using ChainsInWords = Chains;

TEST_F(ChainsInWords, SeveralWritersAreCountedNotNamed) {
    const json cause = cause_of({"chain", "--mode", "writers"});
    ASSERT_FALSE(cause.is_null());
    EXPECT_NE(cause.at("because").at(0).at("detail").get<std::string>().find("2 processes"),
              std::string::npos)
        << cause.dump(1);
}

// SO_RCVTIMEO, or a signal's handler, may end a wait of the circle: no kernel structure tells of that in
// time.
TEST_F(ChainsInWords, ACircleIsLikelyEvenIfTheKernelKnowsAllOfIt) {
    const json cause = cause_of({"chain", "--mode", "circle"});
    ASSERT_FALSE(cause.is_null());
    EXPECT_EQ(cause.at("id"), "deadlock") << cause.dump(1);
    EXPECT_EQ(cause.at("confidence"), "likely") << cause.dump(1);
}

TEST_F(ChainsInWords, TheSummaryNamesTheEndOfTheChain) {
    const json cause = cause_of({"chain", "--mode", "mixed"});
    ASSERT_FALSE(cause.is_null());
    const auto summary = cause.at("summary").get<std::string>();
    const auto last =
        "paper (pid " + truth().at("chain").back().at("pid").dump() + "), which is in clock_nanosleep";
    EXPECT_NE(summary.find(last), std::string::npos) << summary;
}

// Field case 8: handlers wait for a third party's answer without a timeout.
TEST(Case08, HandlersWaitForAThirdParty) {
    constexpr std::size_t handlers = 24;
    auto culprit = Culprit::before_start({"chain", "--mode", "third-party"});
    Watch watch(at_once(culprit->selection()));
    culprit->reach_position();
    std::set<json> threads;
    json otherwise;  // what was said instead
    const json last = watch.until(
        [&](const json& line) {
            if (line.at("event") == "entered") return false;
            const json& socket = line.at("socket");
            const json& cause = socket.at("cause");
            if (cause.at("id") != "handler-blocked") otherwise = socket;
            if (cause.at("id") != "handler-blocked") return false;
            const json& link = cause.at("because").at(0);
            EXPECT_EQ(link.at("waits_for"), "downstream");
            EXPECT_GT(link.at("for_ns").get<std::int64_t>(), 0);
            EXPECT_NE(link.at("detail").get<std::string>().find("127.0.0.1:"), std::string::npos) << link;
            EXPECT_NE(cause.at("summary").get<std::string>().find("127.0.0.1:"), std::string::npos) << cause;
            threads.insert(socket.at("culprit").at("tid"));
            return threads.size() == handlers;
        },
        patience);
    EXPECT_FALSE(last.is_null()) << threads.size() << " of " << handlers
                                 << " handlers were named; of another: " << otherwise;
    EXPECT_EQ(watch.stop().code, 0);
}

}  // namespace runtime
