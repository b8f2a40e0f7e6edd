// SPDX-License-Identifier: BSD-2-Clause
// The live view in a real terminal, which is tmux, on the real kernel, with culprits at work.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <poll.h>

#include "programs.h"

namespace runtime {

namespace {

// One window of a tmux server of its own, with a shell that is there before and after waitclose.
class Screen {
public:
    Screen(int columns, int rows, const std::string& environment = "LANG=C.UTF-8") {
        run({"tmux", "-S", socket(), "-f", "/dev/null", "new-session", "-d", "-x", std::to_string(columns),
             "-y", std::to_string(rows),
             "env PS1='ready> ' " + environment + " HISTFILE= bash --norc --noprofile"});
        wait_for("ready>");
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen() { tmux({"kill-server"}); }

    // `keys` as tmux names them.
    void press(const Arguments& keys) {
        Arguments command{"send-keys"};
        command.insert(command.end(), keys.begin(), keys.end());
        tmux(command);
    }
    void type(const std::string& text) { tmux({"send-keys", "-l", text}); }
    void resize(int columns, int rows) {
        tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
    }
    std::string text() { return tmux({"capture-pane", "-p"}); }

    // The screen once it shows these words, or as it is when it has not in time.
    std::string wait_for(const std::string& words) {
        return wait_until([&](const std::string& seen) { return seen.find(words) != std::string::npos; });
    }
    std::string wait_until(const std::function<bool(const std::string&)>& is_so) {
        const Deadline deadline(30s);
        for (;;) {
            std::string seen = text();
            if (is_so(seen)) return seen;
            if (deadline.milliseconds_left() == 0) {
                ADD_FAILURE() << "never seen; the screen is\n" << seen;
                return seen;
            }
            poll(nullptr, 0, 20);
        }
    }

    // Starts waitclose there; Empty arguments: `waitclose` alone.
    void start(const Arguments& options, const std::string& before = "") {
        std::string line =
            before + "sh -c 'echo $$ >" + directory_.path() + "/pid; exec " + waitclose_binary();
        for (const std::string& option : options) line += " " + option;
        type(line + "'; echo left with $?; stty -a");
        press({"Enter"});
    }
    pid_t pid() {
        std::ifstream file(directory_.path() + "/pid");
        pid_t pid = 0;
        file >> pid;
        return pid;
    }
    const std::string& directory() const { return directory_.path(); }

    // What stty says of the terminal, and what the shell prints, once waitclose has gone.
    void expect_sane(const std::string& words) {
        const std::string seen = wait_for(words);
        EXPECT_EQ(seen.find("CAUSE"), std::string::npos) << "the view is still there\n" << seen;
        std::string after = wait_for("-xcase");
        std::ranges::replace(after, '\n', ' ');
        for (const char* mode : {" icanon", " echo ", " isig", " icrnl", " opost", " onlcr"})
            EXPECT_NE(after.find(mode), std::string::npos) << mode << "\n" << after;
        EXPECT_EQ(tmux({"display-message", "-p", "#{cursor_flag} #{alternate_on}"}), "1 0\n");
    }

private:
    std::string socket() const { return directory_.path() + "/tmux"; }
    std::string tmux(const Arguments& arguments) {
        Arguments command{"tmux", "-S", socket()};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return run(command).out;
    }

    TemporaryDirectory directory_;
};

class Live : public testing::Test {
protected:
    void SetUp() override {
        if (run({"sh", "-c", "command -v tmux"}).code != 0) GTEST_SKIP() << "SKIPPED: no tmux here";
    }
    std::string pid_option(const Culprit& culprit) { return "-p " + culprit.truth().at("pid").dump(); }
};

bool shows(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST_F(Live, ShowsTheCulpritAndLooksInside) {
    Screen screen(100, 30);
    const auto culprit = Culprit::before_fin({"read_eof", "--mode", "worker"});
    screen.start({"live", "--comm read_eof", "--ready-file " + screen.directory() + "/ready"});
    screen.wait_for("states");
    culprit->reach_position();
    std::string seen = screen.wait_for("eof-ignored");
    EXPECT_TRUE(shows(seen, "read_eof (" + culprit->truth().at("pid").dump() + ")")) << seen;
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
    screen.wait_for("leave; waitclose has changed nothing");
    screen.press({"C-c"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, FiltersWithTheWordsOfTheCommandLine) {
    Screen screen(120, 30);
    const auto one = Culprit::in_position({"read_eof"});
    const auto other = Culprit::in_position({"never_read", "--mode", "no-data"});
    screen.start({"live"});
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
    screen.press({"Escape", "q"});
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

TEST_F(Live, WritesWhatItShows) {
    Screen screen(100, 30);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd " + screen.directory() + "; ");
    screen.wait_for("read_eof");
    screen.press({"w"});
    screen.wait_for("written: ");
    screen.press({"q"});
    screen.expect_sane("left with 0");
    json document;
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(screen.directory())) {
        std::ifstream file(entry.path());
        const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        if (entry.path().extension() == ".json") document = json::parse(content, nullptr, false);
        if (entry.path().extension() == ".txt") text = content;
    }
    EXPECT_TRUE(shows(text, "read_eof")) << text;
    ASSERT_TRUE(document.is_object()) << document;
    EXPECT_EQ(document.at("sockets").size(), 1U);
    EXPECT_TRUE(find_socket(document, culprit->truth()));
}

// The files in the directory that end so, one path a line.
std::vector<std::string> files_in(const std::string& directory, const std::string& extension) {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == extension) paths.push_back(entry.path());
    return paths;
}

TEST_F(Live, RecordsWhatIsWatched) {
    Screen screen(100, 30);
    const auto before = Culprit::in_position({"read_eof"});
    screen.start({"live", "--comm read_eof"}, "cd " + screen.directory() + "; ");
    screen.wait_for("eof-ignored");
    const auto seen_begin = Culprit::in_position({"read_eof"});
    screen.wait_for("read_eof (" + seen_begin->truth().at("pid").dump() + ")");
    screen.press({"r"});
    screen.wait_for("r ends it");
    screen.wait_for("REC");
    const auto meanwhile = Culprit::in_position({"read_eof"});
    screen.wait_for("read_eof (" + meanwhile->truth().at("pid").dump() + ")");
    screen.press({"r"});
    const std::string seen = screen.wait_for("recorded: waitclose-");
    EXPECT_FALSE(shows(seen, "REC")) << seen;
    const auto paths = files_in(screen.directory(), ".db");
    ASSERT_EQ(paths.size(), 1U);
    EXPECT_TRUE(files_in(screen.directory(), ".db-wal").empty());
    const Finished report = run({waitclose_binary(), "report", paths.front()});
    EXPECT_EQ(report.code, 0) << report.err;
    for (const auto* culprit : {before.get(), seen_begin.get(), meanwhile.get()})
        EXPECT_TRUE(shows(report.out, "(" + culprit->truth().at("pid").dump() + ")")) << report.out;
    EXPECT_TRUE(shows(report.out, "eof-ignored")) << report.out;
    // What the session saw before is not forgotten.
    // Others on this machine may hold something, too.
    EXPECT_EQ(
        run({"sqlite3", paths.front(), "SELECT count(*) >= 2 FROM holds WHERE precision = 'exact'"}).out,
        "1\n");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

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

TEST_F(Live, SaysWhyItCannotRecordAndGoesOn) {
    Screen screen(120, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd /proc; ");
    screen.wait_for("eof-ignored");
    screen.press({"r"});
    std::string seen = screen.wait_for("cannot");
    EXPECT_TRUE(shows(seen, "start waitclose")) << seen;
    EXPECT_FALSE(shows(seen, "REC")) << seen;
    screen.press({"Enter"});
    screen.wait_for("one hold");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, SurvivesAFullDisk) {
    Screen screen(120, 24);
    const std::string directory = screen.directory() + "/small";
    std::filesystem::create_directory(directory);
    if (run({"mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", directory}).code != 0)
        GTEST_SKIP() << "SKIPPED: no tmpfs can be mounted here";
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd " + directory + "; ");
    screen.wait_for("eof-ignored");
    screen.press({"r"});
    screen.wait_until([](const std::string& seen) { return shows(seen, "disk") || shows(seen, "cannot"); });
    EXPECT_FALSE(shows(screen.text(), "REC"));
    screen.press({"Enter"});
    screen.wait_for("one hold");
    screen.press({"q"});
    screen.expect_sane("left with 0");
    run({"umount", "-l", directory});
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
                         testing::Values(SIGTERM, SIGHUP, SIGINT, SIGABRT, SIGSEGV, SIGQUIT),
                         [](const auto& tested) { return "Signal" + std::to_string(tested.param); });

TEST(LiveUsage, WithoutATerminalItSaysWhatToUse) {
    const Finished finished = run({waitclose_binary(), "live"});
    EXPECT_EQ(finished.code, 1);
    EXPECT_TRUE(shows(finished.err, "needs a terminal")) << finished.err;
    EXPECT_TRUE(shows(finished.err, "waitclose watch")) << finished.err;
    EXPECT_EQ(run({waitclose_binary()}).code, 2);
    EXPECT_EQ(run({waitclose_binary(), "live", "--interval", "1ms"}).code, 2);
}

}  // namespace runtime
