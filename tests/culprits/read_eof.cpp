// SPDX-License-Identifier: BSD-2-Clause
// Reads end-of-file and leaks the socket: the classic. The thread that leaked it goes on with other work.
//   main        the main thread leaks; it is in poll() on its listener afterwards
//   worker      a worker thread leaks; it is in accept() afterwards
//   one-of-20   20 workers serve a connection each, 19 close it, one does not
//   event-loop  an epoll loop takes the descriptor out of its set and forgets it
#include "culprit.h"

#include <thread>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int threads_of_the_crowd = 20;
constexpr int bad_connection = 13;

void leak_on_main(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    tell(line, note(Say::accepted, fd));
    read_to_end(fd);
    tell(line, note(Say::leaked, fd));
    idle(line, listener.fd, fd, options.end);
}

void serve_connections(int listener, int line) {
    for (;;) {
        int fd = accept_one(listener);
        char request = 0;
        if (read(fd, &request, 1) != 1) fail("read request");
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        if (request != 'L')
            close(fd);
        else
            tell(line, note(Say::leaked, fd));
    }
}

// The main thread only waits for commands, so that its closing on command comes from another thread than the
// leak.
void leak_on_workers(const Options& options, int line, int workers) {
    Listener listener = listen_on(options.family);
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) threads.emplace_back([&] { serve_connections(listener.fd, line); });
    tell(line, note(Say::listening, listener.fd, listener.port));
    for (;;) {
        Note order = hear(line, Say::close);
        tell(line, close_and_note(order.fd, options.end));
        if (options.end == "exit") _exit(0);
    }
}

void leak_in_event_loop(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int loop = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    auto watch = [loop](int fd) {
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLRDHUP;
        interest.data.fd = fd;
        check(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &interest), "EPOLL_CTL_ADD");
    };
    watch(listener.fd);
    watch(line);
    int leaked = -1;
    for (;;) {
        epoll_event event{};
        if (epoll_wait(loop, &event, 1, -1) < 1) continue;
        if (event.data.fd == listener.fd) {
            leaked = accept_one(listener.fd);
            watch(leaked);
            tell(line, note(Say::accepted, leaked));
        } else if (event.data.fd == line) {
            hear(line, Say::close);
            tell(line, close_and_note(leaked, options.end));
            if (options.end == "exit") _exit(0);
        } else {
            read_to_end(leaked);
            check(epoll_ctl(loop, EPOLL_CTL_DEL, leaked, nullptr), "EPOLL_CTL_DEL");
            tell(line, note(Say::leaked, leaked));
        }
    }
}

void misbehave(const Options& options, int line) {
    if (options.mode == "main")
        leak_on_main(options, line);
    else if (options.mode == "event-loop")
        leak_in_event_loop(options, line);
    else
        leak_on_workers(options, line, options.mode == "one-of-20" ? threads_of_the_crowd : 1);
}

// All connections first, then all FINs, then the 19 good servers close; only then the truth is the truth.
Note play_the_crowd(Judge& judge, const Options& options, const Child& child, std::uint16_t port) {
    int bad = -1;
    std::vector<int> good;
    for (int i = 0; i < threads_of_the_crowd; ++i) {
        int fd = connect_to(options.family, port);
        write_all(fd, i == bad_connection ? "L" : "C");
        if (i == bad_connection)
            bad = fd;
        else
            good.push_back(fd);
    }
    for (int i = 0; i < threads_of_the_crowd; ++i) hear(child.line, Say::accepted);
    judge.hang_up(bad);
    for (int fd : good) check(shutdown(fd, SHUT_WR), "shutdown");
    for (int fd : good) read_to_end(fd);
    return hear(child.line, Say::leaked);
}

Note play(Judge& judge, const Options& options, const Child& child, std::uint16_t port) {
    if (options.mode == "one-of-20") return play_the_crowd(judge, options, child, port);
    int peer = connect_to(options.family, port);
    if (options.mode == "worker") write_all(peer, "L");
    hear(child.line, Say::accepted);
    judge.hang_up(peer);
    return hear(child.line, Say::leaked);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"main", "worker", "one-of-20", "event-loop"});
    Judge judge(options);
    Child child = start_child(options.name("read_eof"), [&](int line) { misbehave(options, line); });
    std::uint16_t port = judge.listening(child);
    Note leaked = play(judge, options, child, port);
    judge.holds(leaked);
    judge.truth.cause = "eof-ignored";
    judge.truth.eof_read = judge.truth.seen_reading = true;
    return judge.obey([&] {
        tell(child.line, note(Say::close, leaked.fd));
        return hear(child.line, Say::closed);
    });
}
