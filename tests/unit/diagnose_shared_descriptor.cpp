// SPDX-License-Identifier: BSD-2-Clause
// One descriptor closed, another kept: by the same process, by an heir, or by the handler it was forked for.
#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using model::Operation;

TEST(DuplicateFd, ClosedOneKeptTheOther) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_accept(10)}), 7}});
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    touches(socket).let_go = deed(10, 10, kFin + 2 * kSec, Operation::kNone, 5);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "duplicate-fd likely 10/10 read-eof");
    EXPECT_TRUE(says(diagnosis, "closed fd 5 20 s ago and keeps its duplicate fd 7"));
}

TEST(DuplicateFd, MayBeKeptToSendTheAnswer) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {running(10)}), 7}});
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    touches(socket).let_go = deed(10, 10, kFin + 2 * kSec, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "duplicate-fd possible 10/10 read-eof") << "its thread is at work";
    b.census.threads[0] = in_accept(10);
    socket.held_since_ns = kTaken - 9 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 read-eof") << "young";
    EXPECT_TRUE(says(b.diagnose(), "it may be about to be used"));
    socket.held_since_ns = kTaken - 60 * kSec;
    b.census.holders[0].fd = 1;
    EXPECT_EQ(gist(b.diagnose()), "duplicate-fd possible 10/10 read-eof") << "somebody put it there";
}

TEST(DuplicateFd, BeforeTheFinItMayHaveBeenMovedOnPurpose) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_accept(10)}), 7}});
    touches(socket).let_go = deed(10, 10, kOpened + kSec, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "duplicate-fd possible 10/10 only-thread");
    socket.held_since_ns = kTaken - 60 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "duplicate-fd likely 10/10 only-thread");
}

TEST(DuplicateFd, AfterTheFinByTheProcessThatUsedIt) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_accept(10)}), 7}});
    touches(socket).let_go = deed(10, 10, kFin + kSec, Operation::kNone, 5);
    touches(socket).last = deed(9, 9, kOpened, Operation::kRead);  // another process, before
    EXPECT_EQ(gist(b.diagnose()), "duplicate-fd possible 10/10 only-thread");
    touches(socket).last = deed(10, 10, kFin - kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "duplicate-fd likely 10/10 last-touch");
}

TEST(DuplicateFd, NotWhenTheProcessWentOnUsingTheOther) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_accept(10)}), 7}});
    touches(socket).let_go = deed(10, 10, kOpened + kSec, Operation::kNone, 5);
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
}

TEST(DuplicateFd, NotWhenItHoldsTheVeryNumberItClosed) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_accept(10)}), 7}});
    touches(socket).let_go = deed(10, 10, kFin + kSec, Operation::kNone, 7);
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kAbandoned);
}

TEST(DuplicateFd, NotByAnEarlierProcessOfTheSameId) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {born(in_accept(10), 950 * kSec)}, 950 * kSec), 7}});
    socket.oldest_sign_ns = 960 * kSec;
    touches(socket).let_go = deed(10, 10, kFin + kSec, Operation::kNone, 5);
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kAbandoned);
}

struct InheritedFd : testing::Test {
    Builder b;
    std::uint32_t child = b.process(20, {born(asleep(20, SYS_read, 0), 950 * kSec)}, 950 * kSec, 10);
    model::Socket& socket = b.socket({{child, 5, false}});
};

TEST_F(InheritedFd, ParentHandledAndClosedIt) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);  // it waits for work
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    touches(socket).let_go = deed(10, 10, kFin + 2 * kSec, Operation::kNone, 5);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "inherited-fd likely 20/20 only-thread");
    EXPECT_TRUE(says(
        diagnosis,
        "p20 still holds fd 5, inherited by a fork 1 min 2 s ago and not seen in use there; was10 closed its "
        "own copy"));
    EXPECT_TRUE(says(diagnosis,
                     "it was forked 1 min 2 s ago, 50 s after the connection was there, and its parent is "
                     "now process 10"));
    EXPECT_TRUE(says(diagnosis, "not marked close-on-exec"));
    EXPECT_NE(diagnosis.advice.find("SOCK_CLOEXEC"), std::string::npos) << diagnosis.advice;
}

