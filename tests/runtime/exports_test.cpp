// SPDX-License-Identifier: BSD-2-Clause
// The files of a recording of real culprits: they keep the rules, agree with each other, and are read by
// programs that are not ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "features.h"
#include "programs.h"
#include "replay/replay.h"
#include "speedscope_package.h"
#include "store/recording.h"
#include "timeline/check.h"
#include "timeline/format.h"
#include "timeline_properties.h"

namespace runtime {

namespace {

namespace timeline = waitclose::timeline;
namespace told = waitclose::timeline::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// One recording for all tests of the suite: a handler that waits for a lock and closes in the end, a leak, a
/// connection nobody accepts, one that is on its way from one process to another, and one that was passed on.
class Exports : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        directory_ = std::make_unique<TemporaryDirectory>();
        Process recorder({waitclose_binary(), "record", "--all-transitions", "--min-held", "0ms", "-o",
                          path("incident.db"), "--ready-file", path("ready")});
        wait_for_file(path("ready"));
        auto blocked = Culprit::before_start({"blocked", "--mode", "lock"});
        blocked->reach_position();
        const auto leak = Culprit::in_position({"read_eof", "--mode", "worker"});
        const auto queued = Culprit::in_position({"never_accepted", "--mode", "single"});
        const auto passing = Culprit::in_position({"passed", "--mode", "in-flight"});
        passing_port_ = passing->truth().at("port");
        const auto handed = Culprit::in_position({"passed", "--mode", "handed-on"});
        handed->wait_until_held_for(2500ms);
        handed_ = handed->truth();
        receiver_ = handed->close().at("closer_pid");
        closed_ = blocked->close();
        handed->wait_until_held_for(5s);
        recorder.signal(SIGINT);
        recorded_ = recorder.wait(30s) == 0;
        for (const timeline::Format& format : timeline::formats()) {
            const std::string name(format.name);
            const Finished ran = run({waitclose_binary(), "export", "--format", name, "--min-held", "0", "-o",
                                      path(name), path("incident.db")});
            if (ran.code != 0) failed_ += name + ": " + ran.err;
        }
    }
    static void TearDownTestSuite() { directory_.reset(); }
    void SetUp() override { ASSERT_TRUE(recorded_ && failed_.empty()) << failed_; }

    static std::string path(const std::string& name) { return directory_->path() + "/" + name; }
    static std::string text_of(const std::string& format) { return read_whole(path(format)); }
    static timeline::Timeline replayed() {
        waitclose::replay::Replay replay({});
        const auto played = waitclose::store::play(path("incident.db"), replay);
        EXPECT_TRUE(played) << played.error().what;
        return std::move(replay.finish().timeline);
    }

    static std::unique_ptr<TemporaryDirectory> directory_;
    static json closed_;
    static json passing_port_;
    static json handed_;
    static json receiver_;
    static bool recorded_;
    static std::string failed_;
};

std::unique_ptr<TemporaryDirectory> Exports::directory_;
json Exports::closed_;
json Exports::passing_port_;
json Exports::handed_;
json Exports::receiver_;
bool Exports::recorded_ = false;
std::string Exports::failed_;

bool is_there(const std::string& program) {
    return run({"sh", "-c", "command -v \"$0\"", program}).code == 0;
}

}  // namespace

TEST_F(Exports, TheTimelineKeepsTheRules) {
    const timeline::Timeline t = replayed();
    EXPECT_THAT(timeline::check(t), IsEmpty());
    EXPECT_GE(t.holds.size(), 4U);
    // Who closed has a lane that reaches to the close, though no look saw the process again.
    const auto by_closer = [](const timeline::Hold& hold) {
        return hold.closed && hold.closed->tid == closed_.at("closer_tid");
    };
    const auto hold = std::ranges::find_if(t.holds, by_closer);
    ASSERT_NE(hold, t.holds.end());
    const timeline::Thread* closer = t.thread_at(hold->closed->where);
    ASSERT_NE(closer, nullptr);
    EXPECT_GE(closer->to_ns, hold->closed->at_ns);
}

