// SPDX-License-Identifier: BSD-2-Clause
// The live view in a terminal that takes no output: stopped by Ctrl-S, or shown by somebody who has gone
// away.
#include <algorithm>
#include <filesystem>

#include "pty.h"
#include "screen.h"

namespace runtime {
namespace {

enum class Stall { kUnread, kCtrlS, kStopped };

void stall(Pty& terminal, Stall how) {
    if (how == Stall::kUnread) terminal.fill();
    if (how == Stall::kCtrlS) terminal.type("\x13");
    if (how == Stall::kStopped) tcflow(terminal.slave(), TCOOFF);
    const Deadline deadline(20s);
    pollfd room{terminal.slave(), POLLOUT, 0};
    while (poll(&room, 1, 0) > 0 && deadline.milliseconds_left() > 0) poll(nullptr, 0, 5);
    EXPECT_GT(deadline.milliseconds_left(), 0) << "the terminal takes output";
}

std::string pid_of(const Culprit& culprit) {
    return culprit.truth().at("pid").dump();
}

// Once there is a recording of which something has been written.
std::string wait_for_recording(const std::string& directory) {
    const Deadline deadline(20s);
    while (deadline.milliseconds_left() > 0) {
        const auto paths = files_in(directory, ".db");
        if (!paths.empty() && std::filesystem::file_size(paths.front()) > 0) return paths.front();
        poll(nullptr, 0, 20);
    }
    ADD_FAILURE() << "there is no recording";
    return "";
}

}  // namespace

class LiveStalled : public testing::TestWithParam<std::tuple<Stall, int>> {};

TEST_P(LiveStalled, RecordsAllAndEndsWhenAsked) {
    const auto [how, signal] = GetParam();
    const TemporaryDirectory kept;
    const auto before = Culprit::in_position({"read_eof", "--comm", "live-stalled"});
    const auto during = Culprit::before_fin({"read_eof", "--comm", "live-stalled"});
    Pty terminal({"live", "--comm", "live-stalled"}, kept.path());
    terminal.read_until("(" + pid_of(*before) + ")");
    stall(terminal, how);
    terminal.type("r");
    const std::string path = wait_for_recording(kept.path());
    during->reach_position();
    during->wait_until_held_for(1s);
    during->close();
    before->close();
    kill(terminal.pid(), signal);
    EXPECT_EQ(terminal.wait(15s), 0);
    EXPECT_TRUE(terminal.is_sane());
    const std::string rest = terminal.read_rest();
    EXPECT_TRUE(shows(rest, "\x1b[?1049l")) << rest;
    EXPECT_TRUE(shows(rest, "recorded to waitclose-")) << rest;
    const Finished report = run({waitclose_binary(), "report", path});
    for (const auto* culprit : {before.get(), during.get()})
        EXPECT_TRUE(shows(report.out, "(" + pid_of(*culprit) + ")")) << report.out;
    EXPECT_FALSE(shows(report.out, "cut off")) << report.out;
    const auto ended = [&](const Culprit& culprit) {
        return run({"sqlite3", path,
                    "SELECT count(ended_ns) FROM holds WHERE local_port = " +
                        culprit.truth().at("port").dump()})
            .out;
    };
    EXPECT_EQ(ended(*before), "1\n");
    EXPECT_EQ(ended(*during), "1\n");
}

INSTANTIATE_TEST_SUITE_P(Stalls, LiveStalled,
                         testing::Combine(testing::Values(Stall::kUnread, Stall::kCtrlS, Stall::kStopped),
                                          testing::Values(SIGTERM, SIGHUP, SIGINT)));

TEST(LiveUnread, IsDrawnOnceSomebodyReadsAgain) {
    const auto culprit = Culprit::in_position({"read_eof"});
    Pty terminal({"live", "-p", pid_of(*culprit)});
    terminal.read_until("(" + pid_of(*culprit) + ")");
    stall(terminal, Stall::kUnread);
    terminal.type(" ");
    terminal.type("?");
    terminal.read_until("look inside");
    terminal.type("qq");  // the first leaves the help
    terminal.read_until("still open");
    EXPECT_EQ(terminal.wait(15s), 0);
    EXPECT_TRUE(terminal.is_sane());
}

TEST(LiveUnread, ACrashGivesTheTerminalBack) {
    for (const Stall how : {Stall::kUnread, Stall::kCtrlS}) {
        Pty terminal({"live"});
        terminal.read_until("states");
        stall(terminal, how);
        kill(terminal.pid(), SIGABRT);
        EXPECT_EQ(terminal.wait(15s), 128 + SIGABRT);
        EXPECT_TRUE(terminal.is_sane());
        const std::string rest = terminal.read_rest();
        EXPECT_TRUE(shows(rest, "\x1b[?1049l")) << rest;
    }
}

TEST(LiveSizes, AbsurdOnesAreSurvived) {
    const auto culprit = Culprit::in_position({"read_eof"});
    Pty terminal({"live", "-p", pid_of(*culprit)}, "/", {0, 0, 0, 0});
    terminal.read_until("(" + pid_of(*culprit) + ")");
    for (const auto& [rows, columns] :
         {std::pair{65535, 65535}, {20000, 20000}, {1, 1}, {0, 0}, {1, 400}, {400, 1}}) {
        terminal.resize(static_cast<unsigned short>(rows), static_cast<unsigned short>(columns));
        terminal.type(" ");
    }
    terminal.resize(24, 80);
    terminal.type("\x0c");
    terminal.read_until("(" + pid_of(*culprit) + ")");
    terminal.type("q");
    terminal.read_until("still open");
    EXPECT_EQ(terminal.wait(15s), 0);
}

}  // namespace runtime
