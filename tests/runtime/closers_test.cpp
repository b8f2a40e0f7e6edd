// SPDX-License-Identifier: BSD-2-Clause
// Who is said to have closed a socket.
#include <gtest/gtest.h>

#include "programs.h"

namespace runtime {

namespace {

// Each connection of the program is closed by its main thread.
void expect_the_main_thread(const char* mode) {
    Culprit culprit({culprit_path("closed_meanwhile"), mode});
    const json ready = culprit.next_line();
    Watch watch({"--min-held", "0ms", "-L", ready.at("port").dump()});
    culprit.command("go");
    const int rounds = culprit.next_line(60s).at("rounds");
    int closed = 0;
    watch.until([&](const json& line) { return line.at("event") == "closed" && ++closed == rounds; }, 20s);
    EXPECT_EQ(closed, rounds);
    ASSERT_EQ(watch.stop().code, 0);
    for (const json& line : watch.events())
        if (line.at("event") == "closed") {
            EXPECT_EQ(line.at("closer").at("pid"), ready.at("pid")) << line;
            EXPECT_EQ(line.at("closer").at("tid"), ready.at("pid")) << line;
        }
}

}  // namespace

TEST(Closers, AreWhoCalledCloseNotWhoReadMeanwhile) {
    expect_the_main_thread("read");
}

TEST(Closers, AreWhoPutAnotherFileInItsPlaceNotWhoClosedACopyBefore) {
    expect_the_main_thread("replaced");
}

TEST(Closers, AreNotWhoClosedWhatAnotherShutDown) {
    expect_the_main_thread("shutdown");
}

}  // namespace runtime
