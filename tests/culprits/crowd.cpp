// SPDX-License-Identifier: BSD-2-Clause
// A crowd of connections, each used in one of several ways with every system call there is for it, so that
// two tracers can be compared event for event. One process accepts them in two threads and works on them in
// four; another is the client and half-closes all of them. Prints {"port":P} and waits for `start`; prints
// {"ready":true} when all are held; at `close` closes them all and prints {"closed":N}; ends with its stdin.
//   --connections N
#include "culprit.h"

#include <array>
#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int workers = 4;
constexpr int acceptors = 2;
constexpr int far_ahead = 500;  // below the backlog: no SYN is ever dropped
constexpr std::string_view request = "GET / HTTP/1.1\r\n\r\n";

enum class Way { read, recv, recvmsg, readv, never, write_after_fin, close_one_of_two, peek };
constexpr int ways = 8;

struct Connection {
    int fd = -1;
    Way way = Way::never;
};

// As many calls as it takes, the last of which returns 0 (or, for one call, whatever it returns).
template <typename Call>
void repeat_to_end(const Call& call) {
    while (check(static_cast<int>(call()), "reading") > 0) {
    }
}

void read_to_end_by(Way way, int fd) {
    std::array<char, 8> buffer;
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    switch (way) {
    case Way::recv: repeat_to_end([&] { return recv(fd, buffer.data(), buffer.size(), 0); }); break;
    case Way::recvmsg: repeat_to_end([&] { return recvmsg(fd, &message, 0); }); break;
    case Way::readv: repeat_to_end([&] { return readv(fd, &part, 1); }); break;
    default: repeat_to_end([&] { return read(fd, buffer.data(), buffer.size()); }); break;
    }
}

void use_before_fin(const Connection& one) {
    std::array<char, 64> buffer;
    if (one.way == Way::write_after_fin)
        check(static_cast<int>(read(one.fd, buffer.data(), buffer.size())), "read");
    if (one.way == Way::peek)
        check(static_cast<int>(recv(one.fd, buffer.data(), buffer.size(), MSG_PEEK)), "recv");
}

void use_after_fin(Connection& one) {
    switch (one.way) {
    case Way::never:
    case Way::peek: break;
    case Way::write_after_fin:
        write_all(one.fd, "part of");
        check(static_cast<int>(send(one.fd, " an answer", 10, 0)), "send");
        break;
    case Way::close_one_of_two: {
        const int copy = check(dup(one.fd), "dup");
        read_to_end_by(one.way, one.fd);
        check(close(one.fd), "close");
        one.fd = copy;
        break;
    }
    default: read_to_end_by(one.way, one.fd);
    }
}

// How many connections the server has accepted; the client looks at it so as not to overrun the backlog.
using Count = std::atomic<int>;

Count& shared_count() {
    void* memory = mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    return *new (memory) Count(0);
}

std::vector<Connection> accept_all(int listener, int count, Count& accepted_so_far) {
    std::vector<Connection> accepted;
    std::mutex lock;
    std::vector<std::thread> threads;
    for (int t = 0; t < acceptors; ++t)
        threads.emplace_back([&, share = count / acceptors + (t < count % acceptors)] {
            for (int n = 0; n < share; ++n) {
                const int fd = accept_one(listener);
                const std::scoped_lock held(lock);
                accepted.push_back({fd, static_cast<Way>(accepted.size() % ways)});
                ++accepted_so_far;
            }
        });
    for (std::thread& thread : threads) thread.join();
    return accepted;
}

// Threads that live on between the phases, asleep; in each phase every one has its share of the connections.
class Workers {
public:
    using Use = std::function<void(Connection&)>;

    explicit Workers(std::vector<Connection>& all) : all_(all) {
        for (std::size_t i = 0; i < workers; ++i) std::thread([this, i] { live(i); }).detach();
    }

    void run(Use use) {
        use_ = std::move(use);
        phase_.arrive_and_wait();  // begins
        phase_.arrive_and_wait();  // is over
    }

private:
    [[noreturn]] void live(std::size_t first) {
        for (;;) {
            phase_.arrive_and_wait();
            for (std::size_t i = first; i < all_.size(); i += workers) use_(all_[i]);
            phase_.arrive_and_wait();
        }
    }

    std::vector<Connection>& all_;
    Use use_;
    std::barrier<> phase_{workers + 1};
};

void serve(int count, Count& accepted, int line) {
    raise_fd_limit();
    const Listener listener = listen_on(Family::ipv4);
    tell(line, note(Say::listening, listener.fd, listener.port));
    hear(line, Say::proceed);
    std::vector<Connection> all = accept_all(listener.fd, count, accepted);
    Workers team(all);
    team.run(use_before_fin);
    tell(line, note(Say::accepted));
    hear(line, Say::proceed);
    team.run(use_after_fin);
    tell(line, note(Say::leaked));
    hear(line, Say::close);
    team.run([](const Connection& one) { check(close(one.fd), "close"); });
    tell(line, note(Say::closed));
    hear(line, Say::gone);
}

void be_clients(std::uint16_t port, int count, const Count& accepted, int line) {
    raise_fd_limit();
    hear(line, Say::proceed);
    std::vector<int> peers;
    for (int n = 0; n < count; ++n) {
        while (n - accepted >= far_ahead) sched_yield();
        peers.push_back(connect_to(Family::ipv4, port));
        write_all(peers.back(), request);
    }
    hear(line, Say::proceed);
    for (const int peer : peers) check(shutdown(peer, SHUT_WR), "shutdown");
    for (const int peer : peers) wait_until_acknowledged(peer);
    tell(line, note(Say::leaked));
    hear(line, Say::gone);
}

void wait_for_command(const std::string& wanted) {
    std::array<char, 64> line{};
    while (std::fgets(line.data(), line.size(), stdin))
        if (std::string_view(line.data()) == wanted + "\n") return;
    std::exit(0);
}

void say(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc == 3 && std::string_view(argv[1]) == "--connections" ? std::atoi(argv[2]) : 0;
    if (count < 1) {
        std::fprintf(stderr, "usage: %s --connections N\n", argv[0]);
        return 2;
    }
    set_comm("judge");
    Count& accepted = shared_count();
    const Child server = start_child("crowd", [&](int line) { serve(count, accepted, line); });
    const std::uint16_t port = hear(server.line, Say::listening).port;
    const Child client =
        start_child("crowd_clients", [&](int line) { be_clients(port, count, accepted, line); });
    say("{\"port\":" + std::to_string(port) + ",\"pid\":" + std::to_string(server.pid) + "}");
    wait_for_command("start");
    tell(server.line, note(Say::proceed));
    tell(client.line, note(Say::proceed));
    hear(server.line, Say::accepted);
    tell(client.line, note(Say::proceed));
    hear(client.line, Say::leaked);
    tell(server.line, note(Say::proceed));
    hear(server.line, Say::leaked);
    say("{\"ready\":true}");
    wait_for_command("close");
    tell(server.line, note(Say::close));
    hear(server.line, Say::closed);
    say("{\"closed\":" + std::to_string(count) + "}");
    wait_for_command("end");
    return 0;
}
