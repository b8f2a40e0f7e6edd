// SPDX-License-Identifier: BSD-2-Clause
// Healthy programs at work for as long as the judge lives, to be looked at again and again: none may be
// accused.
//   keep-alive     a thread a connection, several requests each; closes as soon as the client has
//   download       the client ends its request with shutdown(SHUT_WR) and downloads a stream, with a pause in
//   it fork-download  the same, served like rsync: a process a connection, and its parent closes its own copy
//   at once forward        the same through a port forwarder like ssh's, which passes a half-close on pool a
//   client's pool looks every two seconds for connections that the server closed, and closes them drain a
//   server told to shut down: it closes one connection after the other, ten a second one-shot       an event
//   loop that asks for one event at a time, and for the next when a worker has answered tls            TLS
//   with close_notify both ways (Python) asyncio, node  an echo server, an HTTP server with kept-alive
//   connections
#include <array>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosted.h"

using namespace culprit;

namespace {

constexpr int pause_ms = 1500;
constexpr int chunk_every_ms = 50;
constexpr int reap_every_ms = 2000;
constexpr int pooled = 5;
constexpr int drained = 20;
constexpr int drain_every_ms = 100;
constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

// These pauses are what the programs are about.
void pass_time(int milliseconds) {
    poll(nullptr, 0, milliseconds);
}

void stream_in_parts(int fd) {
    const std::string chunk(4096, 'd');
    for (int part = 0; part < 2; ++part) {
        if (part > 0) pass_time(pause_ms);
        for (int i = 0; i < 10; ++i) {
            write_all(fd, chunk);
            pass_time(chunk_every_ms);
        }
    }
}

void echo(int fd) {
    std::array<char, 4096> bytes{};
    for (ssize_t got = 0; (got = read(fd, bytes.data(), bytes.size())) > 0;)
        write_all(fd, {bytes.data(), static_cast<std::size_t>(got)});
    close(fd);
}

void serve_download(int fd) {
    read_to_end(fd);
    stream_in_parts(fd);
    close(fd);
}

template <typename Serve>
void serve_in_threads(int listener, Serve serve) {
    for (;;) std::thread(serve, accept_one(listener)).detach();
}

void serve_in_processes(int listener) {
    signal(SIGCHLD, SIG_IGN);  // nobody asks how they ended
    for (;;) {
        const int fd = accept_one(listener);
        const pid_t parent = getpid();
        if (check(fork(), "fork") == 0) {
            die_with_parent(parent);
            close(listener);
            serve_download(fd);
            _exit(0);
        }
        close(fd);
    }
}

// Both ways until both have ended; the end of one way is passed on.
void forward(int client, std::uint16_t to) {
    const int service = connect_to(Family::ipv4, to);
    std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {service, POLLIN, 0}}};
    std::array<char, 4096> bytes{};
    for (int open = 2; open > 0;) {
        poll(ends.data(), ends.size(), -1);
        for (std::size_t i = 0; i < ends.size(); ++i) {
            if (!ends[i].revents) continue;
            const int other = i == 0 ? service : client;
            const ssize_t got = read(ends[i].fd, bytes.data(), bytes.size());
            if (got > 0) {
                write_all(other, {bytes.data(), static_cast<std::size_t>(got)});
                continue;
            }
            shutdown(other, SHUT_WR);
            ends[i].fd = -1;
            --open;
        }
    }
    close(client);
    close(service);
}

void serve_through_forwarder(int listener, const Listener& service) {
    std::thread([&] { serve_in_threads(service.fd, serve_download); }).detach();
    serve_in_threads(listener, [&](int fd) { forward(fd, service.port); });
}

// All clients of a round have hung up before the first of them is let go.
void drain_in_rounds(int listener) {
    for (;;) {
        std::vector<int> sessions;
        for (int i = 0; i < drained; ++i) sessions.push_back(accept_one(listener));
        pollfd last{sessions.back(), POLLRDHUP, 0};
        poll(&last, 1, -1);
        for (const int fd : sessions) {
            pass_time(drain_every_ms);
            read_to_end(fd);
            close(fd);
        }
    }
}

// Hangs up on whoever has got an answer.
void serve_once(int fd) {
    char byte = 0;
    if (read(fd, &byte, 1) == 1) write_all(fd, "a");
    pass_time(drain_every_ms);
    shutdown(fd, SHUT_WR);
    while (read(fd, &byte, 1) > 0) {
    }
    close(fd);
}

// While a worker has it, the loop is not told of the hang-up that has come by then.
void serve_one_shot(int listener) {
    const int loop = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    const auto ask = [loop](int operation, int fd) {
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
        interest.data.fd = fd;
        check(epoll_ctl(loop, operation, fd, &interest), "epoll_ctl");
    };
    ask(EPOLL_CTL_ADD, listener);
    for (;;) {
        epoll_event event{};
        if (epoll_wait(loop, &event, 1, -1) < 1) continue;
        const int fd = event.data.fd;
        if (fd == listener) {
            ask(EPOLL_CTL_ADD, accept_one(listener));
            ask(EPOLL_CTL_MOD, listener);
            continue;
        }
        std::thread([ask, fd] {
            char bytes[256];
            if (read(fd, bytes, sizeof bytes) <= 0) {
                close(fd);
                return;
            }
            pass_time(pause_ms);
            write_all(fd, "answer");
            ask(EPOLL_CTL_MOD, fd);
        }).detach();
    }
}

