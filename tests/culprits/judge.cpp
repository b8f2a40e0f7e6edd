// SPDX-License-Identifier: BSD-2-Clause
// The judge: sends the FIN, tells the truth on stdout, obeys the commands on stdin.
#include "culprit.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace culprit {

namespace {

using nlohmann::json;

void print(const json& line) {
    std::printf("%s\n", line.dump(-1, ' ', true, json::error_handler_t::replace).c_str());
    std::fflush(stdout);
}

template <typename T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

const char* name_of(Family family) {
    switch (family) {
    case Family::ipv6: return "ipv6";
    case Family::mapped: return "mapped";
    case Family::ipv4: break;
    }
    return "ipv4";
}

std::pair<std::string, std::uint16_t> printable(const sockaddr_storage& storage) {
    char text[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET6) {
        const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
        inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
        return {text, ntohs(in.sin6_port)};
    }
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return {text, ntohs(in.sin_port)};
}

std::pair<std::string, std::uint16_t> end_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    check(ask(fd, reinterpret_cast<sockaddr*>(&address), &length), "the name of a socket");
    return printable(address);
}

json closing(const Note& closed) {
    return {{"closed_ns", closed.after_ns},
            {"close_before_ns", closed.before_ns},
            {"close_after_ns", closed.after_ns},
            {"closer_pid", closed.pid},
            {"closer_tid", closed.tid}};
}

}  // namespace

void skip(const std::string& why) {
    print({{"skip", why}});
    std::exit(0);
}

Judge::Judge(Options options) : options_(std::move(options)) {
    set_comm("judge");
    if (options_.netns) enter_new_netns();
}

void Judge::also(const Truth& other, int peer) {
    json holders = json::array();
    for (const Holder& holder : other.holders) holders.push_back({{"pid", holder.pid}, {"fd", holder.fd}});
    also_.push_back(json{
        {"cause", other.cause},
        {"acceptable", other.acceptable},
        {"acceptable_untraced", other.acceptable_untraced},
        {"pid", or_null(other.pid)},
        {"tid", or_null(other.tid)},
        {"fd", or_null(other.fd)},
        {"port", end_of(peer, getpeername).second},
        {"remote_port", end_of(peer, getsockname).second},
        {"netns", netns_inode()},
        {"holders", holders},
        {"held",
         other.held}}.dump());
}

void Judge::holds(const Note& where) {
    truth.pid = where.pid;
    truth.tid = where.tid;
    truth.fd = where.fd;
    truth.holders = {{where.pid, where.fd}};
}

// The held socket is the other end of `peer`: what is local there is remote here.
void Judge::remember_addresses(int peer) {
    std::tie(local_address_, port_) = end_of(peer, getpeername);
    std::tie(remote_address_, remote_port_) = end_of(peer, getsockname);
    peer_ = peer;
}

void Judge::wait_for(const char* expected) {
    std::optional<std::string> command = next_command();
    if (!command) std::exit(0);
    if (*command != expected) {
        std::fprintf(stderr, "culprit: expected the command %s, not %s\n", expected, command->c_str());
        std::exit(2);
    }
}

void Judge::announce(std::uint16_t port, std::uint16_t remote_port) {
    if (!options_.wait_for_start) return;
    auto known = [](std::uint16_t number) { return number ? json(number) : json(nullptr); };
    print({{"listening", true},
           {"port", known(port)},
           {"remote_port", known(remote_port)},
           {"netns", netns_inode()}});
    wait_for("start");
}

std::uint16_t Judge::listening(const Child& server) {
    std::uint16_t port = hear(server.line, Say::listening).port;
    announce(port);
    return port;
}

void Judge::ready(int peer) {
    remember_addresses(peer);
    if (!options_.wait_for_fin) return;
    print({{"ready", true}, {"port", port_}, {"remote_port", remote_port_}, {"netns", netns_inode()}});
    wait_for("fin");
}

void Judge::hang_up(int peer) {
    ready(peer);
    hang_up_without_wait(peer);
}

