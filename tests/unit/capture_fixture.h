// SPDX-License-Identifier: BSD-2-Clause
// Literal incidents with a capture, for the tests of replay/ and report/: who waits for the disk, for another
// service, for nobody, and for each other.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "model/activity.h"
#include "model/give_stacks.h"
#include "replay_fixture.h"

namespace waitclose::replay::testing {

inline constexpr std::uint64_t kCaptured = kTaken - 5 * kSec;  // until kTaken

inline model::Frame own(const std::string& function, std::uint64_t offset = 0x10) {
    return {function, "/usr/bin/orders", offset, false, true};
}
inline model::Frame library(const std::string& function) {
    return {function, "/usr/lib/libc.so.6", 0x20, false, false};
}
inline model::Frame kernel(const std::string& function) {
    return {function, "", std::nullopt, true, false};
}

/// An activity in the making.
struct Capture {
    model::Activity activity;

    Capture() {
        activity.from_ns = kCaptured;
        activity.to_ns = kTaken;
        activity.sample_period_ns = kSec / 100;
    }
    std::uint32_t stack(model::Stack frames) {
        activity.stacks.push_back(std::move(frames));
        return static_cast<std::uint32_t>(activity.stacks.size() - 1);
    }
    /// A way to sleep, as the thread of a census has it.
    std::uint32_t sleep(const model::Thread& thread, std::uint32_t stack) {
        activity.sleeps.push_back({thread.syscall, thread.arguments, thread.file, thread.in_iowait, stack});
        return static_cast<std::uint32_t>(activity.sleeps.size() - 1);
    }
    std::uint32_t waker(std::uint32_t pid, std::uint32_t tid) {
        activity.wakers.push_back(deed(pid, tid, 1, model::Operation::kNone).actor);
        return static_cast<std::uint32_t>(activity.wakers.size() - 1);
    }
    model::ThreadActivity& thread(std::uint32_t pid, const model::Thread& of) {
        model::ThreadActivity made;
        made.pid = pid;
        made.process_start_ns = kBooted;
        made.tid = of.tid;
        made.start_ns = of.start_ns;
        made.comm = of.comm;
        made.from_ns = kCaptured;
        made.to_ns = kTaken;
        activity.threads.push_back(std::move(made));
        return activity.threads.back();
    }
};

/// Goes on to `until_ns` where the interval before ended.
inline void then(model::ThreadActivity& thread, model::Doing doing, std::uint64_t until_ns,
                 std::uint32_t sleep = model::kNowhere, std::uint32_t waker = model::kNowhere) {
    const std::uint64_t begin = thread.intervals.empty() ? thread.from_ns : thread.intervals.back().end_ns;
    thread.intervals.push_back({begin, until_ns, doing, sleep, waker});
}

struct Told {
    model::Census census;
    model::Activity activity;
};

/// Played as a capture writes it: two looks, and what threads did between them.
inline Incident played(Told told, std::uint64_t fin_ns = kFin) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, fin_ns));
    look(replay, std::move(told.census));
    replay.activity(told.activity);
    return replay.finish();
}

/// Thread 4123 of orders sleeps in fdatasync() since its last read, before the FIN.
inline Told disk() {
    Builder builder;
    model::Thread worker = asleep(4123, SYS_fdatasync, 12);
    worker.comm = "worker-3";
    worker.file = model::FileFact{model::FileKind::kRegular, "/var/log/audit.log", 7, "", 0, 0};
    worker.asleep_since_ns = kFin - kMs;
    worker.in_iowait = true;
    const auto process = builder.process(4121, {in_accept(4121), worker});
    builder.census.processes[0].comm = "orders";
    model::Socket& socket = socket_of(builder, 100, {{process, 57}});
    touches(socket).last = deed(4121, 4123, kFin - 2 * kMs, model::Operation::kRead);
    Capture capture;
    const auto stack = capture.stack({kernel("io_schedule"), kernel("ext4_sync_file"), library("fdatasync"),
                                      own("write_audit_log"), own("handle"), own("main")});
    const auto sleep = capture.sleep(worker, stack);
    model::ThreadActivity& thread = capture.thread(4121, worker);
    then(thread, model::Doing::kBlocked, kTaken, sleep);
    return {std::move(builder.census), std::move(capture.activity)};
}