void serve(const std::string& mode, int listener, const Listener& service) {
    if (mode == "keep-alive") serve_in_threads(listener, echo);
    if (mode == "download") serve_in_threads(listener, serve_download);
    if (mode == "fork-download") serve_in_processes(listener);
    if (mode == "forward") serve_through_forwarder(listener, service);
    if (mode == "pool") serve_in_threads(listener, serve_once);
    if (mode == "one-shot") serve_one_shot(listener);
    if (mode == "drain") drain_in_rounds(listener);
}

// --- clients ---

void converse(std::uint16_t port) {
    const int fd = connect_to(Family::ipv4, port);
    std::array<char, 4096> bytes{};
    for (int i = 0; i < 5; ++i) {
        write_all(fd, request);
        if (read(fd, bytes.data(), bytes.size()) <= 0) fail("answer");
    }
    check(shutdown(fd, SHUT_WR), "shutdown");
    read_to_end(fd);
    close(fd);
    pass_time(2);
}

void download(std::uint16_t port) {
    const int fd = connect_to(Family::ipv4, port);
    write_all(fd, request);
    check(shutdown(fd, SHUT_WR), "shutdown");
    read_to_end(fd);
    close(fd);
}

void pool_and_reap(std::uint16_t port) {
    std::vector<int> pool;
    for (int i = 0; i < pooled; ++i) {
        pool.push_back(connect_to(Family::ipv4, port));
        write_all(pool.back(), "q");
        char answer = 0;
        if (read(pool.back(), &answer, 1) != 1) fail("answer");
    }
    pass_time(reap_every_ms);
    for (const int fd : pool) {
        pollfd hung_up{fd, POLLIN | POLLRDHUP, 0};
        if (poll(&hung_up, 1, 0) == 1) close(fd);
    }
}

void connect_and_leave(std::uint16_t port) {
    std::vector<int> clients;
    for (int i = 0; i < drained; ++i) clients.push_back(connect_to(Family::ipv4, port));
    for (const int fd : clients) check(shutdown(fd, SHUT_WR), "shutdown");
    for (const int fd : clients) read_to_end(fd);
    for (const int fd : clients) close(fd);
}

void be_client(const std::string& mode, std::uint16_t port) {
    if (mode == "pool") return pool_and_reap(port);
    if (mode == "drain") return connect_and_leave(port);
    if (mode.ends_with("download") || mode == "forward" || mode == "one-shot") return download(port);
    return converse(port);
}

[[noreturn]] void be_clients(const std::string& mode, std::uint16_t port) {
    const int clients = mode == "keep-alive" ? 4 : 1;
    const auto run = [&] {
        for (;;) be_client(mode, port);
    };
    for (int i = 1; i < clients; ++i) std::thread(run).detach();
    run();
    std::abort();
}

using nlohmann::json;

// Whatever the kernel lists with this port belongs to a healthy program.
json truth_of(std::uint16_t local, std::uint16_t remote) {
    const auto known = [](std::uint16_t port) { return port ? json(port) : json(nullptr); };
    return {{"cause", "none"},
            {"held", false},
            {"netns", netns_inode()},
            {"port", known(local)},
            {"remote_port", known(remote)},
            {"fin_after_ns", boot_ns()}};
}

std::optional<Hosted> hosted_server(const std::string& mode) {
    using Words = std::vector<std::string>;
    if (mode == "tls") return Hosted(Words{"python3", "python/tls_pair.py"});
    if (mode == "asyncio") return Hosted(Words{"python3", "python/asyncio_server.py", "healthy"});
    if (mode == "node") return Hosted(Words{"node", "node/server.js", "healthy"});
    return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv,
                                  {"keep-alive", "download", "fork-download", "forward", "pool", "drain",
                                   "one-shot", "tls", "asyncio", "node"});
    const std::string& mode = options.mode;
    Judge judge(options);
    const std::optional<Hosted> hosted = hosted_server(mode);
    std::uint16_t port = hosted ? hosted->announced().at("port").get<std::uint16_t>() : 0;
    std::uint16_t service = 0;
    if (!hosted) {
        const Child server = start_child("healthy-server", [&](int line) {
            const Listener listener = listen_on(options.family);
            const Listener behind = listen_on(options.family);
            tell(line, note(Say::listening, listener.fd, listener.port));
            tell(line, note(Say::listening, behind.fd, behind.port));
            serve(mode, listener.fd, behind);
        });
        port = hear(server.line, Say::listening).port;
        service = hear(server.line, Say::listening).port;
    }
    const bool client = mode == "pool";
    judge.announce(client ? 0 : port, client ? port : 0);
    if (mode == "tls")
        hosted->order("start");
    else
        start_child("healthy-client", [&](int) { be_clients(mode, port); });
    json truth = truth_of(client ? 0 : port, client ? port : 0);
    truth["mode"] = mode;
    if (mode == "forward") truth["also"] = {truth_of(service, 0)};
    return judge.rest(truth);
}
