// SPDX-License-Identifier: BSD-2-Clause
// The thread that should call accept() does something else, or calls it in vain.
//   emfile        it leaked what it read to the end of, until accept() failed with EMFILE; it tries again
//   limit-asleep  its process has all its descriptors open, but it sleeps and does not even call accept()
//   sleep         it sleeps
//   lock          it waits for a mutex whose owner reads from a pipe into which nobody writes
//   slow          it takes one connection every 50 ms, and the clients of a burst were not so patient
#include "culprit.h"

#include <array>
#include <cerrno>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr unsigned an_hour = 3600;
constexpr int leaks = 2;
constexpr int taken = 2;
constexpr int burst = 400;
constexpr int between_accepts_ms = 50;
constexpr int between_failures_ms = 5;

// Every descriptor that a small limit allows is open; returns those that mean nothing.
std::vector<int> fill_descriptors() {
    rlimit limit{};
    check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = 32;
    check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    std::vector<int> fillers;
    for (;;) {
        const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == EMFILE) return fillers;
        fillers.push_back(check(fd, "/dev/null"));
    }
}

void free_one(std::vector<int>& fillers) {
    close(fillers.back());
    fillers.pop_back();
}

// Level-triggered, as most servers are: the listener stays readable, and every attempt fails.
void run_out(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    std::vector<int> fillers = fill_descriptors();
    for (int i = 0; i < leaks; ++i) free_one(fillers);
    tell(line, note(Say::listening, listener.fd, listener.port));
    std::array<pollfd, 2> waits{{{line, POLLIN, 0}, {listener.fd, POLLIN, 0}}};
    for (bool told = false;;) {
        if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) fail("poll");
        if (waits[0].revents) break;
        const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
            read_to_end(fd);  // and that was all it did
            continue;
        }
        if (errno != EMFILE) fail("accept4");
        if (!told) tell(line, note(Say::pending, listener.fd));
        told = true;
        poll(waits.data(), 1, between_failures_ms);
    }
    hear(line, Say::close);
    free_one(fillers);
    tell(line, close_and_note(accept_one(listener.fd)));
    hear(line, Say::gone);
}

void wait_for_lock() {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static std::array<int, 2> locked{};
    check(pipe(locked.data()), "pipe");
    std::thread([] {
        std::array<int, 2> silent{};
        check(pipe(silent.data()), "pipe");
        pthread_mutex_lock(&mutex);
        check(static_cast<int>(write(locked[1], "x", 1)), "write");
        char byte = 0;
        check(static_cast<int>(read(silent[0], &byte, 1)), "read");
    }).detach();
    char byte = 0;
    check(static_cast<int>(read(locked[0], &byte, 1)), "read");
    pthread_mutex_lock(&mutex);
}

// Took some connections as it should, and takes no more. Not only one: when tracing begins it sleeps in
// accept() already, and not every kernel shows how such a call returns.
void be_an_acceptor(const Options& options, int line, const Listener& listener) {
    for (int i = 0; i < taken; ++i) {
        const int fd = accept_one(listener.fd);
        read_to_end(fd);
        close(fd);
    }
    if (options.mode == "limit-asleep") fill_descriptors();
    tell(line, note(Say::accepted, listener.fd));
    if (options.mode == "lock") wait_for_lock();
    for (;;) sleep(an_hour);
}

void stop_accepting(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    std::thread([&] { be_an_acceptor(options, line, listener); }).detach();
    hear(line, Say::close);
    if (options.mode == "limit-asleep") {
        rlimit limit{};
        check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
        limit.rlim_cur = 64;
        check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    }
    tell(line, close_and_note(accept_one(listener.fd)));
    hear(line, Say::gone);
}

void accept_slowly(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    hear(line, Say::proceed);
    std::array<pollfd, 2> waits{{{line, POLLIN, 0}, {listener.fd, POLLIN, 0}}};
    for (;;) {
        if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) fail("poll");
        if (waits[0].revents) hear(line, Say::gone);
        const int fd = accept_one(listener.fd);
        read_to_end(fd);
        close(fd);
        poll(waits.data(), 1, between_accepts_ms);
    }
}

int judge_leaking(Judge& judge, const Options& options) {
    const Child child = start_child(options.name("leaker"), [&](int line) { run_out(options, line); });
    const std::uint16_t port = judge.listening(child);
    for (int i = 0; i < leaks; ++i) {
        const int peer = connect_to(options.family, port);
        check(shutdown(peer, SHUT_WR), "shutdown");
        wait_until_acknowledged(peer);
    }
    const int peer = connect_to(options.family, port);
    hear(child.line, Say::pending);
    judge.hang_up(peer);
    judge.truth.pid = child.pid;
    judge.truth.accepted = false;
    judge.truth.cause = "fd-limit";
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}

int judge_blocked(Judge& judge, const Options& options) {
    const Child child =
        start_child(options.name("acceptor"), [&](int line) { stop_accepting(options, line); });
    const std::uint16_t port = judge.listening(child);
    for (int i = 0; i < taken; ++i) close(connect_to(options.family, port));
    const Note acceptor = hear(child.line, Say::accepted);
    wait_until_asleep_in(child.pid, acceptor.tid, options.mode == "lock" ? SYS_futex : SYS_clock_nanosleep);
    judge.hang_up(connect_to(options.family, port));
    judge.truth.pid = child.pid;
    judge.truth.tid = acceptor.tid;
    judge.truth.accepted = false;
    judge.truth.cause = "never-accepted";
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}

int judge_slow(Judge& judge, const Options& options) {
    const Child child = start_child(options.name("slow"), [&](int line) { accept_slowly(options, line); });
    const std::uint16_t port = judge.listening(child);
    for (int i = 1; i < burst; ++i) check(shutdown(connect_to(options.family, port), SHUT_WR), "shutdown");
    judge.hang_up(connect_to(options.family, port));
    tell(child.line, note(Say::proceed));
    judge.truth.pid = child.pid;
    judge.truth.accepted = false;
    judge.truth.cause = "never-accepted";
    return judge.obey([]() -> Note { fail("the acceptor closes them all itself"); });
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"emfile", "limit-asleep", "sleep", "lock", "slow"});
    Judge judge(options);
    if (options.mode == "emfile") return judge_leaking(judge, options);
    if (options.mode == "slow") return judge_slow(judge, options);
    return judge_blocked(judge, options);
}
