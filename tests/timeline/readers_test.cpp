// SPDX-License-Identifier: BSD-2-Clause
// Every file is read back by something we did not write: protoc, jq, and the importer of speedscope.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "output/escape.h"
#include "output/json.h"
#include "process.h"
#include "speedscope_package.h"
#include "timeline_fixture.h"
#include "timeline_perfetto_reader.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using nlohmann::json;
using runtime::Finished;
using ::testing::HasSubstr;

/// The files of one timeline.
class Files {
public:
    explicit Files(const Timeline& timeline) {
        for (const Format& format : formats())
            std::ofstream(path(format.name)) << written(timeline, format.write);
    }
    std::string path(std::string_view format) const {
        return directory_.path() + "/out" + std::string(find_format(format)->suffix);
    }

private:
    runtime::TemporaryDirectory directory_;
};

/// The timelines every reader is tried with: ordinary, hostile, random.
std::vector<Timeline> timelines() {
    std::vector<Timeline> all;
    all.push_back(incident());
    for (const std::string& name : hostile_names()) all.push_back(hostile(name));
    for (std::uint32_t seed = 0; seed < 6; ++seed) all.push_back(random_timeline(seed));
    return all;
}

bool installed(const std::string& program) {
    return runtime::run({program, "--version"}).code == 0;
}

Finished read_from(const std::string& command, const std::string& file) {
    return runtime::run({"/bin/sh", "-c", command + " <\"$1\"", "sh", file});
}

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
        ++count;
    return count;
}

TEST(TimelineReaders, ProtocDecodesPerfetto) {
    if (!installed("protoc")) GTEST_SKIP() << "protoc is not installed (protobuf-compiler)";
    for (const Timeline& timeline : timelines()) {
        const Files files(timeline);
        const Finished decoded = read_from("protoc --decode_raw", files.path("perfetto"));
        ASSERT_EQ(decoded.code, 0) << decoded.err;
        const ReadTrace ours(written(timeline, write_perfetto));
        EXPECT_EQ(count_of("\n" + decoded.out, "\n1 {\n"), ours.packets);
    }
    const Finished decoded = read_from("protoc --decode_raw", Files(incident()).path("perfetto"));
    // A begin of a slice: time, track, name, stack.
    EXPECT_THAT(decoded.out, HasSubstr("  8: 5002000000007\n  11 {\n    9: 1\n"));
    EXPECT_THAT(decoded.out, HasSubstr("\"mutex 0x7f held by tid 4190\""));
    EXPECT_THAT(decoded.out, HasSubstr("\"handle_request\""));
}

TEST(TimelineReaders, JqReadsJson) {
    if (!installed("jq")) GTEST_SKIP() << "jq is not installed";
    for (const Timeline& timeline : timelines()) {
        const Files files(timeline);
        EXPECT_EQ(read_from("jq -c .id", files.path("ndjson")).code, 0);
        EXPECT_EQ(count_of(read_from("jq -c .id", files.path("ndjson")).out, "\n"), timeline.holds.size());
        EXPECT_EQ(read_from("jq '.traceEvents | length'", files.path("chrome")).code, 0);
        EXPECT_EQ(read_from("jq '.profiles | length'", files.path("speedscope")).code, 0);
    }
    EXPECT_EQ(read_from("jq -r '.cause.id, .culprit.tid, .held_ns'", Files(incident()).path("ndjson")).out,
              "handler-blocked\n4188\n8000000500\nnull\nnull\n70000000000\n");
}

class SpeedscopeImporter : public ::testing::Test {
protected:
    void SetUp() override {
        if (!speedscope_package()) GTEST_SKIP() << speedscope_package().error();
    }

    static json read(const Files& files, std::string_view format) {
        auto found = speedscope_reads(*speedscope_package(), files.path(format));
        if (found) return *found;
        ADD_FAILURE() << format << ": " << found.error();
        return {{"profiles", json::array()}};
    }

    static double outermost(const json& profile) {
        double sum = 0;
        for (const json& call : profile["calls"]) {
            if (call["depth"] == 0) sum += call["length"].get<double>();
        }
        return sum;
    }

    static std::set<std::string> names(const json& profile) {
        std::set<std::string> names;
        for (const json& call : profile["calls"]) names.insert(call["name"].get<std::string>());
        return names;
    }
};

