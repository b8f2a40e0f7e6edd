// SPDX-License-Identifier: BSD-2-Clause
// The accept side: when it is proven that accept() fails, when it is only likely, and when nobody even asks.
#include <cerrno>

#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using model::RunState;

constexpr std::uint64_t kWindow = 2 * kSec;

struct AcceptSide : testing::Test {
    Builder b;

    void queue(const std::vector<Hold>& owners) {
        b.listener(owners);
        b.socket({});
        b.census.sockets.front().has_file = false;
        b.census.sockets.front().listener = 0;
        b.census.accept.queues.resize(1);
    }

    void count() {
        b.census.accept.counted = true;
        b.census.accept.window_ns = kWindow;
        b.census.accept.queues[0].oldest_since_ns = kTaken - 12 * kSec;
    }

    model::AcceptCalls& calls(std::uint32_t pid, std::uint32_t tid, std::uint32_t error, std::uint64_t recent,
                              std::uint64_t last_ns = kTaken - kMs) {
        count();
        auto& made = b.census.accept.calls.emplace_back();
        made = {.listener = 0,
                .pid = pid,
                .tid = tid,
                .thread_start_ns = kBooted,
                .error = error,
                .total = recent + 100,
                .recent = recent,
                .last_ns = last_ns};
        return made;
    }

    void fill(std::uint32_t process) {
        b.census.processes[process].fds_used = 1024;
        b.census.processes[process].fd_limit = 1024;
    }
};

model::Thread asleep_for(model::Thread thread, std::uint64_t ns) {
    thread.asleep_since_ns = kTaken - ns;
    return thread;
}

TEST_F(AcceptSide, CountedFailuresProveIt) {
    queue({{b.process(10, {running(10)}), 3}});
    fill(0);
    calls(10, 10, EMFILE, 312);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "fd-limit proven 10/10 acceptor");
    EXPECT_NE(diagnosis.summary.find("accept() of p10 failed 312 times with EMFILE in the last 2.0 s"),
              std::string::npos)
        << diagnosis.summary;
    ASSERT_TRUE(fact(diagnosis, "failed_accepts"));
    EXPECT_EQ(std::get<std::int64_t>(fact(diagnosis, "failed_accepts")->value), 312);
    EXPECT_TRUE(says(diagnosis, "412 since tracing began"));
    EXPECT_TRUE(says(diagnosis, "uses 1024 of 1024 descriptors"));
}

TEST_F(AcceptSide, ALongPauseAfterAFailureStaysLikelyWhileTheLimitIsReached) {
    queue({{b.process(10, {asleep_for(asleep(10, SYS_clock_nanosleep), 4 * kSec)}), 3}});
    calls(10, 10, EMFILE, 0, kTaken - 4 * kSec);
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kNeverAccepted) << "the limit is not reached any more";
    fill(0);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
    calls(10, 10, 0, 0, kTaken - 3 * kSec);
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

// Not to be had from a culprit: a full file table would hit every program of the machine.
TEST_F(AcceptSide, TheMachinesFileTableProvesItAsWell) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, ENFILE, 1);
    b.census.accept.files = model::FileTable{10'000, 10'000};
    EXPECT_EQ(gist(b.diagnose()), "fd-limit proven 10/10 acceptor");
    EXPECT_TRUE(says(b.diagnose(), "failed 1 time with ENFILE"));
    EXPECT_TRUE(says(b.diagnose(), "the machine has 10000 of 10000 files open"));
}

TEST_F(AcceptSide, AFullFileTableAloneMakesItLikely) {
    queue({{b.process(10, {running(10)}), 3}});
    b.census.accept.files = model::FileTable{10'000, 10'000};
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
    EXPECT_TRUE(says(b.diagnose(), "the machine has as many files open as it may"));
    b.census.accept.files->used = 9'999;
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

TEST_F(AcceptSide, OtherErrorsAreNoWantOfDescriptors) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, ECONNABORTED, 5);
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
    EXPECT_TRUE(says(b.diagnose(), "failed 5 times with ECONNABORTED"));
}

TEST_F(AcceptSide, FailuresBeforeTheWindowProveNothing) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, EMFILE, 0, kTaken - 60 * kSec);
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

