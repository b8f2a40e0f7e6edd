// SPDX-License-Identifier: BSD-2-Clause
// A handler reads the request and is then stuck in a function whose name is known:
//   write-audit-log  write_audit_log() in fdatasync() on a file system that does not answer (field case 3)
//   wait-for-quota   wait_for_quota() at a mutex, whose owner is in refill_quota(), which waits for a backend
//   call-backend     call_backend() in recv() from a service that never answers (field case 8)
//   spin-parse       spin_parse() computes for ever (field case 11)
//   tick             tick() sleeps a millisecond, again and again
//   breathe          breathe() computes for two milliseconds and sleeps for two, again and again
//   crowd            as call-backend, beside 2,000 threads that have nothing to do
// It is built with and without frame pointers, stripped, static, and as C++ with templates.
#include "functions.h"
#include "culprit.h"
#include "mounts.h"

#include <string>
#include <thread>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace functions {

int ask(std::uint16_t backend) {
    const int asking = connect_to(Family::ipv4, backend);
    write_all(asking, "question");
    return asking;
}

}  // namespace functions

namespace {

// A peer loses patience some time after the handler fell asleep, not in the same instant.
constexpr std::int64_t asleep_before_ns = 5'000'000;

// Not below /tmp: that may be where this program lies, and the mount would hide it from its own debugger.
const std::string directory = "/mnt";
const std::string log_path = directory + "/audit.log";
constexpr int crowd = 2000;
constexpr std::size_t small_stack = 64 << 10;

void* wait_for_work(void*) {
    functions::park();
    return nullptr;
}

void start_crowd() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, small_stack);
    for (int i = 0; i < crowd; ++i) {
        pthread_t thread{};
        check(-pthread_create(&thread, &attributes, wait_for_work, nullptr), "pthread_create");
    }
}

void serve(const Options& options, int line) {
    leave_file_system_alone();
    const functions::Work work{options.mode, log_path, hear(line, Say::proceed).port};
    if (options.mode == "crowd") start_crowd();
    if (options.mode == "wait-for-quota")
        std::thread([&] {
            set_comm("refiller");
            functions::refill(work, [&] { tell(line, note(Say::pending)); });
        }).detach();
    if (options.mode == "wait-for-quota") hear(line, Say::proceed);
    serve_until_asleep(options, line, [&] {
        set_comm("handler");
        functions::handle(work);
    });
}

struct Expected {
    const char* function;
    long call;  // -1: it runs
    const char* waits_for;
    std::string resource;
};

Expected expected_of(const std::string& mode, std::uint16_t backend) {
    const std::string address = "127.0.0.1:" + std::to_string(backend);
    if (mode == "write-audit-log") return {"write_audit_log", SYS_fdatasync, "disk", log_path};
    if (mode == "wait-for-quota") return {"wait_for_quota", SYS_futex, "lock", address};
    if (mode == "spin-parse") return {"spin_parse", -1, "", "CPU"};
    if (mode == "tick") return {"tick", SYS_clock_nanosleep, "sleep", "clock_nanosleep"};
    if (mode == "breathe") return {"breathe", -1, "", ""};
    return {"call_backend", SYS_recvfrom, "downstream", address};
}

void state(Truth& truth, const Expected& expected, const Note& handler) {
    truth.cause = expected.call < 0 ? "handler-busy" : "handler-blocked";
    if (expected.call < 0) truth.acceptable = {"cpu-starved"};  // on a machine that is too busy itself
    truth.acceptable_untraced = {"abandoned", "unknown"};
    truth.decided_early = true;
    truth.waits_for = expected.waits_for;
    truth.function = functions::shown(expected.function);
    truth.resource = expected.resource;
    if (expected.call >= 0) truth.chain = {{handler.pid, handler.tid, expected.waits_for, truth.function}};
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(
        argc, argv,
        {"write-audit-log", "wait-for-quota", "call-backend", "spin-parse", "tick", "breathe", "crowd"});
    const bool writes = options.mode == "write-audit-log";
    if (writes) mount_mute(log_path, directory);
    Judge judge(options);
    const Listener backend = listen_on(Family::ipv4);  // and nobody accepts
    const Child child = start_child(options.name("orders"), [&](int line) { serve(options, line); });
    set_free_at_exit();
    if (writes) answer_in_background();
    tell(child.line, note(Say::proceed, -1, backend.port));
    Note refiller;
    if (options.mode == "wait-for-quota") {
        refiller = hear(child.line, Say::pending);
        wait_until_asleep_in(child.pid, refiller.tid, SYS_recvfrom);
        tell(child.line, note(Say::proceed));
    }
    const Expected expected = expected_of(options.mode, backend.port);
    const int peer = connect_to(options.family, judge.listening(child));
    write_all(peer, "x");
    const Note handler = hear(child.line, Say::accepted);
    if (expected.call >= 0) wait_until_asleep_in(child.pid, handler.tid, expected.call);
    let_pass(asleep_before_ns);
    judge.hang_up(peer);
    judge.holds(handler);
    state(judge.truth, expected, handler);
    if (refiller.tid != 0) {
        judge.truth.lock_owner = refiller.tid;
        judge.truth.chain.push_back(
            {refiller.pid, refiller.tid, "downstream", functions::shown("refill_quota")});
    }
    return judge.obey([&] {
        tell(child.line, note(Say::close, handler.fd));
        return hear(child.line, Say::closed);
    });
}
