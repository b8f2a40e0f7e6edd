// SPDX-License-Identifier: BSD-2-Clause
// The terminal layer on a pty: what it gives back when the program crashes, and what sizes it believes.
#include "live/terminal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "commands/background.h"
#include "live/outlet.h"

namespace waitclose::live {
namespace {

const output::TextStyle kStyle{80, output::Color::kOff, output::Charset::kAscii, true};

struct Ended {
    int status = 0;
    bool sane = false;  // the modes are those of before
    std::string drawn;
};

/// What becomes of a terminal in which a process does this.
Ended in_terminal(winsize size, const std::function<void(Terminal&)>& work) {
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) return {};
    termios before{};
    ::tcgetattr(slave, &before);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(master);
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_CORE, &none);
        ::login_tty(::dup(slave));
        ::setenv("TERM", "xterm", 1);
        {
            const auto terminal = Terminal::open(kStyle);
            if (!terminal) ::_exit(1);
            work(**terminal);
        }
        ::_exit(0);
    }
    Ended ended;
    ::waitpid(child, &ended.status, 0);
    termios after{};
    ::tcgetattr(slave, &after);
    ended.sane =
        after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag && after.c_oflag == before.c_oflag;
    for (pollfd readable{master, POLLIN, 0}; ::poll(&readable, 1, 0) > 0;) {
        std::array<char, 4096> bytes{};
        const ssize_t length = ::read(master, bytes.data(), bytes.size());
        if (length <= 0) break;
        ended.drawn.append(bytes.data(), static_cast<std::size_t>(length));
    }
    ::close(master);
    ::close(slave);
    return ended;
}

volatile std::size_t depth_reached = 0;

/// Without an end; the compiler must not see that.
std::size_t overflow(std::size_t depth) {
    std::array<volatile char, 4096> frame{};
    frame[depth % frame.size()] = 1;
    depth_reached = depth;
    if (depth_reached == SIZE_MAX) return 0;
    return overflow(depth + 1) + static_cast<std::size_t>(frame[(depth + 1) % frame.size()]);
}

void expect_given_back(const Ended& ended) {
    EXPECT_TRUE(ended.sane);
    EXPECT_NE(ended.drawn.find("\x1b[?1049l"), std::string::npos) << ended.drawn;
}

TEST(LiveTerminal, IsGivenBackWhenTheStackOverflows) {
    const Ended ended = in_terminal({24, 80, 0, 0}, [](Terminal&) { overflow(1); });
    ASSERT_TRUE(WIFSIGNALED(ended.status));
    EXPECT_EQ(WTERMSIG(ended.status), SIGSEGV);
    expect_given_back(ended);
}

TEST(LiveTerminal, IsGivenBackWhenTheStackOfAThreadBesideItOverflows) {
    const Ended ended =
        in_terminal({24, 80, 0, 0}, [](Terminal&) { commands::in_background([] { overflow(1); }).wait(); });
    ASSERT_TRUE(WIFSIGNALED(ended.status));
    EXPECT_EQ(WTERMSIG(ended.status), SIGSEGV);
    expect_given_back(ended);
}

TEST(LiveTerminal, BelievesNoAbsurdSize) {
    for (const auto& [said, believed] : {std::pair{winsize{24, 80, 0, 0}, Size{24, 80}},
                                         {{60, 200, 0, 0}, {60, 200}},
                                         {{1, 1, 0, 0}, {1, 1}},
                                         {{0, 0, 0, 0}, {24, 80}},
                                         {{20'000, 20'000, 0, 0}, {500, 1'000}},
                                         {{65'535, 2, 0, 0}, {500, 2}}}) {
        const Ended ended = in_terminal(said, [&](Terminal& terminal) {
            Screen screen(terminal.size());
            screen.put(0, 0, "x");
            terminal.show(screen);
            if (terminal.size() != believed) ::_exit(2);
        });
        EXPECT_EQ(ended.status, 0) << said.ws_row << " x " << said.ws_col;
        EXPECT_NE(ended.drawn.find('x'), std::string::npos);
        expect_given_back(ended);
    }
}

/// Both ends of a terminal.
struct Pair {
    int master = -1;
    int slave = -1;

    Pair() { EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0); }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() {
        ::close(master);
        ::close(slave);
    }
    std::string read_some() const {
        std::array<char, 4096> bytes{};
        pollfd readable{master, POLLIN, 0};
        if (::poll(&readable, 1, 0) <= 0) return "";
        const ssize_t length = ::read(master, bytes.data(), bytes.size());
        return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
    }
};

std::string much() {
    std::string text;
    for (int i = 0; i < 40'000; ++i) text += std::to_string(i) + ' ';
    return text;
}

TEST(LiveOutlet, ASlowTerminalGetsAllOfIt) {
    const Pair terminal;
    Outlet outlet(terminal.slave);
    outlet.add(much());
    std::string seen;
    for (int i = 0; i < 100'000 && !outlet.send({}); ++i) seen += terminal.read_some();
    for (std::string more = terminal.read_some(); !more.empty(); more = terminal.read_some()) seen += more;
    EXPECT_EQ(seen, much());
    EXPECT_FALSE(outlet.moves());
}

TEST(LiveOutlet, ATerminalThatTakesNothingHasToTakeTheEnd) {
    using namespace std::chrono_literals;
    const Pair terminal;
    Outlet outlet(terminal.slave);
    outlet.add(much());
    EXPECT_FALSE(outlet.send(10ms));
    EXPECT_TRUE(outlet.moves()) << "as far as there was room";
    // The kernel moves what it has taken further on, and has room again, until it has no more.
    for (int i = 0; i < 1'000 && outlet.moves(); ++i) EXPECT_FALSE(outlet.send(10ms));
    EXPECT_FALSE(outlet.moves());
    outlet.finish("the end");
    std::string seen;
    for (std::string more = terminal.read_some(); !more.empty(); more = terminal.read_some()) seen += more;
    EXPECT_TRUE(seen.ends_with("the end")) << seen;
    EXPECT_EQ(::fcntl(terminal.slave, F_GETFL) & O_NONBLOCK, 0) << "it is the shell's, too";
}

TEST(LiveOutlet, NobodyWaitsForATerminalThatIsGone) {
    using namespace std::chrono_literals;
    int master = -1;
    int slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    Outlet outlet(slave);
    ::close(master);
    outlet.add(much());
    EXPECT_TRUE(outlet.send({})) << "there is nobody to show it to";
    outlet.finish("the end");
    ::close(slave);
}

}  // namespace
}  // namespace waitclose::live
