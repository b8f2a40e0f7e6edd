// SPDX-License-Identifier: BSD-2-Clause
// The live view in a real terminal on the real kernel, with culprits at work: what it shows, what keys do.
#include "screen.h"

namespace runtime {

TEST_F(Live, ShowsTheCulpritAndLooksInside) {
    Screen screen(100, 30);
    const auto culprit = Culprit::before_fin({"read_eof", "--mode", "worker", "--comm", "live-seen"});
    screen.start({"live", "--comm live-seen", "--ready-file " + screen.directory() + "/ready"});
    screen.wait_for("states");
    culprit->reach_position();
    std::string seen = screen.wait_for("eof-ignored");
    EXPECT_TRUE(shows(seen, "live-seen (" + culprit->truth().at("pid").dump() + ")")) << seen;
    EXPECT_TRUE(std::filesystem::exists(screen.directory() + "/ready"));

    screen.press({"Enter"});
    seen = screen.wait_for("one hold");
    EXPECT_TRUE(shows(seen, "(" + culprit->truth().at("tid").dump() + ")")) << seen;
    EXPECT_TRUE(shows(seen, "what to do")) << seen;
    screen.press({"t"});
    screen.wait_for("WAITS FOR");
    screen.press({"Escape"});
    screen.wait_for("one hold");

    culprit->close();
    screen.wait_for("ended");
    screen.press({"c"});
    screen.wait_for("closed by thread");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, IsWhatWaitcloseAloneDoes) {
    Screen screen(80, 24);
    screen.start({});
    screen.wait_for("CLOSE_WAIT");
    screen.press({"?"});
    screen.wait_for("leave (here: back); waitclose has changed nothing");
    screen.press({"C-c"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, FiltersWithTheWordsOfTheCommandLine) {
    Screen screen(120, 30);
    const auto one = Culprit::in_position({"read_eof"});
    const auto other = Culprit::in_position({"never_read", "--mode", "no-data"});
    screen.start({"live", pid_option(*one) + "," + other->truth().at("pid").dump()});
    screen.wait_until(
        [](const std::string& seen) { return shows(seen, "never_read") && shows(seen, "read_eof"); });
    screen.press({"/"});
    screen.type("comm never_read");
    screen.press({"Enter"});
    screen.wait_until(
        [](const std::string& seen) { return shows(seen, "never_read") && !shows(seen, "read_eof"); });
    screen.press({"/"});
    screen.type(" nonsense");
    screen.press({"Enter"});
    screen.wait_for("is no filter");
    screen.press({"Escape"});  // together they would be Alt and q
    screen.wait_for("q quit");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, HoldsStillWhilePaused) {
    Screen screen(100, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)});
    screen.wait_for("eof-ignored");
    screen.press({"Space"});
    screen.wait_for("PAUSED");
    culprit->close();
    screen.press({"Enter"});
    std::string seen = screen.wait_for("one hold");
    EXPECT_FALSE(shows(seen, "ended")) << seen;
    screen.press({"Space"});
    screen.wait_for("ended");
    screen.press({"h"});
    screen.wait_for("ended");
    screen.wait_until([](const std::string& text) { return !shows(text, "read_eof"); });
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, FollowsTheSizeOfTheTerminal) {
    Screen screen(80, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)});
    screen.wait_for("read_eof");
    screen.resize(200, 60);
    std::string seen = screen.wait_until([](const std::string& text) {
        return std::ranges::count(text, '\n') >= 60 && shows(text.substr(text.size() - 200), "write");
    });
    screen.resize(40, 10);
    screen.wait_for("q quit");
    screen.resize(20, 4);
    screen.wait_for("enlarge the window");
    screen.resize(80, 24);
    screen.wait_for("CAUSE");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, ReadsWithoutColoursAndWithoutUtf8) {
    Screen screen(80, 24, "LC_ALL=C NO_COLOR=1");
    const auto culprit = Culprit::in_position({"read_eof", "--comm", "hostile"});
    screen.start({"live", pid_option(*culprit)});
    const std::string seen = screen.wait_for("CAUSE");
    EXPECT_TRUE(std::ranges::all_of(seen, [](char c) { return (c & 0x80) == 0; })) << seen;
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

// What a terminal cannot do is done without.
class LiveTerminal : public Live, public testing::WithParamInterface<const char*> {};

TEST_P(LiveTerminal, IsDrawnOnWithWhatItHas) {
    Screen screen(80, 24, "LANG=C.UTF-8 TERM=" + std::string(GetParam()));
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)});
    const std::string seen = screen.wait_for("eof-ignored");
    EXPECT_TRUE(shows(seen, "read_eof (" + culprit->truth().at("pid").dump() + ")")) << seen;
    const bool is_red = shows(screen.text({"-e"}), "31m");
    EXPECT_EQ(is_red, std::string(GetParam()) != "vt100") << screen.text({"-e"});
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

INSTANTIATE_TEST_SUITE_P(Terms, LiveTerminal, testing::Values("xterm-256color", "xterm", "vt100", "screen"),
                         [](const auto& tested) {
                             std::string name = tested.param;
                             std::erase(name, '-');
                             return name;
                         });

TEST(LiveUsage, WithoutATerminalItSaysWhatToUse) {
    const Finished finished = run({waitclose_binary(), "live"});
    EXPECT_EQ(finished.code, 1);
    EXPECT_TRUE(shows(finished.err, "needs a terminal")) << finished.err;
    EXPECT_TRUE(shows(finished.err, "waitclose watch")) << finished.err;
    EXPECT_EQ(run({waitclose_binary()}).code, 2);
    EXPECT_EQ(run({waitclose_binary(), "live", "--interval", "1ms"}).code, 2);
}

}  // namespace runtime