TEST_F(InheritedFd, CloseOnExecHelpsNobodyWhoNeverCallsExec) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);  // it waits for work
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).let_go = deed(10, 10, 951 * kSec, Operation::kNone, 5);
    b.census.holders.front().close_on_exec = true;
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "inherited-fd likely 20/20 only-thread");
    EXPECT_TRUE(says(diagnosis, "is marked close-on-exec"));
    EXPECT_NE(diagnosis.advice.find("after fork(), or fork before accepting"), std::string::npos)
        << diagnosis.advice;
    EXPECT_EQ(diagnosis.advice.find("SOCK_CLOEXEC"), std::string::npos) << diagnosis.advice;
}

TEST_F(InheritedFd, ClosedBeforeTheFinAndNeverTouched) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);  // it waits for work
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).let_go = deed(10, 10, 951 * kSec, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely 20/20 only-thread");
}

TEST_F(InheritedFd, IsProvenOfAnotherProgramThatKnowsNothingOfIt) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    touches(socket).let_go = deed(10, 10, kFin + 2 * kSec, Operation::kNone, 5);
    b.process(10, {in_accept(10)});
    b.census.processes[0].exe = "/usr/bin/sleep";
    b.census.processes[1].exe = "/usr/bin/server";
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd proven 20/20 only-thread");
    b.census.processes[0].exe = "/usr/bin/server";
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely 20/20 only-thread")
        << "it may be the one that answers";
}

TEST_F(InheritedFd, ParentHandledItWhileTheChildHadACopy) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);  // it waits for work
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).last = deed(10, 10, 955 * kSec, Operation::kWrite);
    touches(socket).let_go = deed(10, 10, 960 * kSec, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely 20/20 only-thread");
    // Handled before the child was born, it may have been handed over to it.
    touches(socket).last->at_ns = 940 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely 20/20 only-thread");
}

TEST_F(InheritedFd, AChildBornRightAfterAcceptMayBeItsHandler) {
    touches(socket).opened = deed(10, 10, 950 * kSec - kMs, Operation::kAccept);
    touches(socket).let_go = deed(10, 10, 950 * kSec + kMs, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/20 only-thread");
    EXPECT_TRUE(fact(b.diagnose(), "forked_for_it"));
    EXPECT_TRUE(says(b.diagnose(), "it may be about to serve it"));
    socket.held_since_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd possible 20/20 only-thread") << "it never came to that";
    socket.held_since_ns = kTaken - kMs;
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kUnknown);
}

/// Its parent accepted, forked it at once, and let go of its own copy.
struct ForkedForIt : InheritedFd {
    ForkedForIt() {
        touches(socket).opened = deed(10, 10, 950 * kSec - kMs, Operation::kAccept);
        touches(socket).let_go = deed(10, 10, 950 * kSec + kMs, Operation::kNone, 5);
    }
    model::Thread& thread() { return b.census.threads[0]; }
    void does(const model::Thread& now) { thread() = born(now, 950 * kSec); }
    /// Reads what the process of this id writes.
    void reads_from(std::uint32_t writer, model::FileKind kind) {
        does(asleep(20, SYS_read, 0));
        thread().file = model::FileFact{kind, "", 77, "", 1};
        model::Answer answer;
        answer.question = {model::Question::Kind::kFile, 1};
        answer.pid = writer;
        answer.fd = 4;
        answer.references = 1;
        b.census.answers = {answer};
    }
    std::string gist() const { return test::gist(b.diagnose()); }
    const char* unknown = "unknown possible 20/20 only-thread";
    const char* inherited = "inherited-fd possible 20/20 only-thread";
};

