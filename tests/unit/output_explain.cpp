// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diagnose_builder.h"
#include "output/explain.h"
#include "output_fixture.h"

namespace waitclose::output {
namespace {

using testing_machine::is_harmless;
using testing_machine::widest_line;
using testing_machine::written_by;
using namespace waitclose::test;

class Explaining : public testing::Test {
protected:
    static Builder twelve_of_one() {
        Builder b;
        const auto p = b.process(10, {asleep(10, SYS_epoll_wait)});
        for (int i = 0; i < 12; ++i) {
            auto& socket = b.socket({{p, 50 + i}});
            socket.netns = 7;
            socket.cookie = static_cast<std::uint64_t>(100 + i);
            socket.last_data_ns = kFin - 3 * kSec;
            socket.received_bytes = 1000;
            socket.unread_bytes = 1000;
        }
        return b;
    }

    Explained hold() { return {b.census, diagnoser, "", true, 3, {}}; }
    Explained group() {
        std::vector<std::uint32_t> all;
        for (std::uint32_t i = 0; i < b.census.sockets.size(); ++i) all.push_back(i);
        return {b.census, diagnoser, "the holds of process 10", false, 0, diagnose::group(b.census, all)};
    }
    std::string text_of(const Explained& explained, TextStyle style = {}) {
        return written_by([&](Sink& sink) { write_explained_text(sink, explained, style); });
    }
    nlohmann::ordered_json json_of(const Explained& explained) {
        return nlohmann::ordered_json::parse(
            written_by([&](Sink& sink) { write_explained_json(sink, explained); }));
    }

    Builder b = twelve_of_one();
    diagnose::Diagnoser diagnoser{b.census};
};

TEST_F(Explaining, AHold) {
    const std::string text = text_of(hold());
    for (const char* words :
         {"Hold          7:103\n", "Held          for 22 s, since ", "(exact: its", "Held by       p10",
          "Data          1,000 of 1,000 bytes received are unread", "Cause         abandoned, possible",
          "Culprit       perhaps thread t10 (tid 10) of process 10", "Contributing  peer-timeout\n",
          "peer-timeout \u2248 3.0 s (n = 12)", "Ruled out     never-accepted: ", "none of the 1000 bytes",
          "Advice        If so: Find the path"})
        EXPECT_NE(text.find(words), std::string::npos) << words << " is missing in\n" << text;
    EXPECT_LE(widest_line(text), 80U);
}

TEST_F(Explaining, AHoldAsJson) {
    const auto object = json_of(hold());
    EXPECT_EQ(object.at("id"), "7:103");
    EXPECT_EQ(object.at("alternatives").size(), 18U);
    EXPECT_EQ(object.at("alternatives")[0].at("id"), "never-accepted");
    EXPECT_TRUE(object.at("alternatives")[0].contains("why_not"));
}

TEST_F(Explaining, AGroup) {
    const std::string text = text_of(group());
    for (const char* words :
         {"Asked for     the holds of process 10\n", "Group         12 sockets of p10 (pid 10) on port 8080",
          "Most unread   7:", "Culprits      t10 (tid 10): 12 sockets", "Its typical member in full"})
        EXPECT_NE(text.find(words), std::string::npos) << words << " is missing in\n" << text;
    const auto object = json_of(group());
    EXPECT_EQ(object.at("sockets"), 12);
    EXPECT_EQ(object.at("typical").at("id"), object.at("members").at("typical"));
    EXPECT_EQ(object.at("others").size(), 0U);
}

TEST_F(Explaining, OtherGroupsInALineEach) {
    b.census.sockets[11].local.port = 9090;
    EXPECT_NE(text_of(group()).find("Also there    1 socket of p10 (pid 10) on port 9090: abandoned"),
              std::string::npos)
        << text_of(group());
    EXPECT_EQ(json_of(group()).at("others").size(), 1U);
}

TEST_F(Explaining, HostileNamesInAnAsciiTerminalOf40Columns) {
    b.census.processes[0].comm = "\033[2J<script>\n";
    b.census.processes[0].exe = std::string(300, '\a');
    b.census.threads[0].comm = "\xff\xc2\x9b";
    TextStyle style;
    style.width = 40;
    style.charset = Charset::kAscii;
    for (const auto& explained : {hold(), group()}) {
        const std::string text = text_of(explained, style);
        EXPECT_TRUE(is_harmless(text)) << text;
        EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; })) << text;
        EXPECT_LE(widest_line(text), 40U) << text;
        EXPECT_NE(text.find("peer-timeout ~ 3.0 s"), std::string::npos) << text;
    }
}

TEST_F(Explaining, WithoutAHolder) {
    b.census.sockets[3].holder_count = 0;
    EXPECT_NE(text_of(hold()).find("Held by       no descriptor that can be seen here"), std::string::npos);
    EXPECT_NE(text_of(hold()).find("nobody is named"), std::string::npos);
}

}  // namespace
}  // namespace waitclose::output
