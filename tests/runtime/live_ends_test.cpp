// SPDX-License-Identifier: BSD-2-Clause
// The live view: however it ends, the terminal is as it was, and a recording is complete.
#include <csignal>
#include <iterator>

#include "screen.h"

namespace runtime {

// Leaving the view and a signal end it in order, paused or not.
class LiveRecording : public Live, public testing::WithParamInterface<int> {};

TEST_P(LiveRecording, IsFinishedAtTheEnd) {
    Screen screen(80, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd " + screen.directory() + "; ");
    screen.wait_for("eof-ignored");
    screen.press({"r"});
    screen.wait_for("r ends it");
    if (GetParam() != 0) {
        screen.press({"Space"});
        screen.wait_for("PAUSED");
        kill(screen.pid(), GetParam());
    } else {
        screen.press({"q"});
    }
    screen.expect_sane("left with 0");
    EXPECT_TRUE(shows(screen.text(), "recorded to waitclose-")) << screen.text();
    const auto paths = files_in(screen.directory(), ".db");
    ASSERT_EQ(paths.size(), 1U);
    const Finished report = run({waitclose_binary(), "report", paths.front()});
    EXPECT_EQ(report.code, 0) << report.err;
    EXPECT_TRUE(shows(report.out, "eof-ignored")) << report.out;
    EXPECT_FALSE(shows(report.out, "cut off")) << report.out;
}

INSTANTIATE_TEST_SUITE_P(Ends, LiveRecording, testing::Values(0, SIGTERM, SIGHUP),
                         [](const auto& tested) { return "Signal" + std::to_string(tested.param); });

// Whoever inherits it may take its time to take note of its end.
bool goes_on(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::size_t name_end = stat.rfind(") ");
    return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

// The window is closed, or the connection to the machine is gone.
TEST_F(Live, EndsWithItsTerminalAndFinishesItsRecording) {
    const TemporaryDirectory kept;
    const auto culprit = Culprit::in_position({"read_eof"});
    pid_t pid = 0;
    {
        Screen screen(80, 24);
        screen.start({"live", pid_option(*culprit)}, "cd " + kept.path() + "; ");
        screen.wait_for("eof-ignored");
        screen.press({"r"});
        screen.wait_for("r ends it");
        pid = screen.pid();
    }
    const Deadline deadline(20s);
    while (goes_on(pid) && deadline.milliseconds_left() > 0) poll(nullptr, 0, 20);
    EXPECT_FALSE(goes_on(pid)) << "without a terminal";
    const auto paths = files_in(kept.path(), ".db");
    ASSERT_EQ(paths.size(), 1U);
    const Finished report = run({waitclose_binary(), "report", paths.front()});
    EXPECT_TRUE(shows(report.out, "eof-ignored")) << report.out;
    EXPECT_FALSE(shows(report.out, "cut off")) << report.out;
}

// However it ends, the shell goes on in the terminal it had.
class LiveSignal : public Live, public testing::WithParamInterface<int> {};

TEST_P(LiveSignal, LeavesTheTerminalSane) {
    Screen screen(80, 24);
    screen.start({"live"});
    screen.wait_for("states");
    kill(screen.pid(), GetParam());
    const bool ends_by_itself = GetParam() == SIGTERM || GetParam() == SIGHUP || GetParam() == SIGINT;
    screen.expect_sane(ends_by_itself ? "left with 0" : "left with " + std::to_string(128 + GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Signals, LiveSignal,
                         testing::Values(SIGTERM, SIGHUP, SIGINT, SIGABRT, SIGSEGV, SIGQUIT, SIGUSR1,
                                         SIGALRM),
                         [](const auto& tested) { return "Signal" + std::to_string(tested.param); });

}  // namespace runtime
