// SPDX-License-Identifier: BSD-2-Clause
#include "commands/live_filter.h"

#include <gtest/gtest.h>

#include "output_fixture.h"

namespace waitclose::commands {
namespace {

using namespace output::testing_machine;

bool lets_pass(const std::string& text) {
    Machine machine = one_leak();  // java (4121), port 8080 from port 51234, held for 1.8 s
    const auto filter = parse_filter(text);
    return filter && passes(machine.census, machine.census.sockets.front(), *filter);
}

TEST(CommandsLiveFilter, UnderstandsTheWordsOfTheCommandLine) {
    for (const char* text : {"", "  ", "pid 4121", "--pid 4121", "-p 1,4121", "comm ^java$", "java", "ja.a",
                             "localport 8080", "-L 80,8080", "remoteport 51234", "4", "min-held 1s",
                             "netns 4026531840", "pid 4121 localport 8080"})
        EXPECT_TRUE(lets_pass(text)) << text;
    for (const char* text :
         {"pid 1", "comm nginx", "nginx", "localport 8443", "remoteport 80", "6", "min-held 10s",
          "netns 4026531841", "cgroup /system.slice", "pid 4121 localport 80"}) {
        EXPECT_TRUE(parse_filter(text)) << text;
        EXPECT_FALSE(lets_pass(text)) << text;
    }
}

TEST(CommandsLiveFilter, SaysWhatItDoesNotUnderstand) {
    for (const char* text :
         {"8080", "java nginx", "pid", "pid x", "comm (", "min-held 10", "cgroup x", "--help"})
        EXPECT_FALSE(parse_filter(text)) << text;
    EXPECT_NE(parse_filter("8080").error().remedy.find("comm"), std::string::npos);
}

TEST(CommandsLiveFilter, OfWhatHasEndedTheHoldersDecide) {
    live::Ended ended;
    ended.holders = {{7, "nginx", std::nullopt}, {4121, "java", "/system.slice/orders.service"}};
    const auto lets_ended_pass = [&](const std::string& text) {
        const auto filter = parse_filter(text);
        return filter && passes(ended, *filter);
    };
    for (const char* text : {"", "pid 4121", "pid 7", "comm java", "cgroup /system.slice",
                             "cgroup /system.slice/orders.service", "pid 4121 cgroup /system.slice"})
        EXPECT_TRUE(lets_ended_pass(text)) << text;
    for (const char* text : {"pid 8", "comm redis", "cgroup /user.slice", "pid 7 cgroup /system.slice"})
        EXPECT_FALSE(lets_ended_pass(text)) << text;
    ended.holders.clear();
    ended.owner = 4121;
    ended.owner_comm = "java";
    EXPECT_TRUE(lets_ended_pass("pid 4121"));
    EXPECT_FALSE(lets_ended_pass("cgroup /system.slice")) << "not known";
}

}  // namespace
}  // namespace waitclose::commands
