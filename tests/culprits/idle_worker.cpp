// SPDX-License-Identifier: BSD-2-Clause
// A connection is forgotten by a program of which some thread sleeps, as it should: it must not be accused.
//   queue   a worker has answered, left the connection open, and waits at the pipe that is its work queue
//   poll    a worker has answered, left the connection open, and polls another one that it has accepted for
//   the
//           next request
//   master  a master waits for its worker processes, one of which has read end-of-file and forgotten it
#include "culprit.h"

#include <array>
#include <thread>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int slept_before_fin_ms = 20;  // the scenario, not a synchronisation

void serve_by_queue(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    std::array<int, 2> queue{};
    check(pipe(queue.data()), "pipe");
    std::thread([=] {
        int fd = -1;
        while (read(queue[0], &fd, sizeof fd) == static_cast<ssize_t>(sizeof fd)) {
            char request = 0;
            check(static_cast<int>(read(fd, &request, 1)), "read");
            write_all(fd, "a");
            tell(line, note(Say::accepted, fd));
        }
        fail("the queue");
    }).detach();
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_one(listener.fd);
    check(static_cast<int>(write(queue[1], &fd, sizeof fd)), "write");
    idle(line, listener.fd, fd, options.end);
}

#ifdef SYS_poll
constexpr long call_of_poll = SYS_poll;
#else
constexpr long call_of_poll = SYS_ppoll;
#endif

constexpr int patience_ms = 3'600'000;

void serve_by_poll(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int kept_alive = accept_one(listener.fd);
    const int fd = accept_one(listener.fd);
    std::thread([=] {
        char request = 0;
        check(static_cast<int>(read(fd, &request, 1)), "read");
        write_all(fd, "a");
        tell(line, note(Say::accepted, fd));
        pollfd next{.fd = kept_alive, .events = POLLIN, .revents = 0};
        check(poll(&next, 1, patience_ms), "poll");
        fail("the connection that was to stay silent");
    }).detach();
    idle(line, listener.fd, fd, options.end);
}

void serve_by_worker(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const pid_t master = getpid();
    const pid_t worker = check(fork(), "fork");
    if (worker == 0) {
        die_with_parent(master);
        set_comm("worker");
        const int fd = accept_one(listener.fd);
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        tell(line, note(Say::leaked, fd));
        idle(line, listener.fd, fd, options.end);
    }
    waitpid(worker, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"queue", "poll", "master"});
    Judge judge(options);
    const bool master = options.mode == "master";
    const bool polls = options.mode == "poll";
    const Child child = start_child(options.name("idle_worker"), [&](int line) {
        if (master)
            serve_by_worker(options, line);
        else if (polls)
            serve_by_poll(options, line);
        else
            serve_by_queue(options, line);
    });
    const std::uint16_t port = judge.listening(child);
    const int kept_alive = polls ? connect_to(options.family, port) : -1;
    const int peer = connect_to(options.family, port);
    if (!master) write_all(peer, "x");
    Note holder = hear(child.line, Say::accepted);
    if (!master) {
        wait_until_asleep_in(holder.pid, holder.tid, polls ? call_of_poll : SYS_read);
        poll(nullptr, 0, slept_before_fin_ms);
    }
    judge.hang_up(peer);
    if (master) holder = hear(child.line, Say::leaked);
    judge.holds(holder);
    judge.truth.cause = master ? "eof-ignored" : "abandoned";
    judge.truth.acceptable = {"unknown"};
    judge.truth.eof_read = master;
    judge.truth.seen_reading = master;
    const int result = judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
    if (kept_alive >= 0) close(kept_alive);
    return result;
}