void Judge::hang_up_without_wait(int peer) {
    remember_addresses(peer);
    fin_before_ns_ = boot_ns();
    check(shutdown(peer, SHUT_WR), "shutdown");
    // shutdown() may return before the other side has the FIN.
    wait_until_acknowledged(peer);
    fin_after_ns_ = boot_ns();
}

void Judge::print_truth(const Note* closed) {
    json holders = json::array();
    for (const Holder& holder : truth.holders) holders.push_back({{"pid", holder.pid}, {"fd", holder.fd}});
    json chain = json::array();
    for (const Waiting& one : truth.chain)
        chain.push_back(
            {{"pid", one.pid}, {"tid", one.tid}, {"waits_for", one.waits_for}, {"function", one.function}});
    json line = {
        {"mode", options_.mode},
        {"family", name_of(options_.family)},
        {"pid", or_null(truth.pid)},
        {"tid", or_null(truth.tid)},
        {"fd", or_null(truth.fd)},
        {"port", port_},
        {"remote_port", remote_port_},
        {"local_address", local_address_},
        {"remote_address", remote_address_},
        {"peer", {{"pid", getpid()}, {"fd", peer_}}},
        {"cause", truth.cause},
        {"acceptable", truth.acceptable},
        {"acceptable_untraced", truth.acceptable_untraced},
        {"holders", holders},
        {"waits_for", truth.waits_for},
        {"wait_detail", truth.wait_detail},
        {"lock_holder", or_null(truth.lock_holder)},
        {"chain", chain},
        {"circle", truth.circle},
        {"lock_owner", or_null(truth.lock_owner)},
        {"function", truth.function},
        {"resource", truth.resource},
        {"role", truth.role},
        {"accepted", or_null(truth.accepted)},
        {"eof_read", or_null(truth.eof_read)},
        {"unread_bytes", or_null(truth.unread_bytes)},
        {"held", truth.held},
        {"decided_early", truth.decided_early},
        {"seen_reading", truth.seen_reading},
        {"nobody_to_name", truth.nobody_to_name},
        {"quiet", truth.quiet},
        {"netns", netns_inode()},
        {"fin_before_ns", fin_before_ns_},
        {"fin_after_ns", fin_after_ns_},
    };
    if (closed) line.update(closing(*closed));
    for (const std::string& more : also_) line["also"].push_back(json::parse(more));
    print(line);
}

std::optional<std::string> Judge::next_command() {
    for (;;) {
        if (std::size_t end = input_.find('\n'); end != std::string::npos) {
            std::string command = input_.substr(0, end);
            input_.erase(0, end + 1);
            return command;
        }
        pollfd waits[2] = {{STDIN_FILENO, POLLIN, 0}, {drained_, POLLIN, 0}};  // poll ignores a negative fd
        if (poll(waits, 2, -1) < 0 && errno != EINTR) fail("poll");
        char bytes[4096];
        if (waits[1].revents && read(drained_, bytes, sizeof bytes) <= 0) drained_ = -1;
        if (!waits[0].revents) continue;
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got <= 0) return std::nullopt;
        input_.append(bytes, static_cast<std::size_t>(got));
    }
}

int Judge::obey(const std::function<Note()>& close) {
    print_truth(nullptr);
    while (std::optional<std::string> command = next_command()) {
        if (*command != "close") {
            std::fprintf(stderr, "culprit: unknown command %s\n", command->c_str());
            return 2;
        }
        Note closed = close();
        if (closed.after_ns == 0) {  // it ends by exiting, and the clock is read when it has
            wait_for_exit(closed.pid);
            closed.after_ns = boot_ns();
        }
        print(closing(closed));
    }
    return 0;
}

int Judge::rest(const json& other) {
    print(other);
    while (next_command()) {
    }
    return 0;
}

int Judge::rest(const Note& closed) {
    print_truth(&closed);
    while (next_command()) {
    }
    return 0;
}

}  // namespace culprit