TEST_F(ForkedForIt, WhateverItDoesBeforeItReadsIt) {
    for (const auto& now : {running(20), asleep(20, SYS_poll, 1), asleep(20, SYS_clock_nanosleep),
                            asleep(20, SYS_wait4), asleep(20, SYS_futex)}) {
        does(now);
        EXPECT_EQ(gist(), unknown);
    }
    reads_from(30, model::FileKind::kTcp);
    EXPECT_EQ(gist(), unknown);
    reads_from(30, model::FileKind::kUnix);
    EXPECT_EQ(gist(), unknown) << "its database, or a child of its own";
}

TEST_F(ForkedForIt, NotOneThatWaitsForOrders) {
    does(in_accept(20));
    EXPECT_EQ(gist(), inherited);
    reads_from(10, model::FileKind::kPipe);
    EXPECT_EQ(gist(), inherited) << "its parent's, who closed its own copy";
    b.census.answers.clear();
    EXPECT_EQ(gist(), inherited) << "who writes is not known";
}

TEST_F(ForkedForIt, NotOneWhoseParentKeptOrUsedItsCopy) {
    touches(socket).let_go->at_ns = 952 * kSec;
    EXPECT_EQ(gist(), inherited);
    touches(socket).let_go->at_ns = 950 * kSec + 2 * kMs;
    touches(socket).last = deed(10, 10, 950 * kSec + kMs, Operation::kRead);
    EXPECT_EQ(gist(), inherited) << "it is at something";
    touches(socket).last->at_ns = 950 * kSec - kMs;
    EXPECT_EQ(gist(), unknown) << "its parent read the request, and then forked it";
}

TEST_F(ForkedForIt, NotAnotherProgramThatWasNotGivenItByNumber) {
    b.process(10, {in_accept(10)});
    b.census.processes[0].exe = "/bin/sleep";
    EXPECT_EQ(gist(), unknown) << "what its parent runs is not known";
    b.census.processes[1].exe = "/bin/server";
    EXPECT_EQ(gist(), inherited);
    b.census.holders[0].fd = 0;
    EXPECT_EQ(gist(), unknown) << "as inetd gives it";
    b.census.holders[0].fd = 5;
    b.census.processes[0].exe = "/bin/server";
    EXPECT_EQ(gist(), unknown);
}

TEST_F(ForkedForIt, WithAChildOfItsOwn) {
    const auto job = b.process(21, {born(running(21), 951 * kSec)}, 951 * kSec, 20);
    const auto touched = std::move(socket.touches);
    b.census.sockets.clear();
    auto& shared = b.socket({{child, 5}, {job, 5}});
    touches(shared) = *touched;
    EXPECT_EQ(gist(), "unknown possible -");
    EXPECT_TRUE(says(b.diagnose(), "p20 was forked when the connection had come"));
}

TEST_F(ForkedForIt, ByALookThatComesAfterwards) {
    socket.touches.reset();
    b.census.traced = false;
    socket.oldest_sign_ns = 950 * kSec + 30 * kMs;  // such signs are late
    does(asleep(20, SYS_poll, 1));
    EXPECT_EQ(gist(), unknown);
    EXPECT_TRUE(fact(b.diagnose(), "forked_for_it"));
    socket.held_since_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(), "abandoned possible 20/20 only-thread");
    socket.held_since_ns = kFin;
    b.listener({{child, 3}});
    EXPECT_EQ(gist(), "abandoned possible 20/20 only-thread") << "it is a server that has just begun";
    b.census.listeners[0].local.port = 9090;
    EXPECT_EQ(gist(), unknown) << "that is another service";
    b.census.listeners.clear();
    socket.oldest_sign_ns = 952 * kSec;
    EXPECT_EQ(gist(), "abandoned possible 20/20 only-thread");
    socket.oldest_sign_ns = 950 * kSec + 30 * kMs;
    socket.fin_consumed = true;
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kEofIgnored) << "that it has read to its end";
}