TEST_F(Exports, EveryFormatTellsTheSame) {
    const told::Told expected = told::told_by(replayed());
    EXPECT_GE(expected.threads.size(), 4U);
    EXPECT_GE(expected.holds.size(), 4U);
    const told::Told chrome = told::told_by_chrome(text_of("chrome"));
    const told::Told perfetto = told::told_by_perfetto(text_of("perfetto"));
    const told::Told speedscope = told::told_by_speedscope(text_of("speedscope"));
    const told::Told ndjson = told::told_by_ndjson(text_of("ndjson"));
    for (const told::Told* one : {&chrome, &perfetto, &speedscope, &ndjson})
        EXPECT_THAT(one->wrong, IsEmpty());
    for (const told::Told* one : {&chrome, &perfetto, &speedscope}) EXPECT_EQ(one->threads, expected.threads);
    for (const told::Told* one : {&chrome, &perfetto, &ndjson}) EXPECT_EQ(one->holds, expected.holds);
    std::uint64_t held_ns = 0;
    for (const std::uint64_t length : expected.holds) held_ns += length;
    const std::string folded = text_of("folded");
    EXPECT_NEAR(static_cast<double>(told::milliseconds_in_folded(folded)), static_cast<double>(held_ns) / 1e6,
                static_cast<double>(std::ranges::count(folded, '\n')));
}

TEST_F(Exports, WhatIsOnItsWayIsNobodys) {
    EXPECT_THAT(text_of("folded"), HasSubstr("owner not known;in-flight-fd;"));
    std::istringstream lines(text_of("ndjson"));
    for (std::string line; std::getline(lines, line);) {
        const json hold = json::parse(line);
        if (hold.at("local").at("port") != passing_port_) continue;
        EXPECT_TRUE(hold.at("owner").is_null()) << line;
    }
}

TEST_F(Exports, WhatWasPassedOnIsOfOneAfterTheOther) {
    std::istringstream lines(text_of("ndjson"));
    json found;
    for (std::string line; std::getline(lines, line);) {
        json hold = json::parse(line);
        if (hold.at("local").at("port") == handed_.at("port")) found = std::move(hold);
    }
    ASSERT_TRUE(found.is_object());
    ASSERT_EQ(found.at("held_by").size(), 2U) << found;
    EXPECT_EQ(found.at("held_by")[0].at("owner").at("pid"), handed_.at("pid"));
    EXPECT_EQ(found.at("held_by")[1].at("owner").at("pid"), receiver_);
    EXPECT_EQ(found.at("holders")[0].at("pid"), receiver_);
    std::set<json> pids;  // of the slices that are the hold
    const json trace = json::parse(text_of("chrome"));
    const std::string port = ":" + handed_.at("port").dump() + " ";
    for (const json& event : trace.at("traceEvents"))
        if (event.at("ph") == "b" && event.at("name").get<std::string>().find(port) != std::string::npos)
            pids.insert(event.at("pid"));
    EXPECT_EQ(pids, (std::set<json>{handed_.at("pid"), receiver_}));
}

TEST_F(Exports, ProtocDecodesPerfetto) {
    if (!is_there("protoc")) GTEST_SKIP() << "SKIPPED: protoc is not installed (protobuf-compiler)";
    const Finished decoded = run({"sh", "-c", "protoc --decode_raw <\"$0\"", path("perfetto")});
    ASSERT_EQ(decoded.code, 0) << decoded.err;
    std::size_t packets = 0;
    std::istringstream lines(decoded.out);
    for (std::string line; std::getline(lines, line);) packets += line == "1 {" ? 1 : 0;
    EXPECT_EQ(packets, told::ReadTrace(text_of("perfetto")).packets);
    EXPECT_THAT(decoded.out, HasSubstr("\"CLOSE_WAIT: handler-blocked\""));
    EXPECT_THAT(decoded.out, HasSubstr("\"owner not known\""));
    EXPECT_THAT(decoded.out, HasSubstr("\"blocked: lock\""));
}

