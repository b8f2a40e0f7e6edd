// SPDX-License-Identifier: BSD-2-Clause
// Holds of known length, one after another: each 1 to 5 ms from the peer's FIN to the close.
// Prints {"ready":true,"port":N,"pid":P}, waits for the command `fin`, then prints one line for each hold
// with its own clock around the FIN and around the close.
//   --count N
#include "culprit.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr long shortest_ns = 1'000'000;
constexpr long longest_ns = 5'000'000;

void close_late(int line) {
    Listener listener = listen_on(Family::ipv4);
    tell(line, note(Say::listening, listener.fd, listener.port));
    std::mt19937 random(20);
    std::uniform_int_distribution<long> length(shortest_ns, longest_ns);
    for (;;) {
        int fd = accept_one(listener.fd);
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        timespec until{0, length(random)};
        nanosleep(&until, nullptr);
        tell(line, close_and_note(fd));
    }
}

int count_from(int argc, char** argv) {
    if (argc == 1) return 1000;
    if (argc == 3 && std::strcmp(argv[1], "--count") == 0 && std::atoi(argv[2]) > 0)
        return std::atoi(argv[2]);
    std::fprintf(stderr, "usage: %s [--count N]\n", argv[0]);
    std::exit(2);
}

void hold_once(const Child& child, std::uint16_t port) {
    int peer = connect_to(Family::ipv4, port);
    Note accepted = hear(child.line, Say::accepted);
    std::uint16_t remote_port = local_port_of(peer);
    std::int64_t before = boot_ns();
    check(shutdown(peer, SHUT_WR), "shutdown");
    std::int64_t after = boot_ns();
    Note closed = hear(child.line, Say::closed);
    std::printf(
        "{\"port\":%u,\"remote_port\":%u,\"fd\":%d,\"fin_before_ns\":%lld,\"fin_after_ns\":%lld,"
        "\"close_before_ns\":%lld,\"close_after_ns\":%lld}\n",
        port, remote_port, accepted.fd, static_cast<long long>(before), static_cast<long long>(after),
        static_cast<long long>(closed.before_ns), static_cast<long long>(closed.after_ns));
    close(peer);
}

}  // namespace

int main(int argc, char** argv) {
    int count = count_from(argc, argv);
    Child child = start_child("exact_holds", close_late);
    std::uint16_t port = hear(child.line, Say::listening).port;
    std::printf("{\"ready\":true,\"port\":%u,\"pid\":%d}\n", port, child.pid);
    std::fflush(stdout);
    char command = 0;
    while (command != '\n')
        if (read(STDIN_FILENO, &command, 1) != 1) return 0;
    for (int i = 0; i < count; ++i) hold_once(child, port);
    std::fflush(stdout);
    while (read(STDIN_FILENO, &command, 1) > 0) {
    }
    return 0;
}
