// SPDX-License-Identifier: BSD-2-Clause
// Processes of the culprits: options, clock, names, and the line between judge and child.
#include "culprit.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace culprit {

namespace {

[[noreturn]] void usage(const char* program, std::initializer_list<std::string_view> modes) {
    std::fprintf(stderr,
                 "usage: %s [--mode MODE] [--family ipv4|ipv6|mapped] [--netns] [--comm NAME|hostile]\n"
                 "       [--end close|shutdown|exit|exec] [--wait-for-start] [--wait-for-fin]\nmodes:",
                 program);
    for (std::string_view mode : modes)
        std::fprintf(stderr, " %.*s", static_cast<int>(mode.size()), mode.data());
    std::fputc('\n', stderr);
    std::exit(2);
}

// The process that started the others; it takes them along when it ends, and reaps them, grandchildren
// included.
pid_t founder = 0;
std::vector<pid_t> children;

void end_children() {
    if (getpid() != founder) return;
    for (pid_t pid : children) kill(pid, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
}

void become_founder() {
    if (founder != 0) return;
    founder = getpid();
    check(prctl(PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER");
    std::atexit(end_children);
}

[[noreturn]] void end_process(int code) {
    end_children();
    _exit(code);
}

std::optional<Family> family_named(std::string_view name) {
    if (name == "ipv4") return Family::ipv4;
    if (name == "ipv6") return Family::ipv6;
    if (name == "mapped") return Family::mapped;
    return std::nullopt;
}

}  // namespace

Options parse(int argc, char** argv, std::initializer_list<std::string_view> modes) {
    Options options;
    options.mode = modes.size() ? std::string(*modes.begin()) : "";
    for (int i = 1; i < argc; ++i) {
        std::string_view name = argv[i];
        if (name == "--netns")
            options.netns = true;
        else if (name == "--wait-for-start")
            options.wait_for_start = true;
        else if (name == "--wait-for-fin")
            options.wait_for_fin = true;
        else if (i + 1 == argc)
            usage(argv[0], modes);
        else if (name == "--mode")
            options.mode = argv[++i];
        else if (name == "--comm")
            options.comm = argv[++i];
        else if (name == "--end")
            options.end = argv[++i];
        else if (std::optional<Family> family = family_named(argv[++i]); name == "--family" && family)
            options.family = *family;
        else
            usage(argv[0], modes);
    }
    if (std::find(modes.begin(), modes.end(), options.mode) == modes.end()) usage(argv[0], modes);
    if (options.comm == "hostile") options.comm = "\033[2J<script>";
    return options;
}

void fail(const char* what) {
    std::perror(what);
    end_process(1);
}

int check(int result, const char* what) {
    if (result < 0) fail(what);
    return result;
}

std::int64_t boot_ns() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

pid_t thread_id() {
    return gettid();
}

void set_comm(const std::string& name) {
    if (!name.empty()) check(prctl(PR_SET_NAME, name.c_str()), "PR_SET_NAME");
}

Note note(Say say, int fd, std::uint16_t port) {
    Note written;
    written.say = say;
    written.fd = fd;
    written.port = port;
    written.pid = getpid();
    written.tid = thread_id();
    return written;
}

void tell(int line, const Note& told) {
    if (send(line, &told, sizeof told, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof told)) fail("line");
}

Note hear(int line, Say expected) {
    Note heard;
    ssize_t got = 0;
    do got = recv(line, &heard, sizeof heard, 0);
    while (got < 0 && errno == EINTR);
    if (got == 0) end_process(getpid() == founder);  // the other side has gone, and so do we
    if (got != static_cast<ssize_t>(sizeof heard)) fail("line");
    if (heard.say != expected) {
        std::fprintf(stderr, "culprit: heard %d instead of %d\n", static_cast<int>(heard.say),
                     static_cast<int>(expected));
        end_process(1);
    }
    return heard;
}

Note close_and_note(int fd, const std::string& end) {
    Note closed = note(Say::closed, fd);
    closed.before_ns = boot_ns();
    if (end == "shutdown")
        check(shutdown(fd, SHUT_WR), "shutdown");
    else if (end == "close")
        check(close(fd), "close");
    closed.after_ns = end == "exit" ? 0 : boot_ns();  // 0: the judge reads the clock when the process is gone
    return closed;
}

// What a program does that has forgotten a socket: wait for the next connection, close it properly, wait
// again.
void idle(int line, int listener, int leaked, const std::string& end) {
    pollfd waits[2] = {{line, POLLIN, 0}, {listener, POLLIN, 0}};
    for (;;) {
        if (poll(waits, listener < 0 ? 1 : 2, -1) < 0 && errno != EINTR) fail("poll");
        if (listener >= 0 && (waits[1].revents & POLLIN)) {
            int next = accept_one(listener);
            read_to_end(next);
            close(next);
        }
        if (waits[0].revents) {
            hear(line, Say::close);
            tell(line, close_and_note(leaked, end));
            if (end == "exit") _exit(0);
            if (end == "exec") execlp("sleep", "sleep", "3600", nullptr);
        }
    }
}

void serve_until_asleep(const Options& options, int line, const std::function<void()>& what_never_ends) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_one(listener.fd);
    std::thread([&, fd] {
        char byte = 0;
        check(static_cast<int>(read(fd, &byte, 1)), "read");
        tell(line, note(Say::accepted, fd));
        what_never_ends();
        fail("a handler that was to sleep for ever");
    }).detach();
    idle(line, listener.fd, fd, options.end);
}

// Without a sleep: /proc/PID/task/TID/syscall says "running" until the thread is off its CPU.
void wait_until_asleep_in(pid_t pid, pid_t tid, long number) {
    const std::string path = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall";
    for (;;) {
        std::ifstream file(path);
        std::string word;
        if (!(file >> word)) fail(path.c_str());
        if (word == std::to_string(number)) return;
        sched_yield();
    }
}

void let_pass(std::int64_t ns) {
    timespec pause{.tv_sec = 0, .tv_nsec = ns};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
}

void die_with_parent(pid_t parent) {
    check(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
    if (getppid() != parent) _exit(0);
}

Child start_child(const std::string& comm, const std::function<void(int)>& body) {
    become_founder();
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
    pid_t parent = getpid();
    pid_t pid = check(fork(), "fork");
    if (pid > 0) {
        close(ends[1]);
        children.push_back(pid);
        return {pid, ends[0]};
    }
    die_with_parent(parent);
    close(ends[0]);
    int null = check(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
    check(dup2(null, STDIN_FILENO), "dup2");
    check(dup2(null, STDOUT_FILENO), "dup2");
    close(null);
    set_comm(comm);
    body(ends[1]);
    _exit(0);
}

int wait_for_exit(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return status;
}

}  // namespace culprit
