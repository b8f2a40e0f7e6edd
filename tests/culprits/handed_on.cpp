// SPDX-License-Identifier: BSD-2-Clause
// The thread that had the connection last has it no more. Nothing that can be measured tells who has it now:
// naming the one that had it would be wrong.
//   queue    a reader reads end-of-file and puts the connection into a queue; the thread that is to close it
//            has taken it, and sleeps first
//   sweeper  the connection is in a list, and a sweeper closes what is in there, once an hour
//   ended    a thread reads end-of-file and exits; the main thread, which never had it, lives on
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

#include "culprit.h"

using namespace culprit;

namespace {

constexpr unsigned an_hour = 3600;

struct Queue {
    std::mutex mutex;
    std::condition_variable filled;
    int fd = -1;
};

[[noreturn]] void close_late(Queue& queue, int line) {
    set_comm("closer");
    int fd = -1;
    {
        std::unique_lock lock(queue.mutex);
        queue.filled.wait(lock, [&] { return queue.fd >= 0; });
        fd = queue.fd;
    }
    tell(line, note(Say::leaked, fd));
    for (;;) sleep(an_hour);
}

[[noreturn]] void read_and_hand_on(Queue& queue, int listener, int line) {
    set_comm("reader");
    for (;;) {
        const int fd = accept_one(listener);
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        const std::scoped_lock lock(queue.mutex);
        queue.fd = fd;
        queue.filled.notify_one();
    }
}

[[noreturn]] void sweep(std::promise<void>& begun, int line) {
    set_comm("sweeper");
    tell(line, note(Say::pending));
    begun.set_value();
    for (;;) sleep(an_hour);
}

[[noreturn]] void take_requests(int listener, int line) {
    set_comm("reader");
    for (;;) {
        const int fd = accept_one(listener);
        char request = 0;
        if (read(fd, &request, 1) != 1) fail("request");
        tell(line, note(Say::accepted, fd));
    }
}

void read_and_end(int listener, int line) {
    set_comm("reader");
    const int fd = accept_one(listener);
    tell(line, note(Say::accepted, fd));
    read_to_end(fd);
    tell(line, note(Say::leaked, fd));
}

void serve(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    Queue queue;
    std::promise<void> begun;
    if (options.mode == "queue") {
        std::thread([&] { close_late(queue, line); }).detach();
        std::thread([&] { read_and_hand_on(queue, listener.fd, line); }).detach();
    } else if (options.mode == "sweeper") {
        std::thread([&] { sweep(begun, line); }).detach();
        begun.get_future().wait();
        std::thread([&] { take_requests(listener.fd, line); }).detach();
    }
    tell(line, note(Say::listening, listener.fd, listener.port));
    if (options.mode == "ended") {
        std::thread(read_and_end, listener.fd, line).join();
        tell(line, note(Say::pending));
    }
    for (;;) {
        const Note order = hear(line, Say::close);
        tell(line, close_and_note(order.fd, options.end));
        if (options.end == "exit") _exit(0);
    }
}

// Who is to close it; nobody's thread for `ended`.
Note play(Judge& judge, const Options& options, const Child& child, Note sweeper, std::uint16_t port) {
    const int peer = connect_to(options.family, port);
    if (options.mode == "sweeper") write_all(peer, "r");
    Note accepted = hear(child.line, Say::accepted);
    judge.hang_up(peer);
    if (options.mode == "sweeper") {
        accepted.tid = sweeper.tid;
        return accepted;
    }
    const Note leaked = hear(child.line, Say::leaked);
    if (options.mode == "ended")
        hear(child.line, Say::pending);
    else
        wait_until_asleep_in(child.pid, leaked.tid, SYS_clock_nanosleep);
    return leaked;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"queue", "sweeper", "ended"});
    Judge judge(options);
    const Child child = start_child(options.name("handed_on"), [&](int line) { serve(options, line); });
    const Note sweeper = options.mode == "sweeper" ? hear(child.line, Say::pending) : Note{};
    const Note where = play(judge, options, child, sweeper, judge.listening(child));
    judge.holds(where);
    const bool read = options.mode != "sweeper";
    judge.truth.cause = read ? "eof-ignored" : "abandoned";
    judge.truth.acceptable = {"unknown"};
    judge.truth.eof_read = read;
    judge.truth.nobody_to_name = options.mode == "ended";
    return judge.obey([&] {
        tell(child.line, note(Say::close, where.fd));
        return hear(child.line, Say::closed);
    });
}