/// The same, asleep in recv() from another machine.
inline Told downstream() {
    Told told = disk();
    model::Thread& worker = told.census.threads[1];
    worker.syscall = SYS_recvfrom;
    worker.in_iowait = false;
    worker.file = model::FileFact{model::FileKind::kTcp, "", 9, "10.0.0.9:5432", 0, 40000};
    told.activity.sleeps[0].syscall = SYS_recvfrom;
    told.activity.sleeps[0].file = worker.file;
    told.activity.sleeps[0].in_iowait = false;
    told.activity.stacks[0] = {kernel("tcp_recvmsg_locked"), library("recv"), own("call_backend"),
                               own("handle"), own("main")};
    return told;
}

/// Thread 4123 computes since before the FIN.
inline Told busy() {
    Told told = disk();
    model::Thread& worker = told.census.threads[1];
    worker.state = model::RunState::kRunning;
    worker.syscall.reset();
    worker.asleep_since_ns.reset();
    worker.file.reset();
    worker.in_iowait = false;
    worker.on_cpu_ns = 912 * kSec;
    model::Window window;
    window.from_ns = kTaken - kSec;
    window.to_ns = kTaken;
    window.cpus = 2;
    window.workers = {0};
    model::ThreadTime time;
    time.pid = 4121;
    time.tid = 4123;
    time.start_ns = kBooted;
    time.from_ns = window.from_ns;
    time.to_ns = kTaken;
    time.on_cpu_ns = kSec;
    window.threads = {time};
    told.census.window = std::move(window);
    told.activity.stacks[0] = {own("parse_number"), own("spin_parse"), own("main")};
    told.activity.stacks.push_back({own("spin_parse"), own("main")});
    told.activity.sleeps.clear();
    model::ThreadActivity& thread = told.activity.threads[0];
    thread.intervals = {{kCaptured, kTaken, model::Doing::kRunning, model::kNowhere, model::kNowhere}};
    for (std::uint64_t i = 0; i < 500; ++i)
        thread.samples.push_back({kCaptured + i * 10 * kMs, i % 10 ? 1U : 0U});
    return told;
}

/// orders reads from billing, and billing from orders.
inline Told deadlock() {
    Builder builder;
    const auto reads = [](std::uint32_t tid, const std::string& comm, std::uint64_t other_end) {
        model::Thread thread = asleep(tid, SYS_read, 12);
        thread.comm = comm;
        thread.asleep_since_ns = kFin - kMs;
        thread.file = model::FileFact{model::FileKind::kPipe, "pipe:[77]", 77, "", other_end, 0};
        return thread;
    };
    const auto orders = builder.process(4121, {reads(4121, "orders", 1)});
    builder.process(5200, {reads(5200, "billing", 2)});
    builder.census.processes[0].comm = "orders";
    builder.census.processes[1].comm = "billing";
    for (const std::uint64_t end : {1U, 2U}) {
        model::Answer answer;
        answer.question = {model::Question::Kind::kFile, end};
        answer.process = end == 1 ? 1 : 0;
        answer.pid = end == 1 ? 5200 : 4121;
        answer.start_ns = kBooted;
        answer.fd = 5;
        answer.file = end * 1000;
        answer.references = 1;
        builder.census.answers.push_back(answer);
    }
    model::Socket& socket = socket_of(builder, 100, {{orders, 57}});
    touches(socket).last = deed(4121, 4121, kFin - 2 * kMs, model::Operation::kRead);
    Capture capture;
    const std::uint32_t stacks[] = {
        capture.stack({kernel("pipe_read"), library("read"), own("reserve_stock"), own("main")}),
        capture.stack({kernel("pipe_read"), library("read"), own("charge_card"), own("main")})};
    for (std::size_t i = 0; i < 2; ++i) {
        const model::Thread& thread = builder.census.threads[i];
        const auto sleep = capture.sleep(thread, stacks[i]);
        then(capture.thread(i == 0 ? 4121 : 5200, thread), model::Doing::kBlocked, kTaken, sleep);
    }
    return {std::move(builder.census), std::move(capture.activity)};
}

}  // namespace waitclose::replay::testing
