// SPDX-License-Identifier: BSD-2-Clause
// speedscope's format, read back by the rules of its specification.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "output/json.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using nlohmann::json;

json file_of(const Timeline& timeline, const Options& options = {}) {
    return json::parse(written(timeline, write_speedscope, options));
}

std::string name_of(const json& file, const json& frame) {
    return file["shared"]["frames"].at(frame.get<std::size_t>())["name"];
}

TEST(TimelineSpeedscope, HeldTimeIsTheFirstProfile) {
    const json file = file_of(incident());
    EXPECT_EQ(file["$schema"], "https://www.speedscope.app/file-format-schema.json");
    EXPECT_EQ(file["name"], "waitclose on web-1");
    EXPECT_EQ(file["exporter"], "waitclose 0.1.0");
    const json& profile = file["profiles"][0];
    EXPECT_EQ(profile["type"], "sampled");
    EXPECT_EQ(profile["unit"], "milliseconds");
    EXPECT_EQ(profile["weights"], (json{8000.001, 70000}));
    EXPECT_EQ(profile["endValue"], 78000.001);
    std::vector<std::string> stack;
    for (const json& frame : profile["samples"][0]) stack.push_back(name_of(file, frame));
    EXPECT_EQ(stack, (std::vector<std::string>{"orders", "handler-blocked", "worker", "lock", "main",
                                               "handle_request", "libc.so.6+0x9f3", "futex_wait_[k]"}));
}

TEST(TimelineSpeedscope, HoldsCanBeCounted) {
    const json file = file_of(incident(), {Weight::kCount, {}});
    const json& profile = file["profiles"][0];
    EXPECT_EQ(profile["unit"], "none");
    EXPECT_EQ(profile["weights"], (json{1, 1}));
    EXPECT_EQ(profile["endValue"], 2);
}

TEST(TimelineSpeedscope, AThreadIsAnEventedProfile) {
    const json file = file_of(incident());
    ASSERT_EQ(file["profiles"].size(), 3U);
    const json& auditor = file["profiles"][2];
    EXPECT_EQ(auditor["type"], "evented");
    EXPECT_EQ(auditor["name"], "orders [4121] / auditor [4190]");
    EXPECT_EQ(auditor["unit"], "nanoseconds");
    EXPECT_EQ(auditor["startValue"], kSecond);
    EXPECT_EQ(auditor["endValue"], 10 * kSecond);
    std::vector<std::string> told;
    for (const json& event : auditor["events"]) {
        told.push_back(event["type"].get<std::string>() +
                       std::to_string(event["at"].get<std::uint64_t>() / kSecond) + " " +
                       name_of(file, event["frame"]));
    }
    EXPECT_EQ(told, (std::vector<std::string>{"O1 (not known)", "C3 (not known)", "O3 blocked: disk",
                                              "O3 fdatasync(fd 12, audit.log)",
                                              "C10 fdatasync(fd 12, audit.log)", "C10 blocked: disk"}));
}

TEST(TimelineSpeedscope, AFunctionSaysWhereItIs) {
    const json file = file_of(incident());
    for (const json& frame : file["shared"]["frames"]) {
        if (frame["name"] == "main") {
            EXPECT_EQ(frame["file"], "/usr/bin/orders");
        }
        if (frame["name"] == "orders") {
            EXPECT_FALSE(frame.contains("file"));
        }
    }
}

TEST(TimelineSpeedscope, HostileNamesAreText) {
    for (const std::string& name : hostile_names()) {
        const json file = file_of(hostile(name));
        if (name.find('\xff') != std::string::npos) continue;
        EXPECT_EQ(name_of(file, file["profiles"][0]["samples"][0][0]), json::parse(output::dump(name)));
    }
}

/// The rules of the specification: times do not fall, every close is of what was opened last. Gives what was
/// open at the outermost level, in all.
std::uint64_t expect_balanced(const json& profile, const json& file) {
    std::vector<json> open;
    std::uint64_t at = profile["startValue"];
    std::uint64_t opened_at = 0;
    std::uint64_t outermost = 0;
    for (const json& event : profile["events"]) {
        EXPECT_GE(event["at"].get<std::uint64_t>(), at);
        at = event["at"];
        EXPECT_LT(event["frame"].get<std::size_t>(), file["shared"]["frames"].size());
        if (event["type"] == "O") {
            if (open.empty()) opened_at = at;
            open.push_back(event["frame"]);
        } else if (!open.empty()) {
            EXPECT_EQ(open.back(), event["frame"]);
            open.pop_back();
            if (open.empty()) outermost += at - opened_at;
        } else {
            ADD_FAILURE() << "a close without an open";
        }
    }
    EXPECT_TRUE(open.empty());
    EXPECT_LE(at, profile["endValue"].get<std::uint64_t>());
    return outermost;
}

TEST(TimelineSpeedscope, ProfilesKeepTheRulesAndSumToTheThread) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = random_timeline(seed);
        const json file = file_of(t);
        std::size_t next = 1;
        for (const Process& process : t.processes) {
            for (const Thread& thread : process.threads) {
                if (thread.slices.empty()) continue;
                const json& profile = file["profiles"].at(next++);
                EXPECT_EQ(expect_balanced(profile, file), thread.to_ns - thread.from_ns);
            }
        }
        EXPECT_EQ(file["profiles"].size(), next);
    }
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const json file = file_of(broken(seed));
        for (std::size_t i = 1; i < file["profiles"].size(); ++i) expect_balanced(file["profiles"][i], file);
    }
}

}  // namespace
}  // namespace waitclose::timeline
