// SPDX-License-Identifier: BSD-2-Clause
// A leak that keepalive ends: SO_KEEPALIVE is on, with times of a few seconds.
//   forgotten  the peer closed, and its kernel has forgotten the connection when the first probe comes
//   vanished   the network is gone (loopback down, in a network namespace of its own): no probe is answered
// The command `close` waits until the kernel has ended the connection; it is nobody's close().
#include "culprit.h"

#include <cstring>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

void set(int fd, int level, int option, int value) {
    check(setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

void leak(const Options& options, int line) {
    const bool forgotten = options.mode == "forgotten";
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, forgotten ? 2 : 1);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 2);
    tell(line, note(Say::accepted, fd));
    hear(line, Say::close);
    Note ended = note(Say::closed, fd);
    ended.before_ns = boot_ns();
    pollfd broken{fd, 0, 0};  // POLLERR and POLLHUP come unasked
    check(poll(&broken, 1, 8000) - 1, "poll");
    ended.after_ns = boot_ns();
    tell(line, ended);
    hear(line, Say::gone);
}

void take_network_down() {
    int fd = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    check(ioctl(fd, SIOCGIFFLAGS, &request), "SIOCGIFFLAGS");
    request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
    check(ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"forgotten", "vanished"});
    const bool forgotten = options.mode == "forgotten";
    options.netns = options.netns || !forgotten;
    Judge judge(options);
    Child child = start_child(options.name("reaped"), [&](int line) { leak(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    Note held = hear(child.line, Say::accepted);
    if (forgotten) set(peer, IPPROTO_TCP, TCP_LINGER2, 1);  // so long the kernel remembers it
    judge.hang_up(peer);
    if (forgotten)
        check(close(peer), "close");
    else
        take_network_down();
    judge.holds(held);
    judge.truth.cause = "abandoned";
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
