// SPDX-License-Identifier: BSD-2-Clause
// Causes that lie in what the program has read and written: half-open, end-of-file, unread.
#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::Cause;
using model::Operation;
using model::Precision;
using model::Role;

struct Reading : testing::Test {
    Builder b;
    std::uint32_t process = b.process(10, {in_accept(10)});
    model::Socket& socket = b.socket({{process}});

    void thread_is(model::Thread thread) { b.census.threads[0] = std::move(thread); }
    void untraced() {
        b.census.traced = false;
        socket.precision = Precision::kAtLeast;
    }
};

TEST_F(Reading, APoolOrADrainingServerMayStillComeBy) {
    for (const Role role : {Role::kServer, Role::kClient}) {
        socket.role = role;
        socket.held_since_ns = kTaken - 9 * kSec;
        EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
        EXPECT_TRUE(says(b.diagnose(), "may still come by"));
        socket.held_since_ns = kTaken - 11 * kSec;
        EXPECT_EQ(b.diagnose().cause, role == Role::kServer ? Cause::kAbandoned : Cause::kIdleInPool);
    }
}

struct HalfOpen : Reading {};

TEST_F(HalfOpen, SendsOn) {
    socket.fin_consumed = true;
    touches(socket).last = deed(10, 10, kTaken - 3 * kSec, Operation::kWrite);
    touches(socket).sent_since_fin = 5120;
    EXPECT_EQ(gist(b.diagnose()), "half-open proven -");
    EXPECT_TRUE(says(b.diagnose(), "sent 5120 bytes"));
}

TEST_F(HalfOpen, ProgramThatStoppedSendingLongAgoLeaks) {
    socket.held_since_ns = kTaken - 60 * kSec;
    read_eof(socket, deed(10, 10, kTaken - 50 * kSec, Operation::kRead));
    touches(socket).last = deed(10, 10, kTaken - 45 * kSec, Operation::kWrite);
    touches(socket).sent_since_fin = 5120;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof")
        << "15 s after the FIN, and not for 45 s";
    socket.unsent_bytes = 1;
    EXPECT_EQ(gist(b.diagnose()), "half-open proven -");
}

// Every 20 s an event: what was once shown does not come and go with its pauses.
TEST_F(HalfOpen, AStreamThatPausesStaysOne) {
    for (std::uint64_t second = 20; second < 200; ++second) {
        const std::uint64_t pause = second % 20 * kSec + 500 * kMs;
        socket.held_since_ns = kTaken - second * kSec - 500 * kMs;
        read_eof(socket, deed(10, 10, socket.held_since_ns + kMs, Operation::kRead));
        socket.last_sent_ns = kTaken - pause;
        EXPECT_EQ(gist(b.diagnose()), "half-open proven -") << second << " s, by its stamp";
        touches(socket).last = deed(10, 10, kTaken - pause, Operation::kWrite);
        touches(socket).sent_since_fin = 9;
        EXPECT_EQ(gist(b.diagnose()), "half-open proven -") << second << " s, as traced";
    }
}

TEST_F(HalfOpen, ALongerPauseMakesItLikelyAndThenALeak) {
    socket.held_since_ns = kTaken - 100 * kSec;
    read_eof(socket, deed(10, 10, kTaken - 99 * kSec, Operation::kRead));
    const auto last_sent = [&](std::uint64_t after_fin) {
        socket.last_sent_ns = socket.held_since_ns + after_fin;
        return gist(b.diagnose());
    };
    EXPECT_EQ(last_sent(51 * kSec), "half-open proven -");
    EXPECT_EQ(last_sent(49 * kSec), "half-open likely -");
    EXPECT_EQ(last_sent(26 * kSec), "half-open likely -");
    EXPECT_TRUE(says(b.diagnose(), "its last data left 26 s after the FIN"));
    EXPECT_EQ(last_sent(24 * kSec), "eof-ignored likely 10/10 read-eof");
    socket.held_since_ns = kTaken - 900 * kSec;
    EXPECT_EQ(last_sent(830 * kSec), "half-open likely -") << "a minute, not as long as it lasted";
    EXPECT_EQ(last_sent(290 * kSec), "eof-ignored likely 10/10 read-eof") << "ten minutes, not as long";
}

TEST_F(HalfOpen, UntracedWithBytesUnderWay) {
    untraced();
    socket.fin_consumed = true;
    socket.unsent_bytes = 65536;
    EXPECT_EQ(gist(b.diagnose()), "half-open likely -");
}

TEST_F(HalfOpen, AWriterIsBlockedOnIt) {
    untraced();
    thread_is(asleep(10, SYS_sendto, 57));
    EXPECT_EQ(gist(b.diagnose()), "half-open likely -");
    thread_is(asleep(10, SYS_sendto, 58));
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 only-thread");
}