TEST_F(ForkedForIt, WhenTheAgeOfTheConnectionIsNotKnown) {
    touches(socket).opened.reset();
    socket.oldest_sign_ns = 0;
    EXPECT_EQ(gist(), unknown);
    touches(socket).let_go->at_ns = 952 * kSec;
    EXPECT_EQ(gist(), inherited);
}

TEST_F(InheritedFd, NotWhenTheChildHandlesIt) {
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).let_go = deed(10, 10, 951 * kSec, Operation::kNone, 5);
    read_eof(socket, deed(20, 20, kFin + kSec, Operation::kRead, -1, 950 * kSec));
    b.census.threads[0] = born(in_accept(20), 950 * kSec);
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 20/20 read-eof");
}

TEST_F(InheritedFd, NotWhenTheChildSleepsOnIt) {
    touches(socket).let_go = deed(10, 10, kFin + kSec, Operation::kNone, 5);
    b.census.threads[0] = born(asleep(20, SYS_ioctl, 5), 950 * kSec);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/20 blocked-on-it");
}

TEST_F(InheritedFd, NotWhenItWasPassedToAnOlderProcess) {
    b.census.processes[child].start_ns = kBooted;
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).let_go = deed(10, 10, kOpened + kSec, Operation::kNone, 5);
    b.census.threads[0] = in_accept(20);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 20/20 only-thread");
}

TEST_F(InheritedFd, ChildOfWhoClosedItWithoutKnownOrder) {
    socket.oldest_sign_ns = 0;
    touches(socket).let_go = deed(10, 10, kFin + kSec, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd possible 20/20 only-thread");
    b.census.processes[child].parent_pid = 1;
    EXPECT_NE(b.diagnose().cause, diagnose::Cause::kInheritedFd);
}

TEST_F(InheritedFd, SeveralHeirsAndNobodyNamed) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);  // it waits for work
    const auto second = b.process(21, {born(in_accept(21), 960 * kSec)}, 960 * kSec, 10);
    b.census.sockets.clear();
    auto& shared = b.socket({{child, 5}, {second, 5}});
    touches(shared).let_go = deed(10, 10, kFin + kSec, Operation::kNone, 5);
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely -");
}

TEST_F(InheritedFd, UntracedByTheOrderOfBirth) {
    b.census.threads[0] = born(in_accept(20), 950 * kSec);  // it waits for work
    b.census.traced = false;
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely 20/20 only-thread");
    socket.fin_consumed = true;
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd likely 20/20 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "younger than the socket"));
    socket.oldest_sign_ns = 950 * kSec - kMs;  // born for this connection, maybe
    b.census.threads[0] = born(asleep(20, SYS_read, 0), 950 * kSec);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/20 only-thread");
    socket.held_since_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "inherited-fd possible 20/20 only-thread");
}

TEST_F(InheritedFd, UntracedButDataMovedSinceItsBirth) {
    b.census.traced = false;
    socket.last_sent_ns = 951 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 20/20 only-thread");
    EXPECT_NE(b.diagnose().advice.find("--observe"), std::string::npos);
}

TEST_F(InheritedFd, NotWithoutAnAgeOfTheSocket) {
    b.census.traced = false;
    socket.oldest_sign_ns = 0;
    EXPECT_NE(b.diagnose().cause, diagnose::Cause::kInheritedFd);
}

TEST(InheritedByParent, ChildReadClosedAndWentTheParentForgot) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_accept(10)})}});
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    read_eof(socket, deed(20, 20, kFin + kSec, Operation::kRead, -1, 950 * kSec));
    touches(socket).let_go = deed(20, 20, kFin + kSec, Operation::kNone, 5, 950 * kSec);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "eof-ignored likely 10/10 opened");
    EXPECT_TRUE(says(diagnosis, "was20 (pid 20, tid 20) read end-of-file"));
    EXPECT_TRUE(says(diagnosis, "closed its own copy (fd 5)"));
}

}  // namespace
}  // namespace waitclose::test