TEST_F(AcceptSide, WhoGetsSomeAndFailsAgainIsLikely) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, EMFILE, 20);
    calls(10, 10, 0, 3, kTaken - 2 * kMs);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
}

TEST_F(AcceptSide, WhoHasRoomAgainMayBeAtSomethingElse) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, EMFILE, 20);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor") << "/proc did not tell";
    fill(0);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit proven 10/10 acceptor");
    b.census.processes[0].fds_used = 900;
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
}

TEST_F(AcceptSide, FailuresBeforeTheFirstOfTheQueueCameDoNotProveItsCause) {
    queue({{b.process(10, {running(10)}), 3}});
    fill(0);
    calls(10, 10, EMFILE, 20, kTaken - 100 * kMs);
    b.census.accept.queues[0].oldest_since_ns = kTaken - 50 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
    b.census.accept.queues[0].oldest_since_ns.reset();
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
}

TEST_F(AcceptSide, WhoGotOneAfterTheLastFailureHasRecovered) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, EMFILE, 20, kTaken - 100 * kMs);
    calls(10, 10, 0, 1, kTaken - 2 * kMs);
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

TEST_F(AcceptSide, FailuresOnAnotherListenerSayNothing) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, EMFILE, 20).listener = 1;
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

TEST_F(AcceptSide, OfSeveralOwnersTheOneThatFailsIsNamed) {
    const auto p = b.process(10, {running(10)});
    queue({{p, 3}, {b.process(20, {asleep(20, SYS_futex)}), 3}});
    fill(0);
    fill(1);
    calls(10, 10, EMFILE, 20);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit proven 10/10 acceptor");
    calls(20, 20, EMFILE, 1);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit proven -");
}

TEST_F(AcceptSide, ALaterProcessWithTheSamePidIsNotNamed) {
    queue({{b.process(10, {born(running(10), 500 * kSec)}, 500 * kSec), 3}});
    calls(10, 10, EMFILE, 20);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(diagnosis.cause, diagnose::Cause::kFdLimit);
    EXPECT_FALSE(diagnosis.culprit);
}

TEST_F(AcceptSide, OutOfDescriptorsButAsleepDoesNotEvenAsk) {
    queue({{b.process(10, {asleep_for(asleep(10, SYS_clock_nanosleep), 60 * kSec)}), 3}});
    fill(0);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/10 acceptor");
    EXPECT_TRUE(says(diagnosis, "uses 1024 of 1024 descriptors"));
    ASSERT_EQ(diagnosis.because.size(), 1U);
    EXPECT_EQ(diagnosis.because[0].waits_for, "sleep");
}

TEST_F(AcceptSide, AShortSleepMayBeThePauseBetweenTwoAttempts) {
    queue({{b.process(10, {asleep_for(asleep(10, SYS_clock_nanosleep), kSec)}), 3}});
    fill(0);
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
}

TEST_F(AcceptSide, OutOfDescriptorsAndNotOneFailureCountedIsNobodyAsking) {
    queue({{b.process(10, {running(10)}), 3}});
    fill(0);
    count();
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
    b.census.accept.window_ns = 300 * kMs;  // too short to say
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
}

TEST_F(AcceptSide, TheThreadThatCalledAcceptBeforeIsNamedWithItsChain) {
    auto waiting = asleep(11, SYS_futex);
    waiting.lock_owner_tid = 12;
    auto owner = asleep(12, SYS_read, 9);
    owner.file = model::FileFact{model::FileKind::kPipe, "pipe:[7]", 7, ""};
    queue({{b.process(10, {asleep(10, SYS_futex), waiting, owner}), 3}});
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/- process");
    calls(10, 11, 0, 0, kTaken - 60 * kSec);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/11 acceptor");
    ASSERT_EQ(diagnosis.because.size(), 2U);
    EXPECT_EQ(diagnosis.because[0].waits_for, "lock");
    EXPECT_EQ(diagnosis.because[1].waits_for, "pipe");
    EXPECT_TRUE(says(diagnosis, "thread t11 (tid 11), which takes connections from it, sleeps in futex"));
}

TEST_F(AcceptSide, ALaterThreadWithTheSameIdIsNotNamed) {
    queue({{b.process(10, {asleep(10, SYS_futex), born(asleep(11, SYS_futex), 950 * kSec)}), 3}});
    calls(10, 11, 0, 0, kTaken - 60 * kSec);
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/- process");
}

