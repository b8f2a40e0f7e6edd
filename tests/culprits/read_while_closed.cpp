// SPDX-License-Identifier: BSD-2-Clause
// The main thread closes a connection while a worker reads end-of-file from it in a loop: now and then the
// worker's call is the last to keep the socket, and so lets go of it.
// Prints {"ready":true,"port":N,"pid":P}, waits for a line, goes through the rounds, prints {"rounds":N}, and
// ends with its stdin.
#include "culprit.h"

#include <atomic>
#include <cstdio>
#include <ctime>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int rounds = 300;
constexpr timespec while_it_reads{0, 3'000'000};

void play_round(const Listener& listener) {
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

}  // namespace

int main() {
    const Listener listener = listen_on(Family::ipv4);
    std::printf("{\"ready\":true,\"port\":%u,\"pid\":%d}\n", listener.port, getpid());
    std::fflush(stdout);
    char byte = 0;
    while (byte != '\n')
        if (read(STDIN_FILENO, &byte, 1) != 1) return 0;
    for (int i = 0; i < rounds; ++i) play_round(listener);
    std::printf("{\"rounds\":%d}\n", rounds);
    std::fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
