// SPDX-License-Identifier: BSD-2-Clause
// The live view and what happens to terminals: it is stopped and continued, resized in quick order, sent what
// no key is, typed at before there is anything to see, and read by somebody who looks away.
#include <csignal>
#include <fstream>

#include "screen.h"

namespace runtime {

TEST_F(Live, IsStoppedAndContinuedByTheShell) {
    Screen screen(80, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    // In the shell itself, as job control is about its children.
    screen.type(std::string(waitclose_binary()) + " live " + pid_option(*culprit));
    screen.press({"Enter"});
    screen.wait_for("eof-ignored");
    screen.press({"C-z"});
    screen.wait_for("Stopped");
    screen.type("clear; stty -a");
    screen.press({"Enter"});
    std::string modes = screen.wait_for("-xcase");
    std::ranges::replace(modes, '\n', ' ');
    for (const char* mode : {" icanon", " echo ", " isig", " icrnl"})
        EXPECT_TRUE(shows(modes, mode)) << modes;
    EXPECT_EQ(screen.cursor_and_alternate(), "1 0\n");
    screen.type("fg");
    screen.press({"Enter"});
    const std::string seen = screen.wait_for("eof-ignored");
    EXPECT_FALSE(shows(seen, "ready>")) << seen;
    EXPECT_EQ(screen.cursor_and_alternate(), "0 1\n");
    screen.press({"?"});
    screen.wait_for("look inside");
    screen.press({"q"});  // leaves the help alone
    screen.wait_for("eof-ignored");
    screen.press({"q"});
    screen.wait_for("still open");
    EXPECT_EQ(screen.cursor_and_alternate(), "1 0\n");
}

// In the background the terminal is the shell's: it is not touched, and nothing waits for it.
TEST_F(Live, EndsWhenAskedWhileItIsStopped) {
    Screen screen(80, 24);
    screen.type(std::string(waitclose_binary()) + " live");
    screen.press({"Enter"});
    screen.wait_for("states");
    screen.press({"C-z"});
    screen.wait_for("Stopped");
    // `wait` returns at once while the shell still takes the job to be stopped.
    screen.type("clear; p=$(jobs -p); kill %1; while kill -0 $p; do :; done 2>/dev/null; wait");
    screen.type("; echo it has en''ded; jobs; stty -a");
    screen.press({"Enter"});
    screen.wait_for("it has ended");
    std::string modes = screen.wait_for("-xcase");
    EXPECT_TRUE(shows(modes, "still open")) << modes;
    EXPECT_FALSE(shows(modes, "Stopped") || shows(modes, "SOCKETS")) << modes;
    std::ranges::replace(modes, '\n', ' ');
    for (const char* mode : {" icanon", " echo ", " isig", " icrnl"})
        EXPECT_TRUE(shows(modes, mode)) << modes;
    EXPECT_EQ(screen.cursor_and_alternate(), "1 0\n");
}

TEST_F(Live, IsDrawnAnewAfterSomebodyElseStoppedIt) {
    Screen screen(80, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "set +m; ");  // no shell that takes the terminal back
    screen.wait_for("eof-ignored");
    kill(screen.pid(), SIGSTOP);
    { std::ofstream(screen.terminal()) << "\x1b[Hgarbage from elsewhere\n"; }
    screen.wait_for("garbage");
    kill(screen.pid(), SIGCONT);
    const std::string seen =
        screen.wait_until([](const std::string& text) { return !shows(text, "garbage"); });
    EXPECT_TRUE(shows(seen, "CAUSE")) << seen;
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, WhatIsTypedBeforeTheFirstLookIsNotLost) {
    Screen screen(100, 30);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd " + screen.directory() + "; ");
    screen.press({"r"});
    screen.wait_for("r ends it");
    screen.press({"q"});
    screen.expect_sane("left with 0");
    EXPECT_EQ(files_in(screen.directory(), ".db").size(), 1U);
}

TEST_F(Live, ActsOnNoKeyThatNobodyPressed) {
    Screen screen(80, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd " + screen.directory() + "; ");
    screen.wait_for("eof-ignored");
    screen.press({"-H", "1b", "5b", "4d", "20", "71", "72"});                    // the mouse: ESC [ M, q, r
    screen.press({"-H", "1b", "5b", "3c", "30", "3b", "31", "3b", "31", "4d"});  // the mouse, later
    screen.press({"-H", "1b", "5d", "31", "31", "3b", "71", "72", "07"});  // a colour: ESC ] 11 ; q r BEL
    screen.press({"-H", "e2", "82"});                                      // half of a character
    screen.paste("quarrel\nwith q\n");
    std::string seen = screen.wait_for("only the filter");
    EXPECT_FALSE(shows(seen, "REC")) << seen;
    screen.press({"-H", "1b"});  // an arrow, in two parts
    screen.press({"-H", "5b", "42"});
    screen.press({"Enter"});
    screen.wait_for("one hold");
    screen.press({"Escape"});  // at once with the next key it would be Alt
    screen.wait_until([](const std::string& text) { return !shows(text, "one hold"); });
    screen.press({"/"});
    screen.paste("pid 1\n");
    seen = screen.wait_for("filter: pid 1");
    screen.press({"C-u"});
    screen.type("x");
    screen.wait_for("filter: x");
    screen.press({"Escape"});
    screen.wait_for("q quit");
    screen.press({"q"});
    screen.expect_sane("left with 0");
    EXPECT_TRUE(files_in(screen.directory(), ".db").empty());
}

TEST_F(Live, FollowsManySizesInQuickOrder) {
    Screen screen(80, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)});
    screen.wait_for("eof-ignored");
    for (int i = 0; i < 5; ++i)
        for (const auto& [columns, rows] : {std::pair{300, 100}, {20, 5}, {40, 10}, {2, 2}, {132, 43}})
            screen.resize(columns, rows);
    screen.resize(80, 24);
    const std::string seen = screen.wait_for("eof-ignored");
    EXPECT_TRUE(shows(seen, "q quit")) << seen;
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, LetsGoOfWhatItSaid) {
    Screen screen(80, 24);
    screen.start({"live"});
    screen.wait_for("states");
    screen.press({"s"});
    screen.wait_for("sorted by oldest");
    screen.wait_for("q quit");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, AnotherFilterLosesNothingOfWhatEnded) {
    Screen screen(120, 30);
    const auto one = Culprit::in_position({"read_eof"});
    const auto other = Culprit::in_position({"never_read", "--mode", "no-data"});
    screen.start({"live", pid_option(*one) + "," + other->truth().at("pid").dump()});
    screen.wait_until(
        [](const std::string& seen) { return shows(seen, "never_read") && shows(seen, "read_eof"); });
    const auto filter = [&](const std::string& words) {
        screen.press({"/", "C-u"});
        screen.type(words);
        screen.press({"Enter"});
    };
    filter("comm read_eof");
    screen.wait_until([](const std::string& seen) { return !shows(seen, "never_read ("); });
    other->close();
    one->close();
    screen.wait_for("ended");
    screen.press({"c"});
    std::string seen = screen.wait_for("closed by");
    EXPECT_TRUE(shows(seen, "read_eof")) << seen;
    EXPECT_FALSE(shows(seen, "never_read")) << seen;
    filter("");
    seen = screen.wait_for("never_read");
    EXPECT_TRUE(shows(seen, "read_eof")) << seen;
    filter("cgroup /");
    seen = screen.wait_for("filter: cgroup /");
    EXPECT_TRUE(shows(seen, "read_eof") && shows(seen, "never_read")) << seen;
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

}  // namespace runtime
