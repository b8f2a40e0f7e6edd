// SPDX-License-Identifier: BSD-2-Clause
// Sockets of the culprits: loopback only, ephemeral ports, every call checked.
#include "culprit.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace culprit {

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address ipv4(std::uint32_t host_order, std::uint16_t port) {
    Address address;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(host_order);
    std::memcpy(&address.storage, &in, sizeof in);
    address.length = sizeof in;
    return address;
}

Address ipv6(const in6_addr& ip, std::uint16_t port) {
    Address address;
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    in.sin6_addr = ip;
    std::memcpy(&address.storage, &in, sizeof in);
    address.length = sizeof in;
    return address;
}

in6_addr mapped_loopback() {
    in6_addr ip{};
    check(inet_pton(AF_INET6, "::ffff:127.0.0.1", &ip) - 1, "inet_pton");
    return ip;
}

}  // namespace

std::uint16_t local_port_of(int fd) {
    Address address;
    address.length = sizeof address.storage;
    check(getsockname(fd, address.get(), &address.length), "getsockname");
    in_port_t port = 0;  // at the same place in sockaddr_in and sockaddr_in6
    std::memcpy(&port, reinterpret_cast<const char*>(&address.storage) + offsetof(sockaddr_in, sin_port),
                sizeof port);
    return ntohs(port);
}

namespace {

Listener listen_with(Address address, bool reuse_port) {
    int fd = check(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    int on = 1;
    int off = 0;
    if (reuse_port) check(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
    if (address.storage.ss_family == AF_INET6)
        check(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), "IPV6_V6ONLY");
    check(bind(fd, address.get(), address.length), "bind");
    check(listen(fd, 4096), "listen");
    return {fd, local_port_of(fd)};
}

int connect_with(Address address) {
    int fd = check(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(connect(fd, address.get(), address.length), "connect");
    return fd;
}

}  // namespace

// A listener on the mapped address is a dual-stack one: an AF_INET6 socket that IPv4 clients reach.
Listener listen_on(Family family, std::uint16_t port, bool reuse_port) {
    switch (family) {
    case Family::ipv6: return listen_with(ipv6(in6addr_loopback, port), reuse_port);
    case Family::mapped: return listen_with(ipv6(mapped_loopback(), port), reuse_port);
    case Family::ipv4: break;
    }
    return listen_with(ipv4(INADDR_LOOPBACK, port), reuse_port);
}

Listener listen_at(std::uint32_t address, std::uint16_t port) {
    return listen_with(ipv4(address, port), false);
}

int connect_to(Family family, std::uint16_t port) {
    if (family == Family::ipv6) return connect_with(ipv6(in6addr_loopback, port));
    return connect_with(ipv4(INADDR_LOOPBACK, port));
}

int connect_at(std::uint32_t address, std::uint16_t port) {
    return connect_with(ipv4(address, port));
}

int accept_one(int listener) {
    for (;;) {
        int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0 || errno != EINTR) return check(fd, "accept");
    }
}

std::int64_t read_to_end(int fd) {
    std::int64_t total = 0;
    char bytes[4096];
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got == 0) return total;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail("read");
        total += got;
    }
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t sent = write(fd, text.data(), text.size());
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) fail("write");
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

// No poll event announces the acknowledgement of a FIN, and it may be delayed by 40 ms, so the state is asked
// for.
void wait_until_acknowledged(int peer) {
    for (;;) {
        tcp_info info{};
        socklen_t length = sizeof info;
        check(getsockopt(peer, IPPROTO_TCP, TCP_INFO, &info, &length), "TCP_INFO");
        if (info.tcpi_state != TCP_FIN_WAIT1 && info.tcpi_state != TCP_ESTABLISHED) return;
        sched_yield();
    }
}

std::uint64_t netns_inode() {
    struct stat status {};
    check(stat("/proc/self/ns/net", &status), "stat /proc/self/ns/net");
    return status.st_ino;
}

void enter_new_netns() {
    check(unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)");
    int fd = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    check(ioctl(fd, SIOCGIFFLAGS, &request), "SIOCGIFFLAGS");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    check(ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
    close(fd);
}

void raise_fd_limit() {
    rlimit limit{};
    check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

}  // namespace culprit
