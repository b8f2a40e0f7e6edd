// SPDX-License-Identifier: BSD-2-Clause
#include "process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace runtime {

namespace {

int check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

struct Pipe {
    Descriptor read_end, write_end;

    Pipe() {
        int ends[2];
        check(pipe2(ends, O_CLOEXEC), "pipe2");
        read_end = Descriptor(ends[0]);
        write_end = Descriptor(ends[1]);
    }
};

[[noreturn]] void become(const std::vector<std::string>& argv, pid_t parent, const Pipe& in, const Pipe& out,
                         const Pipe& err) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // whatever happens to the tests, nothing of theirs stays behind
    if (getppid() != parent) _exit(127);
    signal(SIGPIPE, SIG_DFL);
    dup2(in.read_end.get(), STDIN_FILENO);
    dup2(out.write_end.get(), STDOUT_FILENO);
    dup2(err.write_end.get(), STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
}

}  // namespace

int Deadline::milliseconds_left() const {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

int Descriptor::release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
}

void Descriptor::reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
}

Process::Process(const std::vector<std::string>& argv) {
    Pipe in, out, err;
    pid_t parent = getpid();
    pid_ = check(fork(), "fork");
    if (pid_ == 0) become(argv, parent, in, out, err);
    in_ = std::move(in.write_end);
    out_ = std::move(out.read_end);
    err_ = std::move(err.read_end);
    pidfd_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    check(pidfd_.get(), "pidfd_open");
}

Process::~Process() {
    in_.reset();
    if (status_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void Process::write_line(std::string_view line) {
    std::string text(line);
    text += '\n';
    check(static_cast<int>(::write(in_.get(), text.data(), text.size())), "write to a process");
}

void Process::signal(int number) const {
    if (!status_) kill(pid_, number);
}

void Process::take(Descriptor& from, std::string& into) {
    std::array<char, 65536> bytes;
    ssize_t got = read(from.get(), bytes.data(), bytes.size());
    if (got > 0)
        into.append(bytes.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
        from.reset();
}

bool Process::reap() {
    int status = 0;
    if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_)
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return status_.has_value();
}

// poll() ignores negative descriptors, so what has ended needs no case of its own.
void Process::poll_pipes(int extra, int milliseconds, bool& extra_ready) {
    int pid_watch = status_ ? -1 : pidfd_.get();
    std::array<pollfd, 4> waits{
        {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {extra, POLLIN, 0}, {pid_watch, POLLIN, 0}}};
    if (poll(waits.data(), waits.size(), milliseconds) <= 0) return;
    if (waits[0].revents) take(out_, out_text_);
    if (waits[1].revents) take(err_, err_text_);
    if (waits[2].revents) extra_ready = true;
    if (waits[3].revents) reap();
}

std::optional<std::string> Process::read_line(std::chrono::milliseconds patience) {
    Deadline deadline(patience);
    bool unused = false;
    std::size_t searched = taken_;
    for (;;) {
        if (std::size_t end = out_text_.find('\n', searched); end != std::string::npos) {
            std::string line = out_text_.substr(taken_, end - taken_);
            taken_ = end + 1;
            return line;
        }
        out_text_.erase(0, taken_);
        taken_ = 0;
        searched = out_text_.size();
        int left = deadline.milliseconds_left();
        if (!out_.open() || left == 0) return std::nullopt;
        poll_pipes(-1, left, unused);
    }
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    Deadline deadline(patience);
    bool unused = false;
    while (!status_ || out_.open() || err_.open()) {
        int left = deadline.milliseconds_left();
        if (left == 0) break;
        poll_pipes(-1, left, unused);
    }
    return status_;
}

bool Process::wait_for_exit_or(int fd, std::chrono::milliseconds patience) {
    Deadline deadline(patience);
    bool ready = false;
    while (!ready && !status_) {
        int left = deadline.milliseconds_left();
        if (left == 0) break;
        poll_pipes(fd, left, ready);
    }
    return ready;
}

Finished run(const std::vector<std::string>& argv, std::chrono::milliseconds patience) {
    Process process(argv);
    process.end_input();
    std::optional<int> code = process.wait(patience);
    return {code.value_or(-1), process.output(), process.errors()};
}

TemporaryDirectory::TemporaryDirectory() {
    std::string name = "/tmp/waitclose-runtime.XXXXXX";
    if (!mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void wait_for_file(const std::string& path) {
    const Deadline deadline(20s);
    while (!std::filesystem::exists(path) && deadline.milliseconds_left() > 0) sched_yield();
}

}  // namespace runtime