TEST_F(HalfOpen, UntracedAndSentLatelyCannotBeTold) {
    untraced();
    socket.fin_consumed = true;
    socket.last_sent_ns = kTaken - 9 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
    EXPECT_NE(b.diagnose().advice.find("--observe"), std::string::npos);
    socket.last_sent_ns = kTaken - 11 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 only-thread");
}

TEST_F(HalfOpen, UntracedWhoSendsUnaskedMayGoOnInItsRhythm) {
    untraced();
    socket.fin_consumed = true;
    socket.last_data_ns = kTaken - 60 * kSec;
    socket.last_sent_ns = kTaken - 19 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -") << "41 s after the last word of the peer";
    socket.last_sent_ns = kTaken - 59 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 only-thread") << "that was the answer";
    socket.last_data_ns = kTaken - 900 * kSec;
    socket.last_sent_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 only-thread") << "not for ever";
}

TEST_F(HalfOpen, TracingSinceTheFinLeavesNoSuchDoubt) {
    read_eof(socket, deed(10, 10, kFin + kMs, Operation::kRead));
    socket.last_sent_ns = kFin - kMs;
    socket.held_since_ns = kFin;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
}

TEST_F(HalfOpen, ASendThatNoHookSawLeavesItsStamp) {
    read_eof(socket, deed(10, 10, kFin + kMs, Operation::kRead));
    socket.last_sent_ns = kTaken - 300 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "half-open proven -");
    EXPECT_TRUE(says(b.diagnose(), "has sent data since the peer's FIN, the last 300 ms ago"));
    socket.last_sent_ns = kFin + 20 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof") << "within the error of the stamp";
}

