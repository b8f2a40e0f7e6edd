// SPDX-License-Identifier: BSD-2-Clause
// The causes that only a window shows.
#include <sys/syscall.h>

#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::Cause;

/// A second of a thread of process 7, in thousandths.
model::ThreadTime spent(const model::Thread& thread, std::uint64_t on_cpu, std::uint64_t waiting,
                        std::uint64_t idle = 0) {
    model::ThreadTime time;
    time.pid = 7;
    time.tid = thread.tid;
    time.start_ns = thread.start_ns;
    time.from_ns = kTaken - 1'000 * kMs;
    time.to_ns = kTaken;
    time.on_cpu_ns = on_cpu * kMs;
    time.waiting_ns = waiting * kMs;
    if (idle) time.slept.push_back({true, SYS_accept4, {}, false, idle * kMs});
    const std::uint64_t rest = 1'000 - on_cpu - waiting - idle;
    if (rest) time.slept.push_back({true, SYS_futex, {}, false, rest * kMs});
    return time;
}

/// Process 7: its main thread in accept(), thread 8 as told. Thread 8 read the request 12 s ago; the FIN came
/// 10 s ago.
constexpr std::uint64_t kHungUp = kTaken - 10 * kSec;

struct AtWork {
    Builder scene;
    explicit AtWork(std::uint64_t on_cpu, std::uint64_t waiting, std::uint64_t idle = 0,
                    std::uint64_t worked_in_life = 912 * kSec) {
        model::Thread worker = running(8);
        worker.on_cpu_ns = worked_in_life;
        scene.process(7, {in_accept(7), worker});
        scene.census.processes[0].cpu_cgroup = "/shop/orders";
        touches(scene.socket({{0}})).last = deed(7, 8, kHungUp - 2 * kSec, model::Operation::kRead);
        scene.census.sockets[0].held_since_ns = kHungUp;
        model::Window window;
        window.from_ns = kTaken - kSec;
        window.to_ns = kTaken;
        window.cpus = 2;
        window.workers = {1};
        window.threads = {spent(scene.census.threads[0], 0, 0, 1'000), spent(worker, on_cpu, waiting, idle)};
        scene.census.window = std::move(window);
    }
    model::Window& window() { return *scene.census.window; }
    model::Socket& socket() { return scene.census.sockets[0]; }
    std::string gist() const { return test::gist(scene.diagnose()); }
};

TEST(HandlerBusy, HasComputedSinceItWasSeenWithIt) {
    const AtWork busy(950, 50);
    EXPECT_EQ(busy.gist(), "handler-busy likely 7/8 last-touch");
    EXPECT_TRUE(says(busy.scene.diagnose(), "95 %"));
    EXPECT_TRUE(fact(busy.scene.diagnose(), "untouched_ns"));
}

TEST(HandlerBusy, IsOnlyPossibleWhenItMayHaveRestedMeanwhile) {
    EXPECT_EQ(AtWork(950, 50, 0, 100 * kSec).gist(), "handler-busy possible 7/8 last-touch");
}

TEST(HandlerBusy, CannotHaveComputedLongerThanItEverDid) {
    EXPECT_EQ(AtWork(950, 50, 0, 2 * kSec).scene.diagnose().cause, Cause::kUnknown);
}

TEST(HandlerBusy, NotWhoWaitedForOtherWork) {
    EXPECT_EQ(AtWork(850, 50, 50).scene.diagnose().cause, Cause::kUnknown);
    EXPECT_EQ(AtWork(700, 50).scene.diagnose().cause, Cause::kUnknown) << "asleep for a quarter of it";
}

TEST(HandlerBusy, NotWhoWasSeenWithAnotherSocketSince) {
    AtWork moved_on(950, 50);
    moved_on.window().threads[1].latest_deed_ns = kHungUp;
    EXPECT_EQ(moved_on.scene.diagnose().cause, Cause::kUnknown);
}

TEST(HandlerBusy, NotWithoutAWindowOrWithAShortOne) {
    AtWork none(950, 50);
    none.scene.census.window.reset();
    EXPECT_EQ(none.scene.diagnose().cause, Cause::kUnknown);
    AtWork brief(950, 50);
    brief.window().from_ns = kTaken - 500 * kMs;
    EXPECT_EQ(brief.scene.diagnose().cause, Cause::kUnknown);
    AtWork unseen(950, 50);
    unseen.window().threads.pop_back();
    EXPECT_EQ(unseen.scene.diagnose().cause, Cause::kUnknown);
}

TEST(HandlerBusy, NotForAMoment) {
    AtWork young(950, 50);
    young.socket().held_since_ns = kTaken - 900 * kMs;
    EXPECT_EQ(young.scene.diagnose().cause, Cause::kUnknown);
}

TEST(HandlerBusy, AfterEndOfFileOnlyWhileAnAnswerMayCome) {
    AtWork answering(950, 50);
    read_eof(answering.socket(), deed(7, 8, kTaken - 5 * kSec, model::Operation::kRead));
    EXPECT_EQ(answering.gist(), "handler-busy possible 7/8 read-eof");
    AtWork leaking(950, 50);
    read_eof(leaking.socket(), deed(7, 8, kTaken - 20 * kSec, model::Operation::kRead));
    EXPECT_EQ(leaking.gist(), "eof-ignored possible 7/8 read-eof");
}

TEST(HandlerBusy, ABusyThreadBesideALeakIsNotAccused) {
    AtWork beside(950, 50);
    beside.socket().touches.reset();
    read_eof(beside.socket(), deed(7, 7, kHungUp, model::Operation::kRead));
    const auto diagnosis = beside.scene.diagnose();
    EXPECT_NE(diagnosis.cause, Cause::kHandlerBusy);
    EXPECT_EQ(test::gist(diagnosis), "eof-ignored possible 7/- process") << "it may have been given it";
    AtWork unknown(950, 50);
    unknown.socket().touches.reset();
    EXPECT_EQ(unknown.gist(), "unknown possible 7/- process") << "it may be its handler";
    unknown.socket().held_since_ns = kTaken - 60 * kSec;
    EXPECT_EQ(unknown.gist(), "abandoned possible 7/- process");
    EXPECT_TRUE(fact(unknown.scene.diagnose(), "thread_at_work")) << "worth a look, but not accused";
}

TEST(CpuStarved, GetsLessThanAQuarterOfWhatItAsksFor) {
    EXPECT_EQ(AtWork(50, 950).gist(), "cpu-starved likely 7/8 last-touch");
    EXPECT_EQ(AtWork(300, 700).scene.diagnose().cause, Cause::kHandlerBusy);
}

TEST(CpuStarved, NotWhoReadsEndOfFileInALoop) {
    AtWork looping(50, 950);
    read_eof(looping.socket(), deed(7, 8, kTaken - 5 * kSec, model::Operation::kRead));
    EXPECT_EQ(looping.gist(), "cpu-starved possible 7/8 read-eof");
    touches(looping.socket()).eof_reads = 1000;
    EXPECT_EQ(looping.scene.diagnose().cause, Cause::kUnknown) << "nor is it seen to spin any more";
    looping.window().eof_reads[{looping.socket().netns, looping.socket().cookie}] = 500;
    EXPECT_EQ(looping.scene.diagnose().cause, Cause::kUnknown) << "its last read was too long ago";
    touches(looping.socket()).last->at_ns = kTaken - kSec;
    EXPECT_EQ(looping.gist(), "spin-on-eof proven 7/8 read-eof") << "it has waited for a CPU since";
}

TEST(CpuStarved, NamesTheQuotaAboveIt) {
    AtWork throttled(50, 950);
    throttled.window().throttled = {{"/shop", 10, 9, 900 * kMs}, {"/sho", 10, 10, 999 * kMs}};
    const auto diagnosis = throttled.scene.diagnose();
    EXPECT_TRUE(says(diagnosis, "the quota of cgroup /shop is used up"));
    EXPECT_EQ(diagnosis.contributing, std::vector<std::string>{"cpu-pressure"});
}

TEST(Pressure, ContributesToWhatItCanLengthen) {
    AtWork busy(950, 50);
    busy.window().cpu.some_ns = 500 * kMs;
    busy.window().memory.some_ns = 100 * kMs;
    busy.window().io.some_ns = 900 * kMs;
    EXPECT_EQ(busy.scene.diagnose().contributing,
              (std::vector<std::string>{"cpu-pressure", "memory-pressure"}));
    busy.window().cpu.some_ns = 300 * kMs;
    busy.window().memory.some_ns.reset();
    EXPECT_TRUE(busy.scene.diagnose().contributing.empty());
    busy.window().steal_ns = 200 * kMs;
    EXPECT_EQ(busy.scene.diagnose().contributing.size(), 1U) << "a tenth of two CPUs";
    read_eof(busy.socket(), deed(7, 7, kHungUp, model::Operation::kRead));
    EXPECT_TRUE(busy.scene.diagnose().contributing.empty()) << "a leak lasts as long on an idle machine";
}

/// Thread 8 sleeps since it read the request, as told; the machine is short of everything.
AtWork asleep_in(const model::Thread& now, std::uint64_t waiting = 0) {
    AtWork made(0, waiting);
    const auto start_ns = made.scene.census.threads[1].start_ns;
    made.scene.census.threads[1] = now;
    made.scene.census.threads[1].start_ns = start_ns;
    made.scene.census.threads[1].asleep_since_ns = kHungUp - 2 * kSec;
    made.window().threads[1].slept[0].syscall = now.syscall;
    if (now.file) made.window().threads[1].slept[0].file = now.file->kind;
    for (auto* pressure : {&made.window().cpu, &made.window().memory, &made.window().io})
        pressure->some_ns = 900 * kMs;
    return made;
}

std::vector<std::string> contributing_to(const AtWork& made) {
    const auto diagnosis = made.scene.diagnose();
    EXPECT_EQ(diagnosis.cause, Cause::kHandlerBlocked);
    return diagnosis.contributing;
}

TEST(Pressure, DoesNotContributeToAWaitThatDidNotFeelIt) {
    EXPECT_EQ(contributing_to(asleep_in(asleep(8, SYS_clock_nanosleep))), std::vector<std::string>{});
    EXPECT_EQ(contributing_to(asleep_in(asleep(8, SYS_wait4))), std::vector<std::string>{});
    EXPECT_EQ(contributing_to(asleep_in(asleep(8, SYS_fsync, 12))),
              (std::vector<std::string>{"disk-pressure", "memory-pressure"}))
        << "a page that had to be read back is a wait for the disk, too";
    EXPECT_EQ(contributing_to(asleep_in(asleep(8, SYS_clock_nanosleep), 100)),
              (std::vector<std::string>{"cpu-pressure", "memory-pressure"}));
}

TEST(Pressure, ContributesThroughWhomItWaitsFor) {
    model::Thread waits = asleep(8, SYS_futex, 0x1000, 0, 2);
    waits.lock_owner_tid = 9;
    AtWork made = asleep_in(waits);
    made.scene.census.threads.push_back(running(9));
    made.scene.census.processes[0].thread_count = 3;
    EXPECT_EQ(contributing_to(made), std::vector<std::string>{"memory-pressure"});
    made.scene.census.threads[2].has_cpu = false;
    EXPECT_EQ(contributing_to(made), (std::vector<std::string>{"cpu-pressure", "memory-pressure"}));
    made.scene.census.threads[2] = asleep(9, SYS_fdatasync, 12);
    EXPECT_EQ(contributing_to(made), (std::vector<std::string>{"disk-pressure", "memory-pressure"}));
}

TEST(Pressure, OfWhomNothingIsKnownAnythingMayBeTrue) {
    AtWork made = asleep_in(asleep(8, SYS_clock_nanosleep));
    made.window().threads.pop_back();
    EXPECT_EQ(contributing_to(made),
              (std::vector<std::string>{"cpu-pressure", "disk-pressure", "memory-pressure"}));
}

TEST(Pressure, AQuotaAndStolenTimeAreFeltByWhoWouldRun) {
    AtWork made = asleep_in(asleep(8, SYS_clock_nanosleep));
    made.window().cpu.some_ns.reset();
    made.window().steal_ns = 900 * kMs;
    made.window().throttled = {{"/shop", 10, 9, 900 * kMs}};
    EXPECT_EQ(contributing_to(made), std::vector<std::string>{});
    made.window().threads[1].on_cpu_ns = 30 * kMs;
    made.window().memory.some_ns.reset();
    EXPECT_EQ(contributing_to(made), std::vector<std::string>{"cpu-pressure"});
}

/// Thread 8 reads end-of-file so often in the second.
AtWork spinning(std::uint64_t reads, std::uint64_t on_cpu = 900) {
    AtWork made(on_cpu, 0);
    model::Socket& socket = made.socket();
    socket.cookie = 5;
    read_eof(socket, deed(7, 8, kTaken - 9 * kSec, model::Operation::kRead));
    touches(socket).last = deed(7, 8, kTaken - 1, model::Operation::kRead);
    touches(socket).eof_reads = reads;
    made.window().eof_reads[{socket.netns, socket.cookie}] = reads;
    return made;
}

TEST(SpinOnEof, IsCounted) {
    EXPECT_EQ(spinning(60'000).gist(), "spin-on-eof proven 7/8 read-eof");
    EXPECT_NE(spinning(50).scene.diagnose().cause, Cause::kSpinOnEof) << "a timer";
    EXPECT_NE(spinning(60'000, 50).scene.diagnose().cause, Cause::kSpinOnEof) << "it hardly runs";
}

TEST(SpinOnEof, AlsoWhenItWasReadBeforeTracingBegan) {
    AtWork before = spinning(60'000);
    before.socket().consumed_before = true;
    EXPECT_EQ(before.gist(), "spin-on-eof proven 7/8 read-eof");
}

TEST(SpinOnEof, NotWhenItHasStoppedOrJustBegun) {
    AtWork stopped = spinning(60'000);
    touches(stopped.socket()).last = deed(7, 8, kTaken - kSec, model::Operation::kRead);
    EXPECT_NE(stopped.scene.diagnose().cause, Cause::kSpinOnEof);
    AtWork begun = spinning(60'000);
    touches(begun.socket()).eof = deed(7, 8, kTaken - 100 * kMs, model::Operation::kRead);
    EXPECT_NE(begun.scene.diagnose().cause, Cause::kSpinOnEof);
}

TEST(SpinOnEof, BySeveralThreadsNamesTheProcess) {
    AtWork several = spinning(60'000);
    touches(several.socket()).last = deed(7, 7, kTaken - 1, model::Operation::kRead);
    EXPECT_EQ(several.gist(), "spin-on-eof likely 7/- process");
}

/// A JVM whose collector took so much of the second; the FIN came with the window.
AtWork collecting(std::uint64_t ms, std::uint64_t since_ns = kTaken - 1'100 * kMs) {
    AtWork made(10, 10);
    made.scene.census.threads[1].state = model::RunState::kSleeping;
    made.scene.census.threads[1].syscall = SYS_futex;
    made.socket().held_since_ns = since_ns;
    made.window().jvms = {{7, ms * kMs, ms * kMs, 5, ms * kMs, false}};
    return made;
}

TEST(GcPause, ByTheRuntimesOwnCounters) {
    EXPECT_EQ(collecting(800).gist(), "gc-pause likely 7/8 last-touch");
    EXPECT_NE(collecting(400).scene.diagnose().cause, Cause::kGcPause);
    AtWork other = collecting(800);
    other.window().jvms[0].pid = 9;
    EXPECT_NE(other.scene.diagnose().cause, Cause::kGcPause);
}

TEST(GcPause, OfAnOlderHoldOnlyIfItCollectedAllAlong) {
    AtWork old = collecting(800, kHungUp);
    EXPECT_NE(old.scene.diagnose().cause, Cause::kGcPause) << "800 ms in all its life do not explain 10 s";
    old.window().jvms[0].collecting_ever_ns = 8 * kSec;
    EXPECT_EQ(old.gist(), "gc-pause possible 7/8 last-touch");
}

TEST(GcPause, DoesNotExcuseALeak) {
    AtWork leaked = collecting(900);
    read_eof(leaked.socket(), deed(7, 7, kTaken - kSec, model::Operation::kRead));
    EXPECT_NE(leaked.scene.diagnose().cause, Cause::kGcPause);
}

TEST(GcPause, ByWhatTheThreadsDid) {
    AtWork generic = collecting(0);
    generic.window().jvms.clear();
    generic.scene.census.threads[0].comm = "GC Thread#0";
    generic.window().threads[0] = spent(generic.scene.census.threads[0], 900, 0);
    EXPECT_EQ(generic.gist(), "gc-pause possible 7/8 last-touch");
    generic.window().threads[1] = spent(generic.scene.census.threads[1], 100, 0);
    EXPECT_NE(generic.scene.diagnose().cause, Cause::kGcPause) << "one of the others ran";
}

}  // namespace
}  // namespace waitclose::test
