// SPDX-License-Identifier: BSD-2-Clause
// A handler that works, or would, so that the line with close() is not reached.
//   computing     a worker reads the request and computes for ever (field case 11)
//   alone         the same in a program of one thread
//   spin          a worker reads end-of-file again and again (field case 1)
//   starved       as computing, at the lowest priority on a CPU that two others keep busy
//   throttled     as computing, in a cgroup with a quota of a twentieth of a CPU
//   leak-beside   the main thread reads end-of-file and leaks, while a worker computes for another connection
//   brief         a decoy: a worker computes for 20 ms after the end of the stream, and closes
#include "culprit.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t a_moment_ns = 10'000'000;
constexpr std::int64_t brief_ns = 20'000'000;

void compute(std::int64_t ns) {
    const auto used = [] {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
    };
    const std::int64_t until = used() + ns;
    while (used() < until) {
    }
}

[[noreturn]] void compute_for_ever() {
    for (;;) compute(a_moment_ns);
}

void stay_on_first_cpu() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

// A cgroup with a quota, of either version; gone when the process ends, together with what others left.
class Quota {
public:
    Quota() {
        const fs::path v1 = "/sys/fs/cgroup/cpu";
        const bool is_v1 = fs::exists(v1 / "cpu.cfs_quota_us");
        const fs::path root = is_v1 ? v1 : fs::path("/sys/fs/cgroup");
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(root, ignored))
            if (entry.path().filename().string().starts_with("waitclose-test-")) rmdir(entry.path().c_str());
        path_ = root / ("waitclose-test-" + std::to_string(getpid()));
        if (!fs::create_directory(path_, ignored)) skip("no cgroup can be made at " + path_.string());
        path_to_remove = path_.string();
        std::atexit([] { rmdir(path_to_remove.c_str()); });
        const bool has = is_v1 ? write("cpu.cfs_period_us", "100000") && write("cpu.cfs_quota_us", "5000")
                               : write("cpu.max", "5000 100000");
        if (!has) skip("the cgroup " + path_.string() + " has no quota");
    }

    void take(pid_t pid) const {
        if (!write("cgroup.procs", std::to_string(pid))) fail("cgroup.procs");
    }

private:
    static inline std::string path_to_remove;

    bool write(const char* file, const std::string& text) const {
        std::ofstream out(path_ / file);
        out << text << std::flush;
        return out.good();
    }

    [[noreturn]] static void skip(const std::string& why) {
        std::printf("{\"skip\":\"%s\"}\n", why.c_str());
        std::fflush(stdout);
        std::exit(0);
    }

    fs::path path_;
};

char read_request(int fd, int line) {
    char request = 0;
    check(static_cast<int>(read(fd, &request, 1)), "read");
    tell(line, note(Say::accepted, fd));
    return request;
}

void serve_on_worker(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_one(listener.fd);
    std::thread([&, fd] {
        read_request(fd, line);
        if (options.mode == "starved") {
            stay_on_first_cpu();
            check(setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id()), 19), "setpriority");
        }
        char byte = 0;
        if (options.mode == "spin")
            while (read(fd, &byte, 1) >= 0) {
            }
        if (options.mode == "brief") {
            read_to_end(fd);
            compute(brief_ns);
            tell(line, close_and_note(fd));
            hear(line, Say::gone);
        }
        compute_for_ever();
    }).detach();
    if (options.mode == "brief")
        for (;;) pause();
    idle(line, listener.fd, fd, options.end);
}

void serve_alone(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_one(listener.fd);
    read_request(fd, line);
    char byte = 0;
    while (recv(line, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) compute(a_moment_ns);
    hear(line, Say::close);
    tell(line, close_and_note(fd, options.end));
    hear(line, Say::gone);
}

void leak_beside_worker(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int leaked = accept_one(listener.fd);
    tell(line, note(Say::accepted, leaked));
    const int other = accept_one(listener.fd);
    std::thread([&, other] {
        read_request(other, line);
        compute_for_ever();
    }).detach();
    read_to_end(leaked);
    tell(line, note(Say::leaked, leaked));
    idle(line, listener.fd, leaked, options.end);
}

void serve(const Options& options, int line) {
    if (options.mode == "alone") return serve_alone(options, line);
    if (options.mode == "leak-beside") return leak_beside_worker(options, line);
    serve_on_worker(options, line);
}

Note play(Judge& judge, const Options& options, const Child& child, std::uint16_t port) {
    const int peer = connect_to(options.family, port);
    if (options.mode == "leak-beside") {
        hear(child.line, Say::accepted);
        write_all(connect_to(options.family, port), "x");
        hear(child.line, Say::accepted);
        judge.hang_up(peer);
        return hear(child.line, Say::leaked);
    }
    write_all(peer, "x");
    const Note handler = hear(child.line, Say::accepted);
    judge.hang_up(peer);
    return handler;
}

void say_truth(Judge& judge, const Options& options) {
    Truth& truth = judge.truth;
    truth.acceptable_untraced = {"abandoned", "unknown"};
    truth.decided_early = true;
    if (options.mode == "starved" || options.mode == "throttled") {
        truth.cause = "cpu-starved";
    } else if (options.mode == "spin" || options.mode == "leak-beside") {
        truth.cause = options.mode == "spin" ? "spin-on-eof" : "eof-ignored";
        truth.acceptable_untraced = {"eof-ignored", "unknown"};
        truth.eof_read = truth.seen_reading = true;
        truth.decided_early = false;
    } else {
        truth.cause = "handler-busy";
        truth.acceptable = {"cpu-starved"};  // on a machine that is too busy itself
    }
}

}  // namespace

int main(int argc, char** argv) {
    const Options options =
        parse(argc, argv, {"computing", "alone", "spin", "starved", "throttled", "leak-beside", "brief"});
    Judge judge(options);
    std::optional<Quota> quota;
    if (options.mode == "throttled") quota.emplace();
    for (int i = 0; options.mode == "starved" && i < 2; ++i)
        start_child("rival", [](int) {
            stay_on_first_cpu();
            compute_for_ever();
        });
    const Child child = start_child(options.name("busy"), [&](int line) { serve(options, line); });
    const std::uint16_t port = judge.listening(child);
    const Note handler = play(judge, options, child, port);
    judge.holds(handler);
    if (options.mode == "brief") {
        const Note closed = hear(child.line, Say::closed);
        judge.truth.cause = "none";
        judge.truth.held = false;
        judge.truth.holders.clear();
        return judge.rest(closed);
    }
    if (quota) quota->take(child.pid);
    say_truth(judge, options);
    return judge.obey([&] {
        tell(child.line, note(Say::close, handler.fd));
        return hear(child.line, Say::closed);
    });
}
