// SPDX-License-Identifier: BSD-2-Clause
// A handler reads the request and then waits for a lock in the program's memory, of a kind each:
//   cpp-mutex     std::mutex
//   pi-mutex      a mutex with priority inheritance
//   robust-mutex  a mutex that survives its owner
//   shared-mutex  a mutex in shared memory, held by another process: nobody of this one
//   rwlock-read   a reader-writer lock that is held for writing: it stores its writer where no mutex does
//   rwlock-write  the same, held for reading: by whom is stored nowhere
// Of the first three the owner is told; of the others it is not, and nobody may be named in its place.
#include "culprit.h"

#include <mutex>
#include <thread>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

// A peer loses patience some time after the handler fell asleep, not in the same instant.
constexpr std::int64_t asleep_before_ns = 5'000'000;

std::mutex plain;
pthread_mutex_t* special = nullptr;
pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

void make_special(const std::string& mode) {
    void* memory =
        mmap(nullptr, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    special = static_cast<pthread_mutex_t*>(memory);
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    if (mode == "pi-mutex") pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
    if (mode == "robust-mutex") pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    if (mode == "shared-mutex") pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    check(-pthread_mutex_init(special, &kind), "pthread_mutex_init");
}

// The owner takes the lock `first`: it reads where the handler writes, and the other way round.
void take(const std::string& mode, bool first) {
    if (mode == "cpp-mutex")
        plain.lock();
    else if (mode == "rwlock-read" || mode == "rwlock-write")
        (mode == "rwlock-read") == first ? pthread_rwlock_wrlock(&rwlock) : pthread_rwlock_rdlock(&rwlock);
    else
        pthread_mutex_lock(special);
}

void own(const std::string& mode, int line) {
    take(mode, true);
    tell(line, note(Say::pending));
    for (;;) pause();
}

void serve(const Options& options, int line) {
    if (options.mode != "shared-mutex") std::thread([&] { own(options.mode, line); }).detach();
    hear(line, Say::proceed);
    serve_until_asleep(options, line, [&] { take(options.mode, false); });
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(
        argc, argv, {"cpp-mutex", "pi-mutex", "robust-mutex", "shared-mutex", "rwlock-read", "rwlock-write"});
    Judge judge(options);
    make_special(options.mode);
    const bool elsewhere = options.mode == "shared-mutex";
    const Child other =
        elsewhere ? start_child("owner", [&](int line) { own(options.mode, line); }) : Child{};
    const Child child = start_child(options.name("locks"), [&](int line) { serve(options, line); });
    const Note owner = hear(elsewhere ? other.line : child.line, Say::pending);
    tell(child.line, note(Say::proceed));
    const int peer = connect_to(options.family, judge.listening(child));
    write_all(peer, "x");
    const Note handler = hear(child.line, Say::accepted);
    wait_until_asleep_in(child.pid, handler.tid, SYS_futex);
    let_pass(asleep_before_ns);
    judge.hang_up(peer);
    judge.holds(handler);
    const bool told = !elsewhere && !options.mode.starts_with("rwlock");
    judge.truth.cause = told ? "handler-blocked" : "unknown";
    if (!told) judge.truth.acceptable = {"abandoned"};
    judge.truth.waits_for = told ? "lock" : "";
    if (told) judge.truth.lock_owner = owner.tid;
    judge.truth.acceptable_untraced = {"abandoned", "unknown"};
    judge.truth.decided_early = true;
    return judge.obey([&] {
        tell(child.line, note(Say::close, handler.fd));
        return hear(child.line, Say::closed);
    });
}
