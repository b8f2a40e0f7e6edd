// SPDX-License-Identifier: BSD-2-Clause
// The functions as C++ has them: namespaces, a class template, std::mutex.
#include "functions.h"

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "culprit.h"

namespace orders {

struct Journal {
    int open_at(const std::string& path) const { return open(path.c_str(), O_RDWR | O_CLOEXEC); }
};

std::mutex quota_lock;
std::mutex park_lock;
std::condition_variable work_arrived;
volatile std::uint64_t parsed = 0;

template <typename Log>
class Handler {
public:
    explicit Handler(const functions::Work& work) : work_(work) {}

    [[gnu::noinline]] void handle_request() {
        if (work_.mode == "write-audit-log") write_audit_log();
        if (work_.mode == "wait-for-quota") wait_for_quota();
        if (work_.mode == "call-backend" || work_.mode == "crowd") call_backend();
        if (work_.mode == "spin-parse") spin_parse();
        functions::stay();
    }

    [[gnu::noinline]] void refill_quota(int backend) {
        std::byte answer{};
        culprit::check(static_cast<int>(recv(backend, &answer, 1, 0)), "recv");
        functions::stay();
    }

private:
    [[gnu::noinline]] void write_audit_log() {
        culprit::check(fdatasync(culprit::check(log_.open_at(work_.log), "open")), "fdatasync");
        functions::stay();
    }

    [[gnu::noinline]] void wait_for_quota() {
        quota_lock.lock();
        functions::stay();
    }

    [[gnu::noinline]] void call_backend() {
        std::byte answer{};
        culprit::check(static_cast<int>(recv(functions::ask(work_.backend), &answer, 1, 0)), "recv");
        functions::stay();
    }

    [[gnu::noinline]] void spin_parse() {
        for (;;) parsed = parsed * 31 + 7;
    }

    const functions::Work& work_;
    Log log_{};
};

}  // namespace orders

namespace functions {

void handle(const Work& work) {
    orders::Handler<orders::Journal>(work).handle_request();
    stay();
}

void refill(const Work& work, const std::function<void()>& locked) {
    const std::scoped_lock lock(orders::quota_lock);
    const int backend = ask(work.backend);
    locked();
    orders::Handler<orders::Journal>(work).refill_quota(backend);
}

void park() {
    std::unique_lock held(orders::park_lock);
    for (;;) orders::work_arrived.wait(held);
}

std::string shown(const std::string& name) {
    return "orders::Handler<orders::Journal>::" + name;
}

}  // namespace functions