TEST_F(Exports, JqReadsJson) {
    if (!is_there("jq")) GTEST_SKIP() << "SKIPPED: jq is not installed";
    const Finished causes = run({"jq", "-r", ".cause.id // \"\"", path("ndjson")});
    EXPECT_EQ(causes.code, 0) << causes.err;
    for (const char* cause : {"handler-blocked", "never-accepted", "in-flight-fd"})
        EXPECT_THAT(causes.out, HasSubstr(cause));
    for (const char* format : {"chrome", "speedscope"})
        EXPECT_EQ(run({"jq", "-e", "length > 0", path(format)}).code, 0) << format;
}

/// What the page of speedscope makes of the three formats it knows.
TEST_F(Exports, SpeedscopeImportsThreeOfThem) {
    const auto& package = timeline::testing::speedscope_package();
    if (!package) GTEST_SKIP() << "SKIPPED: " << package.error();
    const auto outermost = [](const json& profile) {
        double sum = 0;
        for (const json& call : profile.at("calls"))
            if (call.at("depth") == 0) sum += call.at("length").get<double>();
        return sum;
    };
    const auto names = [](const json& profile) {
        std::set<std::string> found;
        for (const json& call : profile.at("calls")) found.insert(call.at("name"));
        return found;
    };
    const told::Told expected = told::told_by(replayed());
    const auto own = timeline::testing::speedscope_reads(*package, path("speedscope"));
    ASSERT_TRUE(own) << own.error();
    EXPECT_TRUE(names(own->at("profiles")[0]).contains("owner not known"));
    told::Lengths threads;
    for (std::size_t i = 1; i < own->at("profiles").size(); ++i)
        threads.insert(static_cast<std::uint64_t>(outermost(own->at("profiles")[i])));
    EXPECT_EQ(threads, expected.threads);

    const auto folded = timeline::testing::speedscope_reads(*package, path("folded"));
    ASSERT_TRUE(folded) << folded.error();
    EXPECT_EQ(outermost(folded->at("profiles")[0]),
              static_cast<double>(told::milliseconds_in_folded(text_of("folded"))));

    const auto chrome = timeline::testing::speedscope_reads(*package, path("chrome"));
    ASSERT_TRUE(chrome) << chrome.error();
    told::Lengths lanes;  // in microseconds, as the format has them
    told::Lengths expected_us;
    for (const std::uint64_t length : expected.threads) expected_us.insert(length / 1000);
    bool waits_for_lock = false;
    for (const json& profile : chrome->at("profiles")) {
        for (const std::string& name : names(profile))
            waits_for_lock = waits_for_lock || name.starts_with("blocked: lock");  // and its details
        if (profile.at("name").get<std::string>().find("FIN received") == std::string::npos)
            // Half a nanosecond for the errors of the sum: a whole one would lift what ends in .999.
            lanes.insert(static_cast<std::uint64_t>(outermost(profile) + 5e-4));
    }
    EXPECT_EQ(lanes, expected_us);
    EXPECT_TRUE(waits_for_lock);
}

TEST_F(Exports, TheSchemaOfSpeedscopeIsKept) {
    const auto& package = timeline::testing::speedscope_package();
    if (!package) GTEST_SKIP() << "SKIPPED: " << package.error();
    if (run({"python3", "-c", "import jsonschema"}).code != 0)
        GTEST_SKIP() << "SKIPPED: python3 has no jsonschema (python3-jsonschema)";
    const std::string validate =
        "import json, jsonschema, sys\n"
        "jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))";
    const Finished ran = run(
        {"python3", "-c", validate, *package + "/dist/release/file-format-schema.json", path("speedscope")},
        60s);
    EXPECT_EQ(ran.code, 0) << ran.err;
}

}  // namespace runtime
