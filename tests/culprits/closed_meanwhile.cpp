// SPDX-License-Identifier: BSD-2-Clause
// The main thread closes connections while somebody else could be taken for it. Modes:
//   read      a worker reads end-of-file from it in a loop: now and then the worker's call is the last to
//             keep the socket, and so lets go of it
//   replaced  a worker has closed one descriptor; the main thread ends the last one by putting another file
//             in its place (dup2 from the very number that the worker closed), or with close_range()
//   shutdown  the main thread shuts it down, which ends its CLOSE_WAIT; a worker closes it after that
// Prints {"ready":true,"port":N,"pid":P}, waits for a line, goes through the rounds, prints {"rounds":N}, and
// ends with its stdin.
#include "culprit.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr timespec while_it_reads{0, 3'000'000};

void close_while_read(const Listener& listener) {
    const int peer = connect_to(Family::ipv4, listener.port);
    const int fd = accept_one(listener.fd);
    check(shutdown(peer, SHUT_WR), "shutdown");
    std::atomic<bool> reading = false;
    std::thread reader([&] {
        char byte = 0;
        while (recv(fd, &byte, 1, 0) >= 0) reading = true;
    });
    while (!reading) std::this_thread::yield();
    nanosleep(&while_it_reads, nullptr);
    close(fd);
    reader.join();
    close(peer);
}

constexpr int first = 40, second = 41;

void close_what_is_left(const Listener& listener, bool by_range) {
    const int peer = connect_to(Family::ipv4, listener.port);
    const int accepted = accept_one(listener.fd);
    check(dup2(accepted, first), "dup2");
    check(dup2(accepted, second), "dup2");
    close(accepted);
    check(shutdown(peer, SHUT_WR), "shutdown");
    pollfd ended{second, POLLRDHUP, 0};
    check(poll(&ended, 1, -1), "poll");
    std::thread([] { close(first); }).join();
    const int other = check(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
    check(dup2(other, first), "dup2");
    if (!by_range)
        check(dup2(first, second), "dup2");
    else if (syscall(SYS_close_range, first, second, 0) < 0)
        fail("close_range");
    close(other);
    close(peer);
}

void close_what_was_shut_down(const Listener& listener) {
    const int peer = connect_to(Family::ipv4, listener.port);
    const int fd = accept_one(listener.fd);
    check(shutdown(peer, SHUT_WR), "shutdown");
    pollfd ended{fd, POLLRDHUP, 0};
    check(poll(&ended, 1, -1), "poll");
    check(shutdown(fd, SHUT_WR), "shutdown");
    std::thread([&] { close(fd); }).join();
    close(peer);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) fail("usage: closed_meanwhile read|replaced|shutdown");
    const bool read_meanwhile = std::strcmp(argv[1], "read") == 0;
    const bool shut_down = std::strcmp(argv[1], "shutdown") == 0;
    const int rounds = read_meanwhile ? 300 : 10;
    const Listener listener = listen_on(Family::ipv4);
    std::printf("{\"ready\":true,\"port\":%u,\"pid\":%d}\n", listener.port, getpid());
    std::fflush(stdout);
    char byte = 0;
    while (byte != '\n')
        if (read(STDIN_FILENO, &byte, 1) != 1) return 0;
    for (int i = 0; i < rounds; ++i) {
        if (read_meanwhile)
            close_while_read(listener);
        else if (shut_down)
            close_what_was_shut_down(listener);
        else
            close_what_is_left(listener, i % 2 == 1);
    }
    std::printf("{\"rounds\":%d}\n", rounds);
    std::fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