TEST_F(AcceptSide, SeveralAcceptorsAreShownAndNoneIsNamed) {
    queue({{b.process(10, {asleep(10, SYS_futex), asleep(11, SYS_futex), asleep(12, SYS_fsync, 4)}), 3}});
    calls(10, 11, 0, 0);
    calls(10, 12, 0, 0);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/- process");
    EXPECT_TRUE(diagnosis.because.empty());
    EXPECT_TRUE(says(diagnosis, "thread t12 (tid 12), which takes connections from it, sleeps in fsync"));
}

TEST_F(AcceptSide, AgeLimitAndMembersOfTheQueue) {
    queue({{b.process(10, {running(10)}), 3}});
    auto& members = b.census.accept.queues[0];
    members.walked = 128;
    members.by_state[static_cast<std::size_t>(model::TcpState::kCloseWait)] = 120;
    members.by_state[static_cast<std::size_t>(model::TcpState::kClose)] = 8;
    members.oldest_since_ns = kTaken - 12 * kSec;
    b.census.accept.networks[0].somaxconn = 128;
    auto diagnosis = b.diagnose();
    EXPECT_TRUE(says(diagnosis, "the first in that queue waits for at least 12 s"));
    EXPECT_TRUE(says(diagnosis, "8 of 128 in that queue were reset by the peer"));
    EXPECT_TRUE(says(diagnosis, "that limit equals net.core.somaxconn, 128"));
    b.census.accept.networks[0].somaxconn = 4096;
    EXPECT_TRUE(says(b.diagnose(), "that limit is what the program gave listen()"));
    b.census.accept.networks[0].somaxconn.reset();
    members.oldest_since_ns.reset();
    diagnosis = b.diagnose();
    EXPECT_FALSE(fact(diagnosis, "backlog_limit_from"));
    EXPECT_FALSE(fact(diagnosis, "oldest_in_queue_ns"));
}

TEST_F(AcceptSide, PaceOfASlowAcceptor) {
    queue({{b.process(10, {running(10)}), 3}});
    calls(10, 10, 0, 64);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/10 acceptor");
    EXPECT_TRUE(says(diagnosis, "which it does 32 times a second: the queue of 128 takes 4.0 s"))
        << diagnosis.summary;
    EXPECT_TRUE(says(diagnosis, "accept() took 64 from that queue in the last 2.0 s"));
}

TEST_F(AcceptSide, OverflowsOfTheNetworkAreEvidence) {
    queue({{b.process(10, {running(10)}), 3}});
    count();
    b.census.accept.networks[0].listen_overflows = model::GrowingCount{900, 12};
    b.census.accept.networks[0].listen_drops = model::GrowingCount{900, 0};
    EXPECT_TRUE(says(b.diagnose(), "ListenOverflows grew by 12"));
    EXPECT_FALSE(fact(b.diagnose(), "listen_drops"));
}

TEST_F(AcceptSide, WhatHasJustComeAccusesNobody) {
    queue({{b.process(10, {running(10)}), 3}});
    auto& socket = b.census.sockets.front();
    socket.held_since_ns = kTaken - kMs;
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kNeverAccepted) << "it waits in the queue for 100 s";
    socket.oldest_sign_ns = kTaken - kMs;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

TEST_F(AcceptSide, ATracerIsNamedByItsProcess) {
    auto traced = in_state(10, RunState::kTraced, 991);
    traced.tracer = model::Tracer{990, "gdb"};
    queue({{b.process(10, {traced}), 3}});
    fill(0);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/10 acceptor");
    EXPECT_TRUE(says(diagnosis, "because its owner p10 is stopped (traced by gdb (pid 990))"));
    EXPECT_NE(diagnosis.advice.find("detach the debugger"), std::string::npos);
    EXPECT_TRUE(diagnosis.because.empty()) << "what a stopped thread slept in means nothing";
}

TEST(StoppedInADebugger, NamesIt) {
    Builder b;
    auto traced = in_state(10, RunState::kTraced, 991);
    traced.tracer = model::Tracer{990, "gdb"};
    b.socket({{b.process(10, {traced})}});
    EXPECT_EQ(gist(b.diagnose()), "stopped proven 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "(traced by gdb (pid 990))"));
}

}  // namespace
}  // namespace waitclose::test
