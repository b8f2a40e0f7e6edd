// SPDX-License-Identifier: BSD-2-Clause
// A program that speaks Multipath TCP (Go's servers do unless told otherwise) to a peer that speaks plain
// TCP: what it holds is another socket than the one in CLOSE_WAIT, which the kernel made.
//   queued  the connection was never accepted: the kernel's own mark is still on it
//   leaked  accepted, read to its end, never closed: then it is a socket like any other
//   client  opened by this side; what the program has read of it does not show
#include "culprit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int multipath_socket() {
    return check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), "socket(IPPROTO_MPTCP)");
}

Listener listen_multipath() {
    const int fd = multipath_socket();
    const sockaddr_in address = loopback(0);
    check(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    check(listen(fd, 128), "listen");
    return {fd, local_port_of(fd)};
}

int connect_multipath(std::uint16_t port) {
    const int fd = multipath_socket();
    const sockaddr_in address = loopback(port);
    check(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    return fd;
}

void serve(const Options& options, int line) {
    const Listener listener = listen_multipath();
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = -1;
    if (options.mode == "leaked") {
        fd = accept_one(listener.fd);
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        tell(line, note(Say::leaked, fd));
    }
    hear(line, Say::close);
    if (fd < 0) fd = accept_one(listener.fd);
    tell(line, close_and_note(fd, options.end));
    hear(line, Say::gone);
}

void be_client(const Options& options, int line) {
    const int fd = connect_multipath(hear(line, Say::proceed).port);
    tell(line, note(Say::accepted, fd));
    idle(line, -1, fd, options.end);
}

void watch_client(Judge& judge, const Child& child) {
    const Listener listener = listen_on(Family::ipv4);
    judge.announce(0, listener.port);
    tell(child.line, note(Say::proceed, -1, listener.port));
    const int peer = accept_one(listener.fd);
    judge.holds(hear(child.line, Say::accepted));
    judge.hang_up(peer);
    judge.truth.role = "client";
    judge.truth.accepted = std::nullopt;
    judge.truth.eof_read = std::nullopt;
    judge.truth.unread_bytes = std::nullopt;
    judge.truth.cause = "unknown";
}

void watch_server(const Options& options, Judge& judge, const Child& child) {
    const int peer = connect_to(Family::ipv4, judge.listening(child));
    if (options.mode == "queued") {
        judge.truth.pid = child.pid;
        judge.truth.accepted = false;
        judge.truth.cause = "never-accepted";
        judge.hang_up(peer);
        return;
    }
    judge.holds(hear(child.line, Say::accepted));
    judge.hang_up(peer);
    judge.holds(hear(child.line, Say::leaked));
    judge.truth.cause = "eof-ignored";
    judge.truth.eof_read = judge.truth.seen_reading = true;
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"queued", "leaked", "client"});
    Judge judge(options);
    const bool is_client = options.mode == "client";
    Child child = start_child(options.name("multipath"), [&](int line) {
        if (is_client)
            be_client(options, line);
        else
            serve(options, line);
    });
    if (is_client)
        watch_client(judge, child);
    else
        watch_server(options, judge, child);
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
