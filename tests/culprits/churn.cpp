// SPDX-License-Identifier: BSD-2-Clause
// Healthy churn: connections that pass CLOSE_WAIT and are closed at once, as many as the machine can do.
// A client process connects, sends a small request and closes; a server process accepts, reads to
// end-of-file, closes.
//   --seconds S  --workers W (threads in each process)  --rate R (connections a second, 0: as fast as it can)
#include "culprit.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int addresses = 64;        // destinations of a worker: their ephemeral ports do not run out
constexpr std::uint64_t batch = 32;  // connections to one destination in a row
constexpr std::uint64_t ahead = 4;   // batches a client may be ahead of its server: no SYN is ever dropped
constexpr std::uint32_t first_address = 0x7f020001;  // 127.2.0.1

struct Wanted {
    double seconds = 5;
    int workers = 2;
    double rate = 0;
};

Wanted wanted_from(int argc, char** argv) {
    Wanted wanted;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view name = argv[i];
        if (name == "--seconds")
            wanted.seconds = std::atof(argv[i + 1]);
        else if (name == "--workers")
            wanted.workers = std::atoi(argv[i + 1]);
        else if (name == "--rate")
            wanted.rate = std::atof(argv[i + 1]);
        else
            wanted.workers = 0;
    }
    if (argc % 2 == 0 || wanted.seconds <= 0 || wanted.workers < 1 || wanted.rate < 0) {
        std::fprintf(stderr, "usage: %s [--seconds S] [--workers W] [--rate R]\n", argv[0]);
        std::exit(2);
    }
    return wanted;
}

// One thread on each side. The client asks for a batch (`asked`), the server says when it has served it
// (`served`).
struct Lane {
    std::vector<Listener> listeners;
    std::uint32_t address = 0;
    int asked = -1;
    int served = -1;
};

std::vector<Lane> make_lanes(int workers) {
    std::vector<Lane> lanes(static_cast<std::size_t>(workers));
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        lanes[i].address = first_address + static_cast<std::uint32_t>(i) * 256;
        lanes[i].asked = check(eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC), "eventfd");
        lanes[i].served = check(eventfd(ahead, EFD_SEMAPHORE | EFD_CLOEXEC), "eventfd");
        for (std::uint32_t n = 0; n < addresses; ++n)
            lanes[i].listeners.push_back(listen_at(lanes[i].address + n, 0));
    }
    return lanes;
}

void add_one(int counter) {
    const std::uint64_t one = 1;
    if (write(counter, &one, sizeof one) != sizeof one) fail("eventfd");
}

void take_one(int counter) {
    std::uint64_t one = 0;
    while (read(counter, &one, sizeof one) != sizeof one)
        if (errno != EINTR) fail("eventfd");
}

// The zero-length read proves CLOSE_WAIT: end-of-file was there and the socket was still ours.
bool serve_one(int listener) {
    int fd = accept_one(listener);
    char request[64];
    ssize_t got = 0;
    while ((got = read(fd, request, sizeof request)) > 0) {
    }
    close(fd);
    return got == 0;
}

void serve(const std::vector<Lane>& lanes, int line) {
    std::atomic<std::int64_t> ends{0};
    for (const Lane& lane : lanes)
        std::thread([&ends, &lane] {
            for (std::size_t turn = 0;; ++turn) {
                take_one(lane.asked);
                std::int64_t seen = 0;
                for (std::uint64_t i = 0; i < batch; ++i)
                    seen += serve_one(lane.listeners[turn % addresses].fd);
                ends += seen;
                add_one(lane.served);
            }
        }).detach();
    hear(line, Say::proceed);  // all batches are served: the clients have taken every token back
    Note total = note(Say::closed);
    total.after_ns = ends;
    tell(line, total);
    hear(line, Say::gone);
}

void sleep_until(std::int64_t when_ns) {
    timespec when{when_ns / 1'000'000'000, when_ns % 1'000'000'000};
    while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &when, nullptr) == EINTR) {
    }
}

std::int64_t drive(const Lane& lane, std::int64_t until_ns, double rate) {
    std::int64_t started = boot_ns();
    std::int64_t done = 0;
    for (std::size_t turn = 0; boot_ns() < until_ns; ++turn) {
        if (rate > 0)
            sleep_until(started + static_cast<std::int64_t>(static_cast<double>(done) / rate * 1e9));
        take_one(lane.served);
        add_one(lane.asked);
        const Listener& listener = lane.listeners[turn % addresses];
        for (std::uint64_t i = 0; i < batch; ++i, ++done) {
            int fd = connect_at(lane.address + static_cast<std::uint32_t>(turn % addresses), listener.port);
            write_all(fd, "GET /\n");
            close(fd);
        }
    }
    for (std::uint64_t i = 0; i < ahead; ++i) take_one(lane.served);
    return done;
}

std::int64_t drive_all(const std::vector<Lane>& lanes, const Wanted& wanted) {
    std::int64_t until = boot_ns() + static_cast<std::int64_t>(wanted.seconds * 1e9);
    std::atomic<std::int64_t> done{0};
    std::vector<std::jthread> threads;
    for (const Lane& lane : lanes)
        threads.emplace_back([&] { done += drive(lane, until, wanted.rate / wanted.workers); });
    threads.clear();
    return done;
}

}  // namespace

int main(int argc, char** argv) {
    Wanted wanted = wanted_from(argc, argv);
    raise_fd_limit();
    std::vector<Lane> lanes = make_lanes(wanted.workers);
    Child server = start_child("churn_server", [&](int line) { serve(lanes, line); });
    set_comm("churn_client");
    std::int64_t started = boot_ns();
    std::int64_t done = drive_all(lanes, wanted);
    double seconds = static_cast<double>(boot_ns() - started) / 1e9;
    tell(server.line, note(Say::proceed));
    Note total = hear(server.line, Say::closed);
    std::printf(
        "{\"connections\":%lld,\"seconds\":%.3f,\"per_second\":%.0f,\"entered_close_wait\":%lld,\"pid\":%d}"
        "\n",
        static_cast<long long>(done), seconds, static_cast<double>(done) / seconds,
        static_cast<long long>(total.after_ns), server.pid);
    return done == total.after_ns ? 0 : 1;
}
