// SPDX-License-Identifier: BSD-2-Clause
// Who comes when the request and the FIN have long been read together: the only thread has slept since.
#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::Cause;
using model::FileKind;
using model::Operation;
using model::Precision;

model::Thread on_file(model::Thread thread, FileKind kind) {
    thread.file.emplace();
    thread.file->kind = kind;
    thread.file->name = "/srv/app.lock";
    return thread;
}

/// A server with one thread that took request and FIN in one read at 990 s, and went to sleep half a
/// millisecond later. Seen for the first time 22 s after that.
struct Late : testing::Test {
    Builder b;
    std::uint32_t process = b.process(10, {asleep(10, SYS_recvfrom, 7)});
    model::Socket& socket = b.socket({{process}});

    Late() {
        socket.precision = Precision::kAtLeast;
        socket.fin_consumed = socket.consumed_before = socket.received_data = true;
        socket.last_data_ns = kFin + 4 * kMs;
        sleeps_in(on_file(asleep(10, SYS_recvfrom, 7), FileKind::kTcp));
    }
    void sleeps_in(model::Thread thread, std::uint64_t since_ns = kFin + 500'000) {
        thread.asleep_since_ns = since_ns;
        b.census.threads[0] = std::move(thread);
    }
    std::string told() { return gist(b.diagnose()); }
};

TEST_F(Late, AHandlerInAWaitThatIsNoneForWorkMayBeAtIt) {
    EXPECT_EQ(told(), "handler-blocked possible 10/10 only-thread");
    EXPECT_TRUE(fact(b.diagnose(), "asleep_since_data"));
    EXPECT_EQ(b.diagnose().because.at(0).waits_for, "downstream");
    b.census.traced = false;
    EXPECT_EQ(told(), "handler-blocked possible 10/10 only-thread") << "a snapshot sees the same state";
    sleeps_in(asleep(10, SYS_fdatasync, 12));
    EXPECT_EQ(told(), "handler-blocked possible 10/10 only-thread");
}

TEST_F(Late, APauseTellsNothingAndAccusesNobody) {
    sleeps_in(asleep(10, SYS_clock_nanosleep));
    EXPECT_EQ(told(), "unknown possible 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "ever since the last data came: it may still be at its answer"));
    sleeps_in(on_file(asleep(10, SYS_flock, 12), FileKind::kRegular));
    EXPECT_EQ(told(), "unknown possible 10/10 only-thread") << "it may be its turn to accept";
    sleeps_in(on_file(asleep(10, SYS_read, 12), FileKind::kPipe));
    EXPECT_EQ(told(), "eof-ignored possible 10/10 only-thread") << "it waits for orders";
}

TEST_F(Late, AnotherSleepIsNoPartOfIt) {
    for (const std::uint64_t since : {kFin - kSec, kFin + 1'100 * kMs, kTaken - kMs}) {
        sleeps_in(on_file(asleep(10, SYS_recvfrom, 7), FileKind::kTcp), since);
        EXPECT_EQ(told(), "eof-ignored possible 10/10 only-thread") << since;
    }
    sleeps_in(asleep(10, SYS_epoll_pwait, 4));
    EXPECT_EQ(told(), "eof-ignored possible 10/10 only-thread") << "an event loop waits for work";
    sleeps_in(in_accept(10));
    EXPECT_EQ(told(), "eof-ignored likely 10/10 only-thread");
}

TEST_F(Late, WhoHasAnsweredHasDoneWithIt) {
    socket.last_sent_ns = kFin + 4 * kMs;
    EXPECT_EQ(told(), "eof-ignored possible 10/10 only-thread");
    socket.last_sent_ns = kFin - kSec;  // the answer to an earlier request
    EXPECT_EQ(told(), "handler-blocked possible 10/10 only-thread");
}

TEST_F(Late, WithoutDataTheFinWasReadAlone) {
    socket.received_data = false;
    socket.last_data_ns = 0;
    EXPECT_EQ(told(), "eof-ignored possible 10/10 only-thread");
}

TEST_F(Late, OthersCouldHaveReadItAndAnyThatSleptSinceMayBeAtIt) {
    b.census.threads.push_back(in_accept(11));
    b.census.processes[0].thread_count = 2;
    EXPECT_EQ(told(), "unknown possible 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "ever since the last data came"));
    EXPECT_TRUE(fact(b.diagnose(), "asleep_since_data"));
    EXPECT_EQ(b.diagnose().because.at(0).tid, 10U) << "whom it waits for is the lead there is";
    socket.last_sent_ns = kFin + 4 * kMs;
    EXPECT_EQ(b.diagnose().cause, Cause::kEofIgnored) << "it has been answered";
    socket.last_sent_ns = 0;
    for (const std::uint64_t since : {kFin - kSec, kFin + 1'100 * kMs, kTaken - kMs}) {
        sleeps_in(on_file(asleep(10, SYS_recvfrom, 7), FileKind::kTcp), since);
        EXPECT_EQ(b.diagnose().cause, Cause::kEofIgnored) << since;
        EXPECT_FALSE(fact(b.diagnose(), "asleep_since_data")) << since;
    }
}

/// The same, watched from the beginning: the read is known.
struct FileLock : Late {
    FileLock() {
        socket.precision = Precision::kExact;
        socket.consumed_before = false;
        touches(socket).last = deed(10, 10, kFin + 400'000, Operation::kRead);
        sleeps_in(locked_by({99, "auditor"}));
    }
    static model::Thread locked_by(model::LockHolder holder) {
        model::Thread thread = on_file(asleep(10, SYS_flock, 12), FileKind::kRegular);
        thread.lock_holder = std::move(holder);
        return thread;
    }
};

TEST_F(FileLock, OfAnotherProgramKeepsTheHandlerFromItsRequest) {
    EXPECT_EQ(told(), "handler-blocked likely 10/10 last-touch");
    EXPECT_EQ(b.diagnose().because.at(0).waits_for, "lock");
    EXPECT_TRUE(says(b.diagnose(), "held by auditor (pid 99)"));
}

TEST_F(FileLock, AmongAlikesMayBeATurn) {
    for (const char* alike : {"p10", "p11", "p", "t10", ""}) {
        sleeps_in(locked_by({99, alike}));
        EXPECT_EQ(told(), "unknown possible 10/10 last-touch") << alike;
    }
    sleeps_in(locked_by({10, "auditor"}));
    EXPECT_EQ(told(), "unknown possible 10/10 last-touch") << "by itself";
    sleeps_in(on_file(asleep(10, SYS_flock, 12), FileKind::kRegular));
    EXPECT_EQ(told(), "unknown possible 10/10 last-touch") << "whose it is is not known";
    sleeps_in(locked_by({99, "auditor"}));
    const auto auditor = b.process(99, {in_accept(99)});
    b.listener({{process, 3}, {auditor, 3}});
    EXPECT_EQ(told(), "unknown possible 10/10 last-touch") << "they accept at one listener";
}

TEST_F(FileLock, WhoSawTheEndOrAnsweredIsNotAtItsRequest) {
    touches(socket).last->operation = Operation::kWrite;
    EXPECT_NE(b.diagnose().cause, Cause::kHandlerBlocked);
    read_eof(socket, deed(10, 10, kFin + 400'000, Operation::kRead));
    EXPECT_NE(b.diagnose().cause, Cause::kHandlerBlocked);
}

TEST_F(FileLock, SeenLateItIsPossible) {
    socket.precision = Precision::kAtLeast;
    socket.consumed_before = true;
    EXPECT_EQ(told(), "handler-blocked possible 10/10 only-thread");
}

}  // namespace
}  // namespace waitclose::test
