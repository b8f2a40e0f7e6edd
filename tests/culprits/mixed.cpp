// SPDX-License-Identifier: BSD-2-Clause
// Two things wrong in one process, each with a connection of its own. The truth of the second one stands
// under "also".
//   leak-and-sleep  one worker reads end-of-file and leaks its connection, another sleeps while it handles
//   its own leak-and-pool   the same leak, and a connection to a service that has hung up, kept in a pool
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "culprit.h"

using namespace culprit;

namespace {

constexpr int well_before_ms = 20;  // since when a thread sleeps is not measured to the microsecond
constexpr int pooled_for_ms = 150;  // a pause in which a connection counts as idle
constexpr unsigned an_hour = 3600;

// 'L': to be read to the end and leaked; 'S': to be handled for ever.
void handle(int fd, int line) {
    char order = 0;
    if (read(fd, &order, 1) != 1) fail("order");
    tell(line, note(Say::accepted, fd));
    if (order == 'S')
        for (;;) sleep(an_hour);
    read_to_end(fd);
    tell(line, note(Say::leaked, fd));
    for (;;) pause();
}

void serve(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    if (options.mode == "leak-and-pool") {
        const int fd = connect_to(options.family, hear(line, Say::proceed).port);
        write_all(fd, "q");
        char answer = 0;
        if (read(fd, &answer, 1) != 1) fail("answer");
        tell(line, note(Say::pending, fd));
    }
    for (int i = options.mode == "leak-and-pool" ? 1 : 0; i < 2; ++i)
        std::thread(handle, accept_one(listener.fd), line).detach();
    for (;;) {
        const Note order = hear(line, Say::close);
        tell(line, close_and_note(order.fd, options.end));
        if (options.end == "exit") _exit(0);
    }
}

Truth second_truth(const Note& where, const char* cause) {
    Truth truth;
    truth.cause = cause;
    truth.pid = where.pid;
    truth.tid = where.tid;
    truth.fd = where.fd;
    truth.holders = {{where.pid, where.fd}};
    return truth;
}

void hang_up_second(int peer) {
    check(shutdown(peer, SHUT_WR), "shutdown");
    wait_until_acknowledged(peer);
}

void play_sleeper(Judge& judge, const Options& options, const Child& child, std::uint16_t port) {
    const int peer = connect_to(options.family, port);
    write_all(peer, "S");
    const Note handler = hear(child.line, Say::accepted);
    wait_until_asleep_in(child.pid, handler.tid, SYS_clock_nanosleep);
    poll(nullptr, 0, well_before_ms);
    hang_up_second(peer);
    Truth truth = second_truth(handler, "handler-blocked");
    truth.acceptable_untraced = {"abandoned", "unknown"};
    judge.also(truth, peer);
}

void play_service(Judge& judge, const Options& options, const Child& child) {
    const Listener service = listen_on(options.family);
    tell(child.line, note(Say::proceed, -1, service.port));
    const int peer = accept_one(service.fd);
    char question = 0;
    if (read(peer, &question, 1) != 1) fail("question");
    write_all(peer, "a");
    const Note pooled = hear(child.line, Say::pending);
    poll(nullptr, 0, pooled_for_ms);
    hang_up_second(peer);
    judge.also(second_truth(pooled, "idle-in-pool"), peer);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"leak-and-sleep", "leak-and-pool"});
    Judge judge(options);
    const Child child = start_child(options.name("mixed"), [&](int line) { serve(options, line); });
    const std::uint16_t port = judge.listening(child);
    if (options.mode == "leak-and-pool")
        play_service(judge, options, child);
    else
        play_sleeper(judge, options, child, port);
    const int peer = connect_to(options.family, port);
    write_all(peer, "L");
    hear(child.line, Say::accepted);
    judge.hang_up(peer);
    const Note leaked = hear(child.line, Say::leaked);
    judge.holds(leaked);
    judge.truth.cause = "eof-ignored";
    judge.truth.eof_read = judge.truth.seen_reading = true;
    return judge.obey([&] {
        tell(child.line, note(Say::close, leaked.fd));
        return hear(child.line, Say::closed);
    });
}
