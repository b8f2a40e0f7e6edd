// SPDX-License-Identifier: BSD-2-Clause
// A process under test: started with pipes, read by lines with a deadline, ended by its pid.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace runtime {

using namespace std::chrono_literals;

class Deadline {
public:
    explicit Deadline(std::chrono::milliseconds from_now)
        : at_(std::chrono::steady_clock::now() + from_now) {}
    int milliseconds_left() const;  // for poll(); 0 when it has passed

private:
    std::chrono::steady_clock::time_point at_;
};

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { reset(); }

    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }
    int release();
    void reset();

private:
    int fd_ = -1;
};

class Process {
public:
    explicit Process(const std::vector<std::string>& argv);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();  // what still runs is killed, by its pid, and reaped

    pid_t pid() const { return pid_; }
    void write_line(std::string_view line);
    void end_input() { in_.reset(); }
    void signal(int number) const;

    std::optional<std::string> read_line(
        std::chrono::milliseconds patience);                            // nullopt: none came, or the end
    std::optional<int> wait(std::chrono::milliseconds patience);        // exit code, or 128 + signal
    bool wait_for_exit_or(int fd, std::chrono::milliseconds patience);  // true: fd is readable

    std::string output() const { return out_text_.substr(taken_); }  // what read_line has not taken
    const std::string& errors() const { return err_text_; }

private:
    void take(Descriptor& from, std::string& into);
    void poll_pipes(int extra, int milliseconds, bool& extra_ready);
    bool reap();

    pid_t pid_ = -1;
    std::optional<int> status_;
    Descriptor in_, out_, err_, pidfd_;
    std::string out_text_, err_text_;
    std::size_t taken_ = 0;  // of out_text_, by read_line
};

struct Finished {
    int code = -1;
    std::string out;
    std::string err;
};

// Runs a program to its end. A program that does not end within `patience` is killed and has code -1.
Finished run(const std::vector<std::string>& argv, std::chrono::milliseconds patience = 30s);

// A directory below /tmp of its own, removed with all it has in it.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// For twenty seconds; what needs the file says if it never came.
void wait_for_file(const std::string& path);

}  // namespace runtime
