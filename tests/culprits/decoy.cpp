// SPDX-License-Identifier: BSD-2-Clause
// Healthy programs: none of these may be accused.
//   quick-close   reads end-of-file and closes 5 ms later
//   keep-alive    20 requests over one connection, then the client closes and the server does at once
//   half-open     the peer ends its request with shutdown(SHUT_WR) and downloads a stream that goes on until
//   `close` reaping-pool  a client's pool looks every 100 ms for connections the server closed, and closes
//   them reset         the peer aborts with RST, no FIN: never in CLOSE_WAIT
#include "culprit.h"

#include <cerrno>
#include <ctime>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int requests = 20;
constexpr int reap_every_ms = 100;
constexpr int stream_every_ms = 20;
constexpr long think_ns = 5'000'000;  // the 5 ms are the scenario, not a synchronisation

void close_after_thinking(int fd, int line) {
    tell(line, note(Say::accepted, fd));
    read_to_end(fd);
    timespec think{0, think_ns};
    nanosleep(&think, nullptr);
    tell(line, close_and_note(fd));
}

void keep_alive(int fd, int line) {
    tell(line, note(Say::accepted, fd));
    char request = 0;
    while (read(fd, &request, 1) == 1) write_all(fd, "a");
    tell(line, close_and_note(fd));
}

void stream(int fd, int line) {
    tell(line, note(Say::accepted, fd));
    read_to_end(fd);
    tell(line, note(Say::leaked, fd));
    const std::string chunk(512, 'd');
    pollfd order{line, POLLIN, 0};
    while (poll(&order, 1, stream_every_ms) == 0) write_all(fd, chunk);
    hear(line, Say::close);
    tell(line, close_and_note(fd));
}

void be_reset(int fd, int line) {
    tell(line, note(Say::accepted, fd));
    char byte = 0;
    if (read(fd, &byte, 1) != -1 || errno != ECONNRESET) fail("a reset was expected");
    tell(line, close_and_note(fd));
}

void reap(const Options& options, int line) {
    int fd = connect_to(options.family, hear(line, Say::proceed).port);
    tell(line, note(Say::accepted, fd));
    pollfd pooled{fd, POLLIN | POLLRDHUP, 0};
    pollfd order{line, POLLIN, 0};
    while (poll(&order, 1, reap_every_ms) == 0)
        if (poll(&pooled, 1, 0) == 1) {
            tell(line, close_and_note(fd));
            break;
        }
}

void behave(const Options& options, int line) {
    if (options.mode == "reaping-pool")
        reap(options, line);
    else {
        Listener listener = listen_on(options.family);
        tell(line, note(Say::listening, listener.fd, listener.port));
        int fd = accept_one(listener.fd);
        if (options.mode == "quick-close")
            close_after_thinking(fd, line);
        else if (options.mode == "keep-alive")
            keep_alive(fd, line);
        else if (options.mode == "half-open")
            stream(fd, line);
        else
            be_reset(fd, line);
    }
    hear(line, Say::gone);
}

int reach(Judge& judge, const Options& options, const Child& child) {
    if (options.mode != "reaping-pool") return connect_to(options.family, judge.listening(child));
    Listener listener = listen_on(options.family);
    judge.announce(0, listener.port);
    tell(child.line, note(Say::proceed, -1, listener.port));
    return accept_one(listener.fd);
}

void play_peer(Judge& judge, const Options& options, int peer) {
    judge.ready(peer);
    if (options.mode == "reset") {
        linger abort{1, 0};
        check(setsockopt(peer, SOL_SOCKET, SO_LINGER, &abort, sizeof abort), "SO_LINGER");
        check(close(peer), "close");
        return;
    }
    char answer = 0;
    for (int i = 0; options.mode == "keep-alive" && i < requests; ++i) {
        write_all(peer, "q");
        if (read(peer, &answer, 1) != 1) fail("answer");
    }
    judge.hang_up_without_wait(peer);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"quick-close", "keep-alive", "half-open", "reaping-pool", "reset"});
    Judge judge(options);
    Child child = start_child(options.name("decoy"), [&](int line) { behave(options, line); });
    int peer = reach(judge, options, child);
    judge.holds(hear(child.line, Say::accepted));
    if (options.mode == "reaping-pool") judge.truth.role = "client";
    play_peer(judge, options, peer);
    if (options.mode == "half-open") {
        judge.holds(hear(child.line, Say::leaked));
        judge.truth.cause = "half-open";
        judge.truth.acceptable = {"unknown"};
        judge.truth.eof_read = true;
        judge.truth.quiet = false;
        judge.drain(peer);
        return judge.obey([&] {
            tell(child.line, note(Say::close));
            return hear(child.line, Say::closed);
        });
    }
    Note closed = hear(child.line, Say::closed);
    judge.truth.cause = "none";
    judge.truth.held = false;
    judge.truth.holders.clear();
    return judge.rest(closed);
}
