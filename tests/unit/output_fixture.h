// SPDX-License-Identifier: BSD-2-Clause
// A small machine for the tests of the writers: literals only, nothing is read and nothing diagnosed.
#pragma once

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "output/layout.h"
#include "output/sink.h"
#include "output/snapshot_view.h"

namespace waitclose::output::testing_machine {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 100'000 * kSecond;  // CLOCK_BOOTTIME
constexpr std::int64_t kWall =
    1795204800'123456789 - 100'000'000'000'000;  // so that now is 2026-11-20 20:00 UTC

inline model::Endpoint ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                            std::uint16_t port) {
    return {{a, b, c, d}, port};
}

/// Everything a view refers to.
struct Machine {
    model::Census census;
    std::vector<std::uint32_t> selected;
    std::vector<diagnose::Group> groups;
    model::HostFacts host{"orders-7", "6.18.44", "0b7c"};
    model::ProbeFacts probes{
        {{"transition", "tp_btf/inet_sock_set_state"}, {"read", "tp_btf/sock_recv_length"}}, {}};
    model::Losses losses;
    diagnose::Diagnosis diagnosis;

    Machine() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
        census.taken_ns = kNow;
        census.wall_offset_ns = kWall;
    }

    SnapshotView view() const {
        return {census,
                selected,
                groups,
                host,
                probes,
                losses,
                [this](const model::Socket&) { return diagnosis; }};
    }

    std::uint32_t add_process(std::uint32_t pid, const std::string& comm) {
        model::Process& process = census.processes.emplace_back();
        process.pid = pid;
        process.comm = comm;
        return static_cast<std::uint32_t>(census.processes.size() - 1);
    }

    /// A server-side socket, accepted, held by one descriptor.
    model::Socket& add_socket(std::uint32_t process, int fd, std::uint64_t held_ns) {
        model::Socket& socket = census.sockets.emplace_back();
        socket.cookie = 73012 + census.sockets.size() - 1;
        socket.netns = 4026531840;
        socket.role = model::Role::kServer;
        socket.precision = model::Precision::kExact;
        socket.local = ipv4(10, 0, 0, 7, 8080);
        socket.remote = ipv4(10, 2, 3, 4, 51234);
        socket.has_file = true;
        socket.held_since_ns = kNow - held_ns;
        socket.first_holder = static_cast<std::uint32_t>(census.holders.size());
        socket.holder_count = 1;
        census.holders.push_back({process, fd, true});
        selected.push_back(static_cast<std::uint32_t>(census.sockets.size() - 1));
        return socket;
    }

    /// A group of `sockets`, whose oldest is the socket added last.
    diagnose::Group& add_group(std::uint32_t process, diagnose::Cause cause, std::uint64_t sockets) {
        diagnose::Group& group = groups.emplace_back();
        group.owner_pid = census.processes[process].pid;
        group.owner_comm = census.processes[process].comm;
        group.cause = cause;
        group.confidence = diagnose::Confidence::kProven;
        group.local_port = 8080;
        group.sockets = sockets;
        group.culprits = 1;
        group.oldest_socket = census.sockets.size() - 1;
        group.oldest_held_ns = census.held_ns(census.sockets.back());
        return group;
    }
};

/// One leak of a Java server: the example of the design.
inline Machine one_leak() {
    Machine machine;
    machine.census.states = {{model::TcpState::kEstablished, 505},
                             {model::TcpState::kTimeWait, 9},
                             {model::TcpState::kCloseWait, 1},
                             {model::TcpState::kListen, 3}};
    const std::uint32_t java = machine.add_process(4121, "java");
    machine.census.processes[java].fds_used = 612;
    machine.census.processes[java].fd_limit = 65'536;
    model::Socket& socket = machine.add_socket(java, 57, 1'840'000'000);
    socket.fin_consumed = true;
    machine.add_group(java, diagnose::Cause::kEofIgnored, 1);
    machine.diagnosis.cause = diagnose::Cause::kEofIgnored;
    machine.diagnosis.confidence = diagnose::Confidence::kProven;
    machine.diagnosis.culprit = diagnose::Culprit{4121, 4188, "http-exec-17", diagnose::Basis::kReadEof};
    machine.diagnosis.summary = "thread http-exec-17 read end-of-file 1.8 s ago and never closed fd 57";
    machine.diagnosis.advice =
        "Close the connection when read() returns 0. Held until java closes it or exits.";
    return machine;
}

/// What `write(sink)` wrote.
template <typename Write>
std::string written_by(Write write) {
    std::string name = "/tmp/waitclose-output-XXXXXX";
    const int file = ::mkstemp(name.data());
    ::unlink(name.c_str());
    Sink sink = Sink::to_descriptor(file, "a test");
    write(sink);
    static_cast<void>(sink.finish());
    const auto size = static_cast<std::size_t>(::lseek(file, 0, SEEK_END));
    std::string text(size, '\0');
    if (::pread(file, text.data(), size, 0) != static_cast<ssize_t>(size)) text.clear();
    ::close(file);
    return text;
}

inline std::size_t widest_line(std::string_view text) {
    std::size_t widest = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        widest = std::max(widest, display_width(text.substr(0, end)));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return widest;
}

/// True when no byte of it could move a cursor or change a colour.
inline bool is_harmless(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f) return false;
    }
    return true;
}

}  // namespace waitclose::output::testing_machine
