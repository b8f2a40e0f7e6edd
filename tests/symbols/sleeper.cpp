// SPDX-License-Identifier: BSD-2-Clause
// The same as sleeper.c, as C++ programs do it.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline))
#define STAY __asm__ volatile("" ::: "memory")

namespace shop {

std::mutex quota;
volatile unsigned long parsed;

FUNCTION void write_audit_log() {
    char name[] = "/tmp/sleeper.XXXXXX";
    const int file = mkstemp(name);
    unlink(name);
    for (;;) {
        if (write(file, "x", 1) < 0 || fdatasync(file) != 0) std::abort();
        STAY;
    }
}

FUNCTION void wait_for_quota(const std::string& whose) {
    const std::lock_guard lock(quota);
    parsed = whose.size();
}

template <typename Byte>
FUNCTION void call_backend(Byte byte) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || recv(pair[0], &byte, 1, 0) < 0) std::abort();
    STAY;
}

struct Parser {
    FUNCTION void spin_parse() const {
        for (;;) parsed = parsed * 31 + 7;
    }
};

FUNCTION void handle_request(const std::string& what) {
    if (what == "write") write_audit_log();
    if (what == "lock") wait_for_quota(what);
    if (what == "recv") call_backend<char>('x');
    if (what == "spin") Parser{}.spin_parse();
    STAY;
}

}  // namespace shop

int main(int count, char** arguments) {
    if (count != 2) return 2;
    shop::quota.lock();
    std::function<void()> work = [what = std::string(arguments[1])] { shop::handle_request(what); };
    std::thread thread(work);
    std::puts("ready");
    std::fflush(stdout);
    thread.join();
}
