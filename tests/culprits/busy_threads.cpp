// SPDX-License-Identifier: BSD-2-Clause
// A process with a leaked socket, whose threads spend their time in known ways:
//   busy      computes
//   asleep    sleeps for an hour
//   mixed     computes for 20 ms, sleeps for 20 ms, over and over
//   rival     two of that name, both computing on one CPU
//   short     a new thread of that name every 30 ms, that computes for 20 ms
//   reader    waits for a pipe; a byte comes every 10 ms
// Prints {"ready":true,"pid":P,"port":N,"threads":{NAME:[TID]}}; ends when its stdin does.
#include "culprit.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <thread>

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr std::int64_t a_while_ns = 20'000'000;

std::int64_t cpu_ns() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
}

void compute(std::int64_t ns) {
    const std::int64_t until = cpu_ns() + ns;
    while (cpu_ns() < until) {
    }
}

void pause(std::int64_t ns) {
    const timespec length{ns / 1'000'000'000, static_cast<long>(ns % 1'000'000'000)};
    nanosleep(&length, nullptr);
}

void stay_on_first_cpu() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

class Crowd {
public:
    void start(const std::string& name, const std::function<void()>& body) {
        std::array<int, 2> told{};
        check(pipe(told.data()), "pipe");
        std::thread([name, body, line = told[1]] {
            pthread_setname_np(pthread_self(), name.c_str());
            const pid_t tid = thread_id();
            if (write(line, &tid, sizeof tid) != sizeof tid) fail("write");
            close(line);
            body();
        }).detach();
        pid_t tid = 0;
        if (read(told[0], &tid, sizeof tid) != sizeof tid) fail("read");
        close(told[0]);
        tids_[name].push_back(tid);
    }

    void announce(std::uint16_t port) const {
        std::string threads;
        for (const auto& [name, tids] : tids_) {
            std::string list;
            for (const pid_t tid : tids) list += (list.empty() ? "" : ",") + std::to_string(tid);
            threads += (threads.empty() ? "\"" : ",\"") + name + "\":[" + list + "]";
        }
        std::printf("{\"ready\":true,\"pid\":%d,\"port\":%u,\"threads\":{%s}}\n", getpid(), port,
                    threads.c_str());
        std::fflush(stdout);
    }

private:
    std::map<std::string, std::vector<pid_t>> tids_;
};

[[noreturn]] void compute_for_ever() {
    for (;;) compute(a_while_ns);
}

void spawn_short_ones() {
    for (;;) {
        std::thread([] {
            pthread_setname_np(pthread_self(), "short");
            compute(a_while_ns);
        }).join();
        pause(a_while_ns / 2);
    }
}

void start_with_pipe(Crowd& crowd) {
    std::array<int, 2> ends{};
    check(pipe(ends.data()), "pipe");
    crowd.start("reader", [from = ends[0]] {
        char byte = 0;
        while (read(from, &byte, 1) == 1) {
        }
    });
    crowd.start("writer", [to = ends[1]] {
        for (;;) {
            pause(a_while_ns / 2);
            if (write(to, "x", 1) != 1) fail("write");
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"calm", "busy", "rivals"});
    set_comm("busy_threads");
    const Listener listener = listen_on(Family::ipv4);
    const int peer = connect_to(Family::ipv4, listener.port);
    const int leaked = accept_one(listener.fd);
    check(shutdown(peer, SHUT_WR), "shutdown");
    wait_until_acknowledged(peer);
    read_to_end(leaked);
    Crowd crowd;
    if (options.mode == "busy") crowd.start("busy", compute_for_ever);
    if (options.mode == "calm") {
        crowd.start("asleep", [] { pause(3'600'000'000'000); });
        crowd.start("mixed", [] {
            for (;;) {
                compute(a_while_ns);
                pause(a_while_ns);
            }
        });
        crowd.start("spawner", spawn_short_ones);
        start_with_pipe(crowd);
    }
    for (int i = 0; options.mode == "rivals" && i < 2; ++i)
        crowd.start("rival", [] {
            stay_on_first_cpu();
            compute_for_ever();
        });
    crowd.announce(listener.port);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
