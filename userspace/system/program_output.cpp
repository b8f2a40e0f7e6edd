// SPDX-License-Identifier: BSD-2-Clause
#include "system/program_output.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/files.h"

namespace waitclose::system {
namespace {

using Clock = std::chrono::steady_clock;

bool becomes(const ProgramRun& run) {
    const gid_t group = run.gid;
    if (::geteuid() == run.uid && ::getegid() == run.gid) return true;
    return ::setgroups(1, &group) == 0 && ::setresgid(run.gid, run.gid, run.gid) == 0 &&
           ::setresuid(run.uid, run.uid, run.uid) == 0;
}

/// In the child of a program that may have threads: nothing here allocates or locks.
[[noreturn]] void execute(const ProgramRun& run, char* const* arguments, int output, int input) {
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char locale[] = "LC_ALL=C";
    char* environment[] = {path, locale, nullptr};
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (::dup2(input, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
        ::dup2(input, STDERR_FILENO) < 0)
        ::_exit(126);
    ::syscall(SYS_close_range, 3U, ~0U, 0U);  // since 5.9; all of ours close themselves anyway
    if (!becomes(run) || ::chdir("/") != 0) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execve(arguments[0], arguments, environment);
    ::_exit(127);
}

enum class End { kOfOutput, kTooLong, kTooMuch };

End read_until_end(int from, const ProgramRun& run, std::string& text) {
    const auto last = Clock::now() + run.most_time;
    std::array<char, 16384> buffer;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last - Clock::now()).count();
        pollfd ready{from, POLLIN, 0};
        if (left <= 0) return End::kTooLong;
        const int count = ::poll(&ready, 1, static_cast<int>(left));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return End::kTooLong;
        const ssize_t got = ::read(from, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return End::kOfOutput;
        if (text.size() + static_cast<std::size_t>(got) > run.most_output) return End::kTooMuch;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

Failure failure(const ProgramRun& run, std::string_view why) {
    return {fmt::format("{} {}", run.command.front(), why),
            fmt::format("run it by hand as user {} to see what it says", run.uid)};
}

}  // namespace

Result<std::string> output_of(const ProgramRun& run) {
    std::vector<std::string> words = run.command;
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return tl::unexpected(failure(run, "could not be started"));
    const Descriptor reading(ends[0]);
    Descriptor writing(ends[1]);
    const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const pid_t child = ::fork();
    if (child < 0) return tl::unexpected(failure(run, "could not be started"));
    if (child == 0) execute(run, arguments.data(), writing.get(), nothing.get());
    writing = Descriptor();
    std::string text;
    const End end = read_until_end(reading.get(), run, text);
    if (end != End::kOfOutput) ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (end == End::kTooLong) return tl::unexpected(failure(run, "did not answer in time"));
    if (end == End::kTooMuch) return tl::unexpected(failure(run, "wrote too much"));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return tl::unexpected(failure(run, "failed"));
    return text;
}

}  // namespace waitclose::system
