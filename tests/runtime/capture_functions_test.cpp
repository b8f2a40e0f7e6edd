// SPDX-License-Identifier: BSD-2-Clause
// A capture names the function in which a thread is stuck, however the program was built and whatever runs
// it.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captures.h"
#include "features.h"
#include "verdict.h"

namespace runtime {

namespace {

const std::vector<std::string> deeds{"write-audit-log", "wait-for-quota", "call-backend", "spin-parse"};

constexpr auto until_it_is_busy = 2500ms;  // who computes for less is not said to be busy
constexpr auto most_of_the_window = 6s;    // it was idle before: an event loop is busy if it mostly was
constexpr const char* until_stopped = "60s";

bool can_run(const std::string& deed) {
    return !missing_feature({deed});
}

Arguments with(Arguments options, const Arguments& more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

void expect_named(const Bundle& bundle, const json& truth) {
    const auto missing = not_named(bundle, truth);
    EXPECT_TRUE(missing.empty()) << joined(missing) << "\ntruth: " << truth;
}

// The capture is there before the connection, as it is when an incident goes on.
class CaptureFunctions : public testing::TestWithParam<std::string> {};

class CaptureRuntime : public testing::Test {
protected:
    // Null where the runtime is not installed, which is a reason to skip.
    std::unique_ptr<Culprit> started(const std::string& mode) {
        try {
            return Culprit::before_start({"hosted_functions", "--mode", mode});
        } catch (const CannotRun& reason) {
            why_not_ = reason.what();
            return nullptr;
        }
    }

    std::string why_not_;
};

class CaptureRuntimes : public CaptureRuntime, public testing::WithParamInterface<std::string> {};

class CaptureShows : public testing::Test {
protected:
    void expect_shown(const Arguments& command, std::chrono::milliseconds seen = 500ms) {
        if (const auto missing = missing_feature(command)) GTEST_SKIP() << *missing;
        const auto culprit = Culprit::before_start(command);
        Capture running(culprit->selection(), until_stopped);
        culprit->reach_position();
        const Bundle bundle = running.stop(seen);
        ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
        const auto missing = not_in_first_lines(bundle, culprit->truth());
        EXPECT_TRUE(missing.empty()) << joined(missing);
        expect_named(bundle, culprit->truth());
    }
};

// The capture begins when all is over: nobody is blamed, but what the threads do is told first.
class CaptureShowsLate : public testing::TestWithParam<Arguments> {};

}  // namespace

TEST_P(CaptureFunctions, AreNamed) {
    std::vector<std::unique_ptr<Culprit>> culprits;
    Arguments options;
    for (const std::string& deed : deeds) {
        if (!can_run(deed)) continue;
        culprits.push_back(Culprit::before_start({GetParam(), "--mode", deed, "--comm", deed}));
        options = with(options, culprits.back()->selection());
    }
    Capture running(options, until_stopped);
    for (const auto& culprit : culprits) culprit->reach_position();
    const Bundle bundle = running.stop(until_it_is_busy);
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    for (const auto& culprit : culprits) {
        SCOPED_TRACE(culprit->truth().at("mode"));
        expect_named(bundle, culprit->truth());
    }
}

// Who comes when all is over has not seen which thread had the socket: it names what each thread is in, and
// accuses nobody wrongly.
TEST_P(CaptureFunctions, AreInTheStacksOfAnIncidentThatWentBefore) {
    std::vector<std::unique_ptr<Culprit>> culprits;
    Arguments options;
    for (const std::string& deed : deeds) {
        if (!can_run(deed)) continue;
        culprits.push_back(Culprit::in_position({GetParam(), "--mode", deed}));
        options = with(options, {"-p", culprits.back()->truth().at("pid").dump()});
    }
    const Bundle bundle = capture(options);
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    EXPECT_TRUE(bundle.wrong.empty()) << joined(bundle.wrong);
    for (const auto& culprit : culprits) {
        const json& truth = culprit->truth();
        SCOPED_TRACE(truth.at("mode"));
        EXPECT_THAT(functions_of(bundle, truth.at("tid")),
                    testing::Contains(testing::HasSubstr(truth.at("function").get<std::string>())));
        const json* hold = hold_of(bundle, truth);
        ASSERT_TRUE(hold);
        const json& culprit_thread = hold->at("culprit").is_null() ? json() : hold->at("culprit").at("tid");
        EXPECT_TRUE(culprit_thread.is_null() || culprit_thread == truth.at("tid")) << hold->dump(1);
    }
}

INSTANTIATE_TEST_SUITE_P(Builds, CaptureFunctions,
                         testing::Values("functions", "functions_frame_pointers", "functions_templates",
                                         "functions_static", "functions_stripped"),
                         [](const auto& tested) { return tested.param; });

TEST_P(CaptureRuntimes, FunctionsAreNamed) {
    if (GetParam().ends_with("write-audit-log") && !can_run("write-audit-log"))
        GTEST_SKIP() << *missing_feature({"write-audit-log"});
    const auto culprit = started(GetParam());
    if (!culprit) GTEST_SKIP() << "SKIPPED: " << why_not_;
    Arguments options = culprit->selection();
    if (GetParam().starts_with("java")) options.push_back("--ask-runtime");
    Capture running(options, until_stopped);
    culprit->reach_position();
    const Bundle bundle = running.stop(GetParam().ends_with("spin-parse") ? most_of_the_window : 500ms);
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    expect_named(bundle, culprit->truth());
}

INSTANTIATE_TEST_SUITE_P(Real, CaptureRuntimes,
                         testing::Values("java-write-audit-log", "java-call-backend", "java-spin-parse",
                                         "node-write-audit-log", "node-spin-parse", "python-write-audit-log",
                                         "python-call-backend", "python-wait-for-quota", "python-spin-parse"),
                         [](const auto& tested) {
                             std::string name = tested.param;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

// What no runtime was asked for is not known, and nothing is put in its place.
TEST_F(CaptureRuntime, AJvmThatIsNotAskedIsNotGuessedAt) {
    const auto culprit = started("java-call-backend");
    if (!culprit) GTEST_SKIP() << "SKIPPED: " << why_not_;
    Capture running(culprit->selection(), until_stopped);
    culprit->reach_position();
    const Bundle bundle = running.stop();
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    const json* hold = hold_of(bundle, culprit->truth());
    ASSERT_TRUE(hold);
    for (const json& link : hold->at("cause").at("because"))
        EXPECT_TRUE(link.at("function").is_null() || link.at("function") == "") << link;
    const json& lacks = bundle.manifest.at("lacks");
    ASSERT_EQ(lacks.size(), 1U) << lacks.dump(1);
    EXPECT_THAT(lacks[0].get<std::string>(),
                testing::AllOf(testing::HasSubstr(std::to_string(culprit->truth().at("pid").get<int>())),
                               testing::HasSubstr("--ask-runtime")));
}

TEST_F(CaptureShows, Case03WhoWritesToADiskThatDoesNotAnswer) {
    expect_shown({"functions", "--mode", "write-audit-log"});
}

TEST_F(CaptureShows, Case08WhoWaitsForAServiceThatDoesNotAnswer) {
    expect_shown({"functions", "--mode", "call-backend"});
}

TEST_F(CaptureShows, Case11WhoComputesForEver) {
    expect_shown({"functions", "--mode", "spin-parse"}, until_it_is_busy);
}

TEST_F(CaptureShows, ADeadlockAcrossTwoProcesses) {
    expect_shown({"crosswise", "--mode", "tcp"});
}

TEST_F(CaptureShows, TheEndOfAChainThroughALock) {
    expect_shown({"functions", "--mode", "wait-for-quota"});
}

TEST_P(CaptureShowsLate, WhatTheThreadsDo) {
    if (const auto missing = missing_feature(GetParam())) GTEST_SKIP() << *missing;
    const auto culprit = Culprit::in_position(GetParam());
    const Bundle bundle = capture({"-p", culprit->truth().at("pid").dump()}, "2s");
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    EXPECT_THAT(bundle.first_lines, testing::HasSubstr("nobody is blamed"));
    const auto missing = not_in_first_lines(bundle, culprit->truth());
    EXPECT_TRUE(missing.empty()) << joined(missing) << "\n" << bundle.report;
}

INSTANTIATE_TEST_SUITE_P(Cases, CaptureShowsLate,
                         testing::Values(Arguments{"functions", "--mode", "write-audit-log"},
                                         Arguments{"functions", "--mode", "call-backend"},
                                         Arguments{"functions", "--mode", "wait-for-quota"},
                                         Arguments{"functions", "--mode", "spin-parse"},
                                         Arguments{"crosswise", "--mode", "tcp"}),
                         [](const auto& tested) {
                             std::string name = tested.param.front() + "_" + tested.param.back();
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

}  // namespace runtime
