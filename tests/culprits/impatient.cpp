// SPDX-License-Identifier: BSD-2-Clause
// Many connections to one service whose other ends give up after a fixed time.
//   server  the program accepts all and never answers; each client sends its request and hangs up 300 ms
//   later pool    the program is a client with a pool: each connection had its answer, and the service hangs
//   up later
// The truth is that of the last connection; "wait_ms" and the number are below.
#include "culprit.h"

#include <ctime>

#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int connections = 12;
constexpr std::int64_t wait_ns = 300'000'000;
constexpr std::string_view request = "request";
constexpr std::string_view answer = "answer";

void expect(int fd, std::string_view text) {
    std::string bytes(text.size(), '\0');
    if (read(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(text.size()) || bytes != text)
        fail("read");
}

void sleep_until(std::int64_t at_ns) {
    const timespec at{at_ns / 1'000'000'000, at_ns % 1'000'000'000};
    while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, nullptr) != 0) {
    }
}

void be_server(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = -1;
    for (int i = 0; i < connections; ++i) fd = accept_one(listener.fd);
    tell(line, note(Say::accepted, fd));
    idle(line, listener.fd, fd, options.end);
}

void be_client(const Options& options, int line) {
    std::uint16_t port = hear(line, Say::proceed).port;
    std::vector<int> pool;
    for (int i = 0; i < connections; ++i) pool.push_back(connect_to(options.family, port));
    for (int fd : pool) write_all(fd, request);
    for (int fd : pool) expect(fd, answer);
    tell(line, note(Say::accepted, pool.back()));
    idle(line, -1, pool.back(), options.end);
}

// Each end hangs up so long after its own last byte; the last of them is the one the truth is about.
void give_up(Judge& judge, const std::vector<int>& peers, const std::vector<std::int64_t>& sent_ns) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
        const bool last = i + 1 == peers.size();
        if (last) judge.ready(peers[i]);
        sleep_until(sent_ns[i] + wait_ns);
        if (last)
            judge.hang_up_without_wait(peers[i]);
        else
            check(shutdown(peers[i], SHUT_WR), "shutdown");
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"server", "pool"});
    const bool pool = options.mode == "pool";
    Judge judge(options);
    Child child = start_child(options.name("impatient"),
                              [&](int line) { pool ? be_client(options, line) : be_server(options, line); });
    std::vector<int> peers;
    std::vector<std::int64_t> sent_ns;
    if (pool) {
        Listener listener = listen_on(options.family);
        judge.announce(0, listener.port);
        tell(child.line, note(Say::proceed, -1, listener.port));
        for (int i = 0; i < connections; ++i) peers.push_back(accept_one(listener.fd));
        for (int peer : peers) expect(peer, request);
    } else {
        std::uint16_t port = judge.listening(child);
        for (int i = 0; i < connections; ++i) peers.push_back(connect_to(options.family, port));
    }
    for (int peer : peers) {
        sent_ns.push_back(boot_ns());
        write_all(peer, pool ? answer : request);
    }
    Note held = hear(child.line, Say::accepted);
    give_up(judge, peers, sent_ns);
    judge.holds(held);
    judge.truth.cause = pool ? "idle-in-pool" : "abandoned";
    judge.truth.role = pool ? "client" : "server";
    if (pool) judge.truth.accepted = std::nullopt;
    judge.truth.unread_bytes = pool ? 0 : static_cast<std::int64_t>(request.size());
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
