// SPDX-License-Identifier: BSD-2-Clause
// A terminal of which the test is the screen and the keyboard, and may look away.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "programs.h"

namespace runtime {

class Pty {
public:
    // Runs waitclose in it, as a shell would: its controlling terminal, in the foreground.
    explicit Pty(const Arguments& arguments, const std::string& directory = "/",
                 winsize size = {24, 80, 0, 0}) {
        int master = -1;
        int slave = -1;
        if (openpty(&master, &slave, nullptr, nullptr, &size) != 0) throw std::runtime_error("no pty");
        master_ = Descriptor(master);
        slave_ = Descriptor(slave);
        for (const int fd : {master, slave}) fcntl(fd, F_SETFD, FD_CLOEXEC);
        tcgetattr(slave, &before_);
        Arguments command{waitclose_binary()};
        command.insert(command.end(), arguments.begin(), arguments.end());
        pid_ = fork();
        if (pid_ == 0) begin(command, directory);
    }
    Pty(const Pty&) = delete;
    Pty& operator=(const Pty&) = delete;
    ~Pty() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

    pid_t pid() const { return pid_; }
    int slave() const { return slave_.get(); }
    void type(std::string_view keys) { EXPECT_GT(write(master_.get(), keys.data(), keys.size()), 0); }
    void resize(unsigned short rows, unsigned short columns) {
        const winsize size{rows, columns, 0, 0};
        ioctl(master_.get(), TIOCSWINSZ, &size);
    }

    // Reads what is drawn until it has these words in one piece.
    std::string read_until(const std::string& words) {
        std::string seen;
        const Deadline deadline(30s);
        while (seen.find(words) == std::string::npos) {
            pollfd readable{master_.get(), POLLIN, 0};
            if (poll(&readable, 1, deadline.milliseconds_left()) <= 0 || (readable.revents & POLLIN) == 0) {
                ADD_FAILURE() << "'" << words << "' was never drawn";
                break;
            }
            char bytes[4096];
            const ssize_t length = read(master_.get(), bytes, sizeof bytes);
            if (length > 0) seen.append(bytes, static_cast<std::size_t>(length));
        }
        return seen;
    }
    // From now on the terminal takes nothing, until somebody reads it.
    void fill() {
        const Descriptor own(open(ttyname(slave_.get()), O_WRONLY | O_NONBLOCK | O_NOCTTY));
        const std::string much(1024, '.');
        while (write(own.get(), much.data(), much.size()) > 0 || errno != EAGAIN) {
        }
    }
    // What is there to be read by now.
    std::string read_rest() {
        std::string seen;
        for (pollfd readable{master_.get(), POLLIN, 0}; poll(&readable, 1, 0) > 0;) {
            char bytes[4096];
            const ssize_t length = read(master_.get(), bytes, sizeof bytes);
            if (length <= 0) break;
            seen.append(bytes, static_cast<std::size_t>(length));
        }
        return seen;
    }

    // Exit code, or 128 + signal; nothing when it goes on.
    std::optional<int> wait(std::chrono::milliseconds patience) {
        const Deadline deadline(patience);
        int status = 0;
        while (waitpid(pid_, &status, WNOHANG) == 0) {
            if (deadline.milliseconds_left() == 0) return std::nullopt;
            poll(nullptr, 0, 10);
        }
        pid_ = -1;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    // Whether the modes are those of before.
    bool is_sane() const {
        termios now{};
        return tcgetattr(slave_.get(), &now) == 0 && now.c_lflag == before_.c_lflag &&
               now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag &&
               (fcntl(slave_.get(), F_GETFL) & O_NONBLOCK) == 0;
    }

private:
    [[noreturn]] void begin(const Arguments& command, const std::string& directory) {
        login_tty(slave_.release());
        setenv("TERM", "xterm-256color", 1);
        setenv("LANG", "C.UTF-8", 1);
        std::vector<char*> argv;
        for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        if (chdir(directory.c_str()) == 0) execv(argv[0], argv.data());
        _exit(127);
    }

    Descriptor master_;
    Descriptor slave_;
    termios before_{};
    pid_t pid_ = -1;
};

}  // namespace runtime
