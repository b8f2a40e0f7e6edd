// SPDX-License-Identifier: BSD-2-Clause
// The functions as a C program would have them: names without a namespace, a POSIX mutex.
#include "functions.h"

#include <cstddef>
#include <ctime>

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "culprit.h"

namespace {

pthread_mutex_t quota_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t park_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t work_arrived = PTHREAD_COND_INITIALIZER;
volatile std::uint64_t parsed = 0;
constexpr long a_millisecond_ns = 1'000'000;

}  // namespace

extern "C" {

[[gnu::noinline]] void write_audit_log(const char* path) {
    const int file = culprit::check(open(path, O_RDWR | O_CLOEXEC), path);
    culprit::check(fdatasync(file), "fdatasync");
    functions::stay();
}

[[gnu::noinline]] void wait_for_quota() {
    pthread_mutex_lock(&quota_lock);
    functions::stay();
}

[[gnu::noinline]] void refill_quota(int backend) {
    std::byte answer{};
    culprit::check(static_cast<int>(recv(backend, &answer, 1, 0)), "recv");
    functions::stay();
}

[[gnu::noinline]] void call_backend(std::uint16_t port) {
    std::byte answer{};
    const int backend = functions::ask(port);
    culprit::check(static_cast<int>(recv(backend, &answer, 1, 0)), "recv");
    functions::stay();
}

[[gnu::noinline]] void spin_parse() {
    for (;;) parsed = parsed * 31 + 7;
}

[[gnu::noinline]] void tick() {
    const timespec pause{.tv_sec = 0, .tv_nsec = a_millisecond_ns};
    for (;;) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
}

[[gnu::noinline]] void breathe() {
    for (;;) {
        const std::int64_t until = culprit::boot_ns() + 2 * a_millisecond_ns;
        while (culprit::boot_ns() < until) parsed = parsed * 31 + 7;
        const timespec pause{.tv_sec = 0, .tv_nsec = 2 * a_millisecond_ns};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
    }
}

[[gnu::noinline]] void await_work() {
    pthread_mutex_lock(&park_lock);
    for (;;) pthread_cond_wait(&work_arrived, &park_lock);
}

[[gnu::noinline]] void handle_request(const functions::Work* work) {
    if (work->mode == "write-audit-log") write_audit_log(work->log.c_str());
    if (work->mode == "wait-for-quota") wait_for_quota();
    if (work->mode == "call-backend" || work->mode == "crowd") call_backend(work->backend);
    if (work->mode == "spin-parse") spin_parse();
    if (work->mode == "tick") tick();
    if (work->mode == "breathe") breathe();
    functions::stay();
}
}

namespace functions {

void handle(const Work& work) {
    handle_request(&work);
    stay();
}

void refill(const Work& work, const std::function<void()>& locked) {
    pthread_mutex_lock(&quota_lock);
    const int backend = ask(work.backend);
    locked();
    refill_quota(backend);
    stay();
}

void park() {
    await_work();
    stay();
}

std::string shown(const std::string& name) {
    return name;
}

}  // namespace functions
