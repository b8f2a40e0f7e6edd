// SPDX-License-Identifier: BSD-2-Clause
// Very many held sockets. Leaking processes hold one end each; processes of their own hold the clients' ends,
// as both cost a descriptor. Prints {"ready":true,"pids":[...],"sockets":N,"seconds":S} when all are held,
// ends with its stdin.
//   --sockets N  --processes P (0: as few as the limit of open files allows)  --mode never-read|eof
//   --peers keep|close  (close: the clients' ends are gone, as with clients on other machines)
#include "culprit.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int spare_descriptors = 64;
constexpr int per_listener = 14'000;                 // well below the ephemeral ports towards one address
constexpr int batch = 500;                           // below the backlog: no SYN is ever dropped
constexpr std::uint32_t first_address = 0x7f010001;  // 127.1.0.1

struct Wanted {
    int sockets = 1000;
    int processes = 0;
    bool read_eof = false;
    bool keep_peers = true;
};

Wanted wanted_from(int argc, char** argv) {
    Wanted wanted;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view name = argv[i];
        if (name == "--sockets")
            wanted.sockets = std::atoi(argv[i + 1]);
        else if (name == "--processes")
            wanted.processes = std::atoi(argv[i + 1]);
        else if (name == "--mode")
            wanted.read_eof = std::strcmp(argv[i + 1], "eof") == 0;
        else if (name == "--peers")
            wanted.keep_peers = std::strcmp(argv[i + 1], "close") != 0;
        else
            wanted.sockets = 0;
    }
    if (argc % 2 == 0 || wanted.sockets < 1) {
        std::fprintf(stderr,
                     "usage: %s --sockets N [--processes P] [--mode never-read|eof] [--peers keep|close]\n",
                     argv[0]);
        std::exit(2);
    }
    rlimit limit{};
    check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    int room = static_cast<int>(limit.rlim_max) - spare_descriptors;
    int least = (wanted.sockets + room - 1) / room;
    if (wanted.processes == 0) wanted.processes = least;
    if (wanted.processes < least) {
        std::fprintf(stderr, "hold_many: %d sockets need at least %d processes here\n", wanted.sockets,
                     least);
        std::exit(2);
    }
    return wanted;
}

// What one pair of processes, a leaking one and its client, has to do.
struct Share {
    int sockets = 0;
    std::uint32_t address = 0;

    int listeners() const { return (sockets + per_listener - 1) / per_listener; }
    int of_listener(int i) const { return std::min(per_listener, sockets - i * per_listener); }
};

void wait_for_hang_up(int fd) {
    pollfd hang_up{fd, POLLRDHUP, 0};
    check(poll(&hang_up, 1, -1), "poll");
}

void leak(const Share& share, bool read_eof, int line) {
    raise_fd_limit();
    std::vector<int> held;
    for (int i = 0; i < share.listeners(); ++i) {
        Listener listener = listen_at(share.address, 0);
        tell(line, note(Say::listening, listener.fd, listener.port));
        for (int n = 0; n < share.of_listener(i); ++n) {
            held.push_back(accept_one(listener.fd));
            if (n % batch == batch - 1) tell(line, note(Say::accepted));
        }
    }
    for (int fd : held) {
        if (read_eof)
            read_to_end(fd);
        else
            wait_for_hang_up(fd);
    }
    tell(line, note(Say::leaked));
    hear(line, Say::gone);
}

void be_clients(const Share& share, bool keep_peers, int server_line) {
    raise_fd_limit();
    std::vector<int> peers;
    for (int i = 0; i < share.listeners(); ++i) {
        std::uint16_t port = hear(server_line, Say::listening).port;
        for (int n = 0; n < share.of_listener(i); ++n) {
            peers.push_back(connect_at(share.address, port));
            if (n % batch == batch - 1) hear(server_line, Say::accepted);
        }
    }
    for (int fd : peers) check(keep_peers ? shutdown(fd, SHUT_WR) : close(fd), "FIN");
}

Child start_clients(const Share& share, bool keep_peers, int server_line) {
    return start_child("hold_clients", [&](int line) {
        be_clients(share, keep_peers, server_line);
        tell(line, note(Say::proceed));
        hear(line, Say::gone);
    });
}

}  // namespace

int main(int argc, char** argv) {
    Wanted wanted = wanted_from(argc, argv);
    set_comm("judge");
    std::int64_t started = boot_ns();
    std::vector<Child> servers;
    std::vector<Child> clients;
    int left = wanted.sockets;
    for (int i = 0; i < wanted.processes; ++i) {
        Share share{left / (wanted.processes - i), first_address + static_cast<std::uint32_t>(i)};
        left -= share.sockets;
        servers.push_back(start_child("hold_many", [&](int line) { leak(share, wanted.read_eof, line); }));
        clients.push_back(start_clients(share, wanted.keep_peers, servers.back().line));
    }
    for (const Child& client : clients) hear(client.line, Say::proceed);
    std::string pids;
    for (const Child& server : servers) {
        hear(server.line, Say::leaked);
        if (!pids.empty()) pids += ',';
        pids += std::to_string(server.pid);
    }
    std::printf("{\"ready\":true,\"pids\":[%s],\"sockets\":%d,\"seconds\":%.2f}\n", pids.c_str(),
                wanted.sockets, static_cast<double>(boot_ns() - started) / 1e9);
    std::fflush(stdout);
    char command = 0;
    while (read(STDIN_FILENO, &command, 1) > 0) {
    }
    return 0;
}
