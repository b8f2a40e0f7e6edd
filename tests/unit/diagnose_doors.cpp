// SPDX-License-Identifier: BSD-2-Clause
// Who waits in accept() on another listener than the one the connection came to: for a data connection, a
// callback, a control channel. Its answer may need that.
#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::Cause;
using model::Operation;

constexpr std::int32_t kService = 3;  // port 8080, to which the connection came
constexpr std::int32_t kOther = 4;    // port 2020

struct Doors : testing::Test {
    Builder b;

    /// A process with these threads, both listeners and the connection.
    model::Socket& server(std::vector<model::Thread> threads, std::uint64_t start_ns = kBooted) {
        const auto process = b.process(10, std::move(threads), start_ns);
        b.listener({{process, kService}});
        b.listener({{process, kOther}}).local.port = 2020;
        return b.socket({{process}});
    }
};

model::Thread accepting(std::uint32_t tid, std::int32_t fd, std::uint64_t since_ns = kFin + 100 * kMs) {
    model::Thread thread = asleep(tid, SYS_accept4, static_cast<std::uint64_t>(fd));
    thread.asleep_since_ns = since_ns;
    return thread;
}

TEST_F(Doors, AHandlerThatReadTheEndAwaitsItsDataConnection) {
    model::Socket& socket = server({accepting(10, kService), accepting(11, kOther)});
    read_eof(socket, deed(10, 11, kFin + 50 * kMs, Operation::kRead));
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "handler-blocked possible 10/11 read-eof");
    EXPECT_TRUE(says(diagnosis, "thread t11 waits in accept() on port 2020 for a connection"));
    EXPECT_TRUE(fact(diagnosis, "awaits_connection_on"));
    ASSERT_FALSE(diagnosis.because.empty());
    EXPECT_EQ(diagnosis.because.front().tid, 11U);
}

TEST_F(Doors, SoDoesOneThatHasNotReadTheEnd) {
    model::Socket& socket = server({accepting(10, kService), accepting(11, kOther)});
    touches(socket).last = deed(10, 11, kFin - kSec, Operation::kWrite);
    b.census.threads[1].asleep_since_ns = kFin - 900 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "handler-blocked possible 10/11 last-touch");
}

TEST_F(Doors, TheOnlyThreadIsNeverProvenToHaveForgottenIt) {
    model::Socket& socket = server({accepting(10, kOther)});
    socket.held_since_ns = kTaken - 300 * kSec;
    b.census.traced = false;
    socket.precision = model::Precision::kAtLeast;
    EXPECT_EQ(gist(b.diagnose()), "handler-blocked possible 10/10 only-thread");
    socket.fin_consumed = true;
    EXPECT_EQ(gist(b.diagnose()), "handler-blocked possible 10/10 only-thread");
}

TEST_F(Doors, WhoseWaitBeganLaterIsAtSomethingElse) {
    model::Socket& socket = server({accepting(10, kService), accepting(11, kOther, kFin + 5 * kSec)});
    socket.held_since_ns = kTaken - 90 * kSec;
    b.census.threads[1].asleep_since_ns = kTaken - 80 * kSec;
    read_eof(socket, deed(10, 11, kTaken - 89 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/11 read-eof");
}

TEST_F(Doors, TheListenerOfTheConnectionItselfExcusesNobody) {
    model::Socket& socket = server({accepting(10, kService)});
    read_eof(socket, deed(10, 10, kFin + 50 * kMs, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
    EXPECT_FALSE(fact(b.diagnose(), "awaits_connection_on"));
    b.census.listeners[0].netns = 7;
    EXPECT_EQ(gist(b.diagnose()), "handler-blocked possible 10/10 read-eof")
        << "the port of another namespace";
}

TEST_F(Doors, WhatListensIsNotKnown) {
    model::Socket& socket = server({accepting(10, 9)});
    read_eof(socket, deed(10, 10, kFin + 50 * kMs, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
    b.census.threads[0].file = model::FileFact{model::FileKind::kUnix, "socket:[7]", 7, "", 0};
    EXPECT_EQ(gist(b.diagnose()), "handler-blocked possible 10/10 read-eof");
    EXPECT_TRUE(says(b.diagnose(), "accept() on a UNIX socket"));
}

TEST_F(Doors, AnotherThreadsCallbackMayBringTheAnswerForAMinute) {
    model::Socket& socket = server({accepting(10, kService), accepting(11, kOther)});
    read_eof(socket, deed(10, 10, kFin + 50 * kMs, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/10 read-eof");
    EXPECT_TRUE(says(b.diagnose(), "its answer may need who connects there"));
    socket.held_since_ns = kTaken - 61 * kSec;
    touches(socket).eof->at_ns = touches(socket).last->at_ns = kTaken - 60 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/10 read-eof");
}

TEST_F(Doors, ThatHoldsForWhatIsUnreadAsWell) {
    model::Socket& socket = server({accepting(10, kService), accepting(11, kOther)});
    touches(socket).last = deed(10, 10, kFin - kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 10/10 last-touch");
    socket.held_since_ns = kTaken - 60 * kSec;
    touches(socket).last->at_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 last-touch");
}

TEST_F(Doors, AChildForkedForItThatAwaitsACallbackIsNoAccident) {
    model::Socket& socket = server({born(accepting(10, kOther), kFin - 10 * kMs)}, kFin - 10 * kMs);
    socket.oldest_sign_ns = kFin - 20 * kMs;
    touches(socket).opened = deed(4, 4, kFin - 20 * kMs, Operation::kAccept);
    touches(socket).let_go = deed(4, 4, kFin - 5 * kMs, Operation::kNone, 5);
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    EXPECT_TRUE(fact(b.diagnose(), "forked_for_it"));
    b.census.threads[0].arguments[0] = kService;
    EXPECT_EQ(b.diagnose().cause, Cause::kInheritedFd) << "who waits for the next one has not come for this";
}

TEST_F(Doors, APoolsConnectionIsNobodysAnswer) {
    model::Socket& socket = server({accepting(10, kOther)});
    socket.role = model::Role::kClient;
    EXPECT_EQ(b.diagnose().cause, Cause::kIdleInPool);
}

}  // namespace
}  // namespace waitclose::test
