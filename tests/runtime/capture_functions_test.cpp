// SPDX-License-Identifier: BSD-2-Clause
// A capture names the function in which a thread is stuck, however the program was built and whatever runs
// it.
#include <algorithm>

#include <gtest/gtest.h>

#include "captures.h"
#include "features.h"
#include "verdict.h"

namespace runtime {

namespace {

const std::vector<std::string> deeds{"write-audit-log", "wait-for-quota", "call-backend", "spin-parse"};

// One of each deed that can be had here, of one build.
std::vector<std::unique_ptr<Culprit>> stuck_in_each(const std::string& program) {
    std::vector<std::unique_ptr<Culprit>> culprits;
    for (const std::string& deed : deeds)
        if (!missing_feature({program, deed}))
            culprits.push_back(Culprit::in_position({program, "--mode", deed}));
    return culprits;
}

Arguments with_pid(const Culprit& culprit, Arguments options = {}) {
    options.insert(options.end(), {"-p", culprit.truth().at("pid").dump()});
    return options;
}

class CaptureFunctions : public testing::TestWithParam<std::string> {};
class CaptureRuntimes : public testing::TestWithParam<std::string> {
protected:
    // Null where the runtime is not installed, which is a reason to skip.
    std::unique_ptr<Culprit> stuck() {
        try {
            return Culprit::in_position({"hosted_functions", "--mode", GetParam()});
        } catch (const CannotRun& reason) {
            why_not_ = reason.what();
            return nullptr;
        }
    }

    std::string why_not_;
};
class CaptureShows : public testing::Test {
protected:
    void expect_shown(const Arguments& command) {
        if (const auto missing = missing_feature(command)) GTEST_SKIP() << *missing;
        const auto culprit = Culprit::in_position(command);
        const Bundle bundle = capture(with_pid(*culprit));
        EXPECT_EQ(bundle.finished.code, 0) << bundle.finished.err;
        const auto missing = not_in_first_lines(bundle, culprit->truth());
        EXPECT_TRUE(missing.empty()) << joined(missing);
        const auto unnamed = not_named(bundle, culprit->truth());
        EXPECT_TRUE(unnamed.empty()) << joined(unnamed);
    }
};

}  // namespace

TEST_P(CaptureFunctions, AreNamed) {
    const auto culprits = stuck_in_each(GetParam());
    Arguments pids;
    for (const auto& culprit : culprits) pids = with_pid(*culprit, pids);
    const Bundle bundle = capture(pids);
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    for (const auto& culprit : culprits) {
        SCOPED_TRACE(culprit->truth().at("mode"));
        const auto missing = not_named(bundle, culprit->truth());
        EXPECT_TRUE(missing.empty()) << joined(missing);
    }
}

INSTANTIATE_TEST_SUITE_P(Builds, CaptureFunctions,
                         testing::Values("functions", "functions_frame_pointers", "functions_templates",
                                         "functions_static", "functions_stripped"),
                         [](const auto& tested) { return tested.param; });

TEST_P(CaptureRuntimes, FunctionsAreNamed) {
    if (GetParam().ends_with("write-audit-log"))
        if (const auto missing = missing_feature({"write-audit-log"})) GTEST_SKIP() << *missing;
    const auto culprit = stuck();
    if (!culprit) GTEST_SKIP() << "SKIPPED: " << why_not_;
    Arguments options;
    if (GetParam().starts_with("java")) options.push_back("--ask-runtime");
    const Bundle bundle = capture(with_pid(*culprit, options));
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    const auto missing = not_named(bundle, culprit->truth());
    EXPECT_TRUE(missing.empty()) << joined(missing) << "\n" << bundle.manifest.at("lacks").dump(1);
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
TEST(CaptureRuntime, AJvmThatIsNotAskedDoesNoWorkAndIsNotGuessedAt) {
    std::unique_ptr<Culprit> culprit;
    try {
        culprit = Culprit::in_position({"hosted_functions", "--mode", "java-call-backend"});
    } catch (const CannotRun& reason) {
        GTEST_SKIP() << "SKIPPED: " << reason.what();
    }
    const Bundle bundle = capture(with_pid(*culprit));
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    EXPECT_FALSE(functions_of(bundle, culprit->truth().at("tid")).contains("callBackend"));
    const json* hold = hold_of(bundle, culprit->truth());
    ASSERT_TRUE(hold);
    for (const json& link : hold->at("cause").at("because"))
        EXPECT_TRUE(link.at("function").is_null() || link.at("function") == "") << link;
}

TEST_F(CaptureShows, Case03WhoWritesToADiskThatDoesNotAnswer) {
    expect_shown({"functions", "--mode", "write-audit-log"});
}

TEST_F(CaptureShows, Case08WhoWaitsForAServiceThatDoesNotAnswer) {
    expect_shown({"functions", "--mode", "call-backend"});
}

TEST_F(CaptureShows, Case11WhoComputesForEver) {
    expect_shown({"functions", "--mode", "spin-parse"});
}

TEST_F(CaptureShows, ADeadlockAcrossTwoProcesses) {
    expect_shown({"crosswise", "--mode", "tcp"});
}

TEST_F(CaptureShows, TheEndOfAChainThroughALock) {
    expect_shown({"functions", "--mode", "wait-for-quota"});
}

}  // namespace runtime