TEST_F(HalfOpen, WhoCameLateAndMissesWritesCannotTell) {
    socket.precision = Precision::kAtLeast;
    read_eof(socket, deed(10, 10, kTaken - 60 * kSec, Operation::kRead));
    socket.held_since_ns = kTaken - 70 * kSec;
    socket.last_sent_ns = kTaken - 300 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

// Why another look may tell of less.
TEST_F(Reading, ABoundByTheLastSegmentSaysThatItMayBeAnAnswer) {
    untraced();
    socket.fin_consumed = true;
    EXPECT_FALSE(says(b.diagnose(), "may have been an answer"));
    socket.last_data_ns = kFin - 40 * kSec;
    socket.last_sent_ns = kFin - 10 * kMs;
    EXPECT_TRUE(says(b.diagnose(), "the last one may have been an answer to what was sent"));
    socket.last_sent_ns = 0;
    socket.keepalive.on = true;
    EXPECT_TRUE(says(b.diagnose(), "may have been an answer"));
}

struct EofIgnored : Reading {};

TEST_F(EofIgnored, ForTenSecondsAnAnswerMayStillDependOnSomebodyElse) {
    read_eof(socket, deed(10, 10, kTaken - 9 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 read-eof");
    touches(socket).eof->at_ns = kTaken - 10 * kSec;
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kEofIgnored);
}

TEST_F(EofIgnored, ReaderWaitsForWorkAgain) {
    b.census.threads[0].comm = "http-exec-17";
    b.census.threads[0].tid = 4188;
    read_eof(socket, deed(10, 4188, kTaken - 12 * kSec, Operation::kRead));
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "eof-ignored likely 10/4188 read-eof");
    EXPECT_EQ(diagnosis.summary, "thread http-exec-17 read end-of-file 12 s ago and never closed fd 57");
    EXPECT_TRUE(diagnosis.advice.ends_with("CLOSE_WAIT has no timeout."));
}

TEST_F(EofIgnored, KeepaliveWillEndIt) {
    socket.keepalive.on = true;
    EXPECT_NE(b.diagnose().advice.find("SO_KEEPALIVE is on"), std::string::npos);
    EXPECT_EQ(b.diagnose().advice.find("no timeout"), std::string::npos);
}

TEST_F(EofIgnored, ReaderAtWorkMayStillAnswerAndClose) {
    for (const auto& thread : {running(10), asleep(10, SYS_fdatasync, 12), asleep(10, SYS_futex)}) {
        thread_is(thread);
        for (const std::uint64_t age : {400 * kMs, 9 * kSec}) {
            read_eof(socket, deed(10, 10, kTaken - age, Operation::kRead));
            EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 read-eof");
        }
        EXPECT_TRUE(says(b.diagnose(), "read end-of-file only 9.0 s ago and is still at work"));
        read_eof(socket, deed(10, 10, kTaken - 10 * kSec, Operation::kRead));
        EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/10 read-eof");
    }
}

TEST_F(EofIgnored, AnEventLoopMayHaveTheAnswerAmongOthers) {
    for (const auto& thread : {asleep(10, kPoll, 0x7f00, 1), asleep(10, SYS_epoll_pwait, 4)}) {
        thread_is(thread);
        read_eof(socket, deed(10, 10, kTaken - 9 * kSec, Operation::kRead));
        EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 read-eof");
        EXPECT_TRUE(says(b.diagnose(), "its event loop may still answer"));
        read_eof(socket, deed(10, 10, kTaken - 10 * kSec, Operation::kRead));
        EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/10 read-eof");
        read_eof(socket, deed(10, 10, kTaken - 60 * kSec, Operation::kRead));
        EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
    }
}

TEST_F(EofIgnored, AReaderMayHaveHandedTheConnectionOver) {
    b.census = {};
    b.census.taken_ns = kTaken;
    b.census.traced = true;
    const auto p = b.process(10, {in_accept(10), asleep(11, SYS_futex)});
    model::Socket& held = b.socket({{p}});
    read_eof(held, deed(10, 10, kTaken - 9 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "somebody may still answer"));
    read_eof(held, deed(10, 10, kTaken - 10 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/- process");
    read_eof(held, deed(10, 10, kTaken - 60 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/- process") << "however long it waits for that";
}

TEST_F(EofIgnored, WhatWasReadBeforeTracingNobodyIsSeenToRead) {
    // Every later read of 0 bytes looks like finding the end; the one that found it was earlier.
    socket.fin_consumed = socket.consumed_before = true;
    socket.precision = Precision::kAtLeast;
    socket.held_since_ns = kTaken - 100 * kSec;
    read_eof(socket, deed(10, 10, kTaken - kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 only-thread");
    EXPECT_FALSE(says(b.diagnose(), "read end-of-file"));
}

TEST_F(EofIgnored, JustNowIsTooEarlyEvenForOneThatWaits) {
    read_eof(socket, deed(10, 10, kTaken - 2 * kMs, Operation::kRead));
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    // A deed noted while the census was taken lies in its future.
    read_eof(socket, deed(10, 10, kTaken + kMs, Operation::kRead));
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
}

TEST_F(EofIgnored, NotProvenWhenSomethingHappenedSince) {
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    touches(socket).last = deed(10, 10, kFin + 2 * kSec, Operation::kRead);
    touches(socket).eof_reads = 7;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
    EXPECT_TRUE(says(b.diagnose(), "read 7 times"));
    touches(socket).last.reset();  // contradicts the end-of-file that was read
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
}

TEST_F(EofIgnored, NotProvenWhileAnotherThreadIsOnIt) {
    b.census = {};
    b.census.taken_ns = kTaken;
    b.census.traced = true;
    const auto p = b.process(10, {in_accept(10), asleep(11, SYS_recvfrom, 57)});
    read_eof(b.socket({{p}}), deed(10, 10, kTaken - 10 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/- process");
}

TEST_F(EofIgnored, UntracedByTheSequenceNumbers) {
    untraced();
    socket.fin_consumed = true;
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "eof-ignored likely 10/10 only-thread");
    EXPECT_TRUE(says(diagnosis, "copied_seq has passed the peer's FIN (census)"));
    EXPECT_FALSE(fact(diagnosis, "received_data"));
    EXPECT_TRUE(diagnose::eof_read(b.census, socket));
}

TEST_F(EofIgnored, UntracedWithDataBeforeTheFin) {
    untraced();
    socket.fin_consumed = true;
    socket.received_data = true;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 only-thread");
    EXPECT_TRUE(fact(b.diagnose(), "received_data"));
    thread_is(asleep(10, SYS_fdatasync, 12));  // it may be at work on that data
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/10 only-thread");
    socket.held_since_ns = kTaken - 9 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 only-thread");
}

TEST_F(EofIgnored, UntracedAndNobodyKnownOfSeveralAnEventLoopMayHaveIt) {
    b.census = {};
    b.census.taken_ns = kTaken;
    const auto p = b.process(10, {in_accept(10), asleep(11, SYS_epoll_pwait, 4)});
    model::Socket& held = b.socket({{p}});
    held.fin_consumed = true;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/- process");
    held.held_since_ns = kTaken - 9 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/- process");
}

TEST_F(EofIgnored, FinTakenWithDataIsNotEndOfFileRead) {
    socket.fin_consumed = true;
    touches(socket).last = deed(10, 10, kFin + kMs, Operation::kRead);
    EXPECT_FALSE(diagnose::eof_read(b.census, socket));
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 last-touch");
    EXPECT_TRUE(fact(b.diagnose(), "fin_with_data"));
    // Tracing that began after the FIN cannot know.
    socket.precision = Precision::kAtLeast;
    EXPECT_TRUE(diagnose::eof_read(b.census, socket));
    EXPECT_EQ(b.diagnose().cause, Cause::kEofIgnored);
}

TEST_F(EofIgnored, FinTakenByNobodyThatTracingSawIsUnknown) {
    socket.fin_consumed = true;
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    touches(socket).last = deed(10, 10, kFin - kSec, Operation::kRead);
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    EXPECT_TRUE(fact(b.diagnose(), "reader_unknown"));
}

struct Unread : Reading {};

TEST_F(Unread, AbandonedByAServerThatWaitsForWork) {
    socket.unread_bytes = 1000;
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "abandoned likely 10/10 only-thread");
    EXPECT_EQ(diagnosis.summary, "t10 has left 1000 bytes and the peer's FIN unread on fd 57 for 22 s");
    socket.role = Role::kUnknown;
    EXPECT_EQ(b.diagnose().cause, Cause::kAbandoned);
}

TEST_F(Unread, AbandonedIsOnlyPossibleUnderAnEventLoop) {
    thread_is(asleep(10, SYS_epoll_pwait, 4));
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 10/10 only-thread");
    EXPECT_TRUE(fact(b.diagnose(), "may_be_watched"));
}

TEST_F(Unread, AbandonedIsOnlyPossibleAmongSeveralThreads) {
    b.census.sockets.clear();
    b.census.traced = false;
    auto& other = b.socket({{b.process(20, {in_accept(20), asleep(21, SYS_futex)})}});
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process") << "one may be its handler";
    EXPECT_TRUE(fact(b.diagnose(), "may_be_handled"));
    EXPECT_TRUE(says(b.diagnose(), "threads of p20 (pid 20) run, or sleep"));
    other.held_since_ns = kTaken - 59 * kSec;
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    other.held_since_ns = kTaken - 60 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 20/- process");
    EXPECT_TRUE(fact(b.diagnose(), "may_be_handled"));
}

/// Reads from a pipe; who writes to it the census may say.
model::Thread at_a_pipe(std::uint32_t tid) {
    model::Thread thread = asleep(tid, SYS_read, 3);
    thread.file = model::FileFact{model::FileKind::kPipe, "", 77, "", 1};
    return thread;
}

TEST_F(Unread, WhoWaitsForOrdersIsNotAtWork) {
    b.census.sockets.clear();
    b.socket({{b.process(20, {in_accept(20), at_a_pipe(21)}, kBooted, 4), 9}});
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 20/- process") << "who writes is not known";
    model::Answer answer;
    answer.question = {model::Question::Kind::kFile, 1};
    answer.fd = 6;
    answer.references = 1;
    for (const std::uint32_t writer : {4U, 20U}) {
        answer.pid = writer;
        answer.start_ns = kBooted;
        b.census.answers = {answer};
        EXPECT_EQ(b.diagnose().cause, Cause::kAbandoned) << "its parent, or a thread of its own: " << writer;
    }
    b.census.answers[0].pid = 30;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process") << "a program that it has asked";
}

TEST_F(Unread, WhoHasBeenParkedSinceBeforeTheRequestIsNotAtIt) {
    b.census.sockets.clear();
    model::Thread worker = asleep(21, SYS_futex);
    worker.asleep_since_ns = kFin - 60 * kSec;
    const auto owner = b.process(20, {in_accept(20), worker});
    model::Socket& held = b.socket({{owner, 9}});
    held.last_data_ns = kFin - kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 20/- process");
    held.last_data_ns = kFin - 60 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process") << "it may have been read just before";
    held.last_data_ns = 0;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process") << "not known when the request came";
    held.last_data_ns = kFin - kSec;
    b.census.threads.back().lock_owner_tid = 20;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process") << "a lock that somebody has";
}

TEST_F(Unread, WhoReadItLastMayHaveHandedItOn) {
    b.census.sockets.clear();
    const auto owner = b.process(20, {asleep(20, SYS_epoll_wait, 4), asleep(21, SYS_recvfrom, 9)});
    model::Socket& held = b.socket({{owner, 9 + 1}});
    touches(held).last = deed(20, 20, kFin - kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process");
    EXPECT_TRUE(says(b.diagnose(), "which had the connection, may have handed it on"));
}

TEST_F(Unread, OfSeveralProcessesSomeMayBeHandlingIt) {
    b.census.sockets.clear();
    const auto idle = b.process(20, {in_accept(20)});
    auto& shared = b.socket({{idle}, {b.process(21, {in_accept(21), running(22)})}});
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
    EXPECT_TRUE(says(b.diagnose(), "threads of p21 (pid 21) run, or sleep"));
    shared.held_since_ns = kTaken - 60 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible -");
}

TEST_F(Unread, HandlerAtWorkIsNotAccused) {
    thread_is(asleep(10, SYS_fdatasync, 12));
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "unknown possible 10/10 only-thread");
    EXPECT_TRUE(says(diagnosis, "sleeps in fdatasync on fd 12"));
    thread_is(running(10));
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 only-thread");
    touches(socket).last = deed(10, 10, kFin - kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 last-touch");
}

TEST_F(Unread, AcceptorAtWorkMayHaveHandedItOver) {
    b.census.sockets.clear();
    auto& other = b.socket({{b.process(20, {running(20), in_accept(21)})}});
    touches(other).opened = deed(20, 20, kOpened, Operation::kAccept);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/- process");
    EXPECT_TRUE(fact(b.diagnose(), "thread_unknown"));
}

TEST_F(Unread, TooYoungToSay) {
    socket.held_since_ns = kTaken;
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    EXPECT_TRUE(fact(b.diagnose(), "too_young"));
    socket.held_since_ns = kTaken + kSec;
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
}

struct IdleInPool : Reading {
    IdleInPool() {
        socket.role = Role::kClient;
        socket.remote.port = 443;
        socket.last_sent_ns = kFin - 5 * kSec;
        socket.last_data_ns = kFin - 4 * kSec;
    }
};

TEST_F(IdleInPool, IdleBeforeTheFin) {
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "idle-in-pool proven 10/10 only-thread");
    EXPECT_TRUE(says(diagnosis, "has closed after 4.0 s without traffic"));
}

TEST_F(IdleInPool, NothingWasEverSent) {
    socket.last_sent_ns = socket.last_data_ns = 0;
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool proven 10/10 only-thread");
    socket.oldest_sign_ns = 0;  // and nothing says how long it was idle
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool likely 10/10 only-thread");
}

TEST_F(IdleInPool, NotProvenWithoutAnExactHoldOrAPause) {
    socket.last_data_ns = kFin - 50 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool likely 10/10 only-thread");
    socket.last_data_ns = kFin - 4 * kSec;
    socket.precision = Precision::kAtLeast;
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool likely 10/10 only-thread");
    socket.precision = Precision::kExact;
    socket.unsent_bytes = 1;
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool likely 10/10 only-thread");
}

TEST_F(IdleInPool, OnlyPossibleWithUnreadDataOrAnAnswerDue) {
    socket.unread_bytes = 10;
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool possible 10/10 only-thread");
    socket.unread_bytes = 0;
    socket.last_sent_ns = kFin - kSec;
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool possible 10/10 only-thread");
}

TEST_F(IdleInPool, ClientAtOtherWork) {
    thread_is(asleep(10, SYS_read, 0));
    EXPECT_EQ(gist(b.diagnose()), "idle-in-pool possible 10/10 only-thread");
    socket.unread_bytes = 10;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 only-thread");
}

TEST_F(IdleInPool, EndOfFileReadByAClientIsALeak) {
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
}

TEST(Diagnosis, EveryOneHasASummaryEvidenceAndAdvice) {
    for (int bits = 0; bits < 64; ++bits) {
        Builder b;
        std::vector<Hold> holds;
        if (bits & 1) holds.push_back({b.process(10, {in_accept(10)}), 57});
        if (bits & 2) holds.push_back({b.process(20, {running(20), in_accept(21)}, 950 * kSec), 58});
        auto& socket = b.socket(holds);
        socket.has_file = bits & 4;
        socket.fin_consumed = bits & 8;
        b.census.traced = bits & 16;
        if (bits & 32) touches(socket).last = deed(20, 20, kFin, Operation::kRead, -1, 950 * kSec);
        const auto diagnosis = b.diagnose();
        EXPECT_FALSE(diagnosis.summary.empty()) << bits;
        EXPECT_GE(diagnosis.evidence.size(), 2u) << bits;
        EXPECT_FALSE(diagnosis.advice.empty()) << bits;
        if (!diagnosis.culprit) continue;
        EXPECT_EQ(diagnosis.culprit->tid.has_value(), diagnosis.culprit->basis != diagnose::Basis::kProcess)
            << bits;
        EXPECT_TRUE(diagnosis.culprit->tid || fact(diagnosis, "thread_unknown")) << bits;
    }
}

}  // namespace
}  // namespace waitclose::test