TEST_F(SpeedscopeImporter, ReadsItsOwnFormat) {
    for (const Timeline& timeline : timelines()) {
        const json group = read(Files(timeline), "speedscope");
        ASSERT_FALSE(group["profiles"].empty());
        double held_ms = 0;
        for (const Hold& hold : timeline.holds)
            held_ms += static_cast<double>(hold.held_ns.value_or(0)) / 1e6;
        EXPECT_NEAR(outermost(group["profiles"][0]), held_ms, 0.01);
        std::size_t next = 1;
        for (const Process& process : timeline.processes) {
            for (const Thread& thread : process.threads) {
                if (thread.slices.empty()) continue;
                EXPECT_EQ(outermost(group["profiles"].at(next++)),
                          static_cast<double>(thread.to_ns - thread.from_ns));
            }
        }
        EXPECT_EQ(group["profiles"].size(), next);
    }
    const json group = read(Files(incident()), "speedscope");
    EXPECT_EQ(group["name"], "waitclose on web-1");
    EXPECT_EQ(group["profiles"][1]["name"], "orders [4121] / worker [4188]");
    EXPECT_TRUE(names(group["profiles"][1]).contains("blocked: lock"));
}

TEST_F(SpeedscopeImporter, ItsSchemaIsKept) {
    const std::string validate =
        "import json, jsonschema, sys\n"
        "jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))";
    if (runtime::run({"python3", "-c", "import jsonschema"}).code != 0) {
        GTEST_SKIP() << "python3 has no jsonschema (python3-jsonschema)";
    }
    const std::string schema = *speedscope_package() + "/dist/release/file-format-schema.json";
    for (const Timeline& timeline : timelines()) {
        const Files files(timeline);
        const Finished ran = runtime::run({"python3", "-c", validate, schema, files.path("speedscope")});
        EXPECT_EQ(ran.code, 0) << ran.err;
    }
}

TEST_F(SpeedscopeImporter, ReadsFolded) {
    for (const Timeline& timeline : timelines()) {
        const Files files(timeline);
        if (written(timeline, write_folded).empty()) continue;
        const json group = read(files, "folded");
        ASSERT_EQ(group["profiles"].size(), 1U);
        std::uint64_t sum = 0;
        std::istringstream in(written(timeline, write_folded));
        for (std::string line; std::getline(in, line);) sum += std::stoull(line.substr(line.rfind(' ') + 1));
        EXPECT_EQ(outermost(group["profiles"][0]), static_cast<double>(sum));
    }
    EXPECT_EQ(names(read(Files(incident()), "folded")["profiles"][0]),
              (std::set<std::string>{"(not known)", "owner not known", "orders", "handler-blocked", "worker",
                                     "lock", "main", "handle_request", "libc.so.6+0x9f3", "futex_wait_[k]"}));
}

TEST_F(SpeedscopeImporter, ReadsChrome) {
    for (const Timeline& timeline : timelines()) {
        std::multiset<std::uint64_t> expected;
        std::set<std::pair<std::uint32_t, std::uint32_t>> lanes;
        bool shared = false;  // two threads of one number: the format cannot tell them apart
        for (const Process& process : timeline.processes) {
            for (const Thread& thread : process.threads) {
                shared = !lanes.emplace(process.pid, thread.tid).second || shared;
                if (!thread.slices.empty()) expected.insert((thread.to_ns - thread.from_ns) / 1000);
            }
        }
        if (shared || expected.empty()) continue;
        std::multiset<std::uint64_t> found;
        const json read_back = read(Files(timeline), "chrome");
        for (const json& profile : read_back["profiles"]) {
            if (profile["name"].get<std::string>().find("4194305") != std::string::npos) continue;  // FINs
            found.insert(static_cast<std::uint64_t>(outermost(profile) + 1e-3));
            for (const json& call : profile["calls"]) EXPECT_EQ(call["depth"], 0);
        }
        EXPECT_EQ(found, expected);
    }
    const json group = read(Files(incident()), "chrome");
    EXPECT_EQ(group["profiles"][0]["name"], "orders (pid 4121), worker (tid 4188)");
}

TEST_F(SpeedscopeImporter, HostileNamesAreText) {
    for (const std::string& name : hostile_names()) {
        if (name.find('\xff') != std::string::npos || name.empty()) continue;
        const Files files(hostile(name));
        EXPECT_TRUE(names(read(files, "speedscope")["profiles"][0]).contains(name)) << name;
        std::string escaped = output::printable(name);
        for (std::size_t at; (at = escaped.find(';')) != std::string::npos;) escaped.replace(at, 1, "\\x3b");
        EXPECT_TRUE(names(read(files, "folded")["profiles"][0]).contains(escaped)) << name;
    }
}

}  // namespace
}  // namespace waitclose::timeline
