// SPDX-License-Identifier: BSD-2-Clause
// A handler reads the request and then sleeps in something else, so that it never comes to the close().
//   sleep       nanosleep() for an hour
//   lock        a mutex that another thread holds, which sleeps
//   deadlock    a mutex whose owner waits for the one that the handler holds
//   pipe        read() from a pipe into which nobody writes
//   child       waitpid() for a child that sleeps
//   downstream  read() from a TCP connection to a service that never answers
//   poll        poll() with a timeout of an hour of such a connection
//   accept      accept() on a listener of its own, as for a data connection, to which nobody connects
#include "culprit.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace culprit;

namespace {

// A peer loses patience some time after the handler fell asleep, not in the same instant.
constexpr std::int64_t asleep_before_ns = 5'000'000;

constexpr unsigned an_hour = 3600;

void sleep_long() {
    for (;;) sleep(an_hour);
}

void read_for_ever(int fd) {
    char byte = 0;
    check(static_cast<int>(read(fd, &byte, 1)), "read");
}

// A mutex that is locked when this returns, by a thread that then does as it is told.
class LockedElsewhere {
public:
    explicit LockedElsewhere(std::function<void()> then) {
        std::unique_lock held(mutex_ready_);
        std::thread([this, then = std::move(then)] {
            pthread_mutex_lock(&mutex);
            {
                const std::scoped_lock ready(mutex_ready_);
                locked_ = true;
            }
            changed_.notify_one();
            then();
        }).detach();
        changed_.wait(held, [this] { return locked_; });
    }

    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

private:
    std::mutex mutex_ready_;
    std::condition_variable changed_;
    bool locked_ = false;
};

void wait_for_lock() {
    static LockedElsewhere taken(sleep_long);
    pthread_mutex_lock(&taken.mutex);
}

void lock_in_a_circle() {
    static pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mine);
    static LockedElsewhere theirs([] { pthread_mutex_lock(&mine); });
    pthread_mutex_lock(&theirs.mutex);
}

void read_silent_pipe() {
    std::array<int, 2> ends{};
    check(pipe(ends.data()), "pipe");
    read_for_ever(ends[0]);
}

void wait_for_child() {
    const pid_t parent = getpid();
    const pid_t child = check(fork(), "fork");
    if (child == 0) {
        die_with_parent(parent);
        for (int fd = 3; fd < 64; ++fd) close(fd);
        sleep_long();
    }
    int status = 0;
    waitpid(child, &status, 0);
}

void ask_silent_service() {
    const Listener silent = listen_on(Family::ipv4);
    const int service = connect_to(Family::ipv4, silent.port);
    write_all(service, "question");
    read_for_ever(service);
}

void poll_silent_service() {
    const Listener silent = listen_on(Family::ipv4);
    const int service = connect_to(Family::ipv4, silent.port);
    write_all(service, "question");
    pollfd answer{.fd = service, .events = POLLIN, .revents = 0};
    check(poll(&answer, 1, static_cast<int>(an_hour) * 1000), "poll");
}

void await_data_connection() {
    accept_one(listen_on(Family::ipv4).fd);
}

void block(const std::string& mode) {
    if (mode == "sleep") sleep_long();
    if (mode == "lock") wait_for_lock();
    if (mode == "deadlock") lock_in_a_circle();
    if (mode == "pipe") read_silent_pipe();
    if (mode == "child") wait_for_child();
    if (mode == "downstream") ask_silent_service();
    if (mode == "poll") poll_silent_service();
    if (mode == "accept") await_data_connection();
}

#ifdef SYS_poll
constexpr long call_of_poll = SYS_poll;
#else
constexpr long call_of_poll = SYS_ppoll;
#endif

long call_of(const std::string& mode) {
    if (mode == "poll") return call_of_poll;
    if (mode == "accept") return SYS_accept4;
    if (mode == "sleep") return SYS_clock_nanosleep;
    if (mode == "child") return SYS_wait4;
    return mode == "pipe" || mode == "downstream" ? SYS_read : SYS_futex;
}

void serve(const Options& options, int line) {
    serve_until_asleep(options, line, [&] { block(options.mode); });
}

}  // namespace

int main(int argc, char** argv) {
    const Options options =
        parse(argc, argv, {"sleep", "lock", "deadlock", "pipe", "child", "downstream", "poll", "accept"});
    Judge judge(options);
    const Child child = start_child(options.name("blocked"), [&](int line) { serve(options, line); });
    const int peer = connect_to(options.family, judge.listening(child));
    write_all(peer, "x");
    const Note handler = hear(child.line, Say::accepted);
    wait_until_asleep_in(child.pid, handler.tid, call_of(options.mode));
    let_pass(asleep_before_ns);
    judge.hang_up(peer);
    judge.holds(handler);
    judge.truth.cause = options.mode == "deadlock" ? "deadlock" : "handler-blocked";
    judge.truth.waits_for = options.mode == "deadlock" ? "lock"
                            : options.mode == "poll"   ? "downstream"
                            : options.mode == "accept" ? "event-loop"
                                                       : options.mode;
    judge.truth.acceptable_untraced = {"abandoned", "unknown"};
    judge.truth.decided_early = true;
    return judge.obey([&] {
        tell(child.line, note(Say::close, handler.fd));
        return hear(child.line, Say::closed);
    });
}
