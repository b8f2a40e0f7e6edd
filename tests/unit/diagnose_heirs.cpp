// SPDX-License-Identifier: BSD-2-Clause
// Who had the connection last need not have it now, and who is left need not have had it.
#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::Cause;
using model::Operation;
using model::Precision;

/// A connection accepted at 900 s, of a program with two threads: one serves connections and waits for the
/// next, the other does what a test says. The FIN came 80 s ago.
struct Heirs : testing::Test {
    static constexpr std::uint64_t kHungUp = kTaken - 80 * kSec;
    Builder b;
    std::uint32_t process = b.process(10, {named(in_accept(10), "reader"), asleep(11, SYS_futex)});
    model::Socket& socket = b.socket({{process}});

    Heirs() {
        socket.held_since_ns = kHungUp;
        socket.last_data_ns = kOpened + kSec;
        touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
        touches(socket).last = deed(10, 10, kOpened + kSec, Operation::kRead);
    }
    static model::Thread named(model::Thread thread, const char* comm) {
        thread.comm = comm;
        return thread;
    }
    static model::Thread since(model::Thread thread, std::uint64_t asleep_since_ns) {
        thread.asleep_since_ns = asleep_since_ns;
        return thread;
    }
    static model::Thread parked(std::uint32_t tid, std::uint64_t asleep_since_ns, std::uint64_t timeout = 0) {
        model::Thread thread = since(asleep(tid, SYS_futex, 0x7f00), asleep_since_ns);
        thread.arguments[3] = timeout;
        return thread;
    }
    void other_is(model::Thread thread) { b.census.threads[1] = std::move(thread); }
    void end_was_read() {
        read_eof(socket, deed(10, 10, kHungUp + kMs, Operation::kRead));
        touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    }
    std::string told() { return gist(b.diagnose()); }
};

TEST_F(Heirs, ASweeperMayComeByHoweverSeldom) {
    other_is(since(named(asleep(11, SYS_clock_nanosleep), "sweeper"), kOpened - 10 * kSec));
    EXPECT_EQ(told(), "abandoned possible 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "thread sweeper (tid 11) sleeps in clock_nanosleep"));
    EXPECT_TRUE(says(b.diagnose(), "somebody may yet come by and close it"));
    end_was_read();
    EXPECT_EQ(told(), "eof-ignored possible 10/10 read-eof") << "nobody took it from the reader's hand";
    EXPECT_TRUE(fact(b.diagnose(), "may_be_handed_on"));
    other_is(parked(11, kOpened - 10 * kSec, 0x7ffe0000));
    EXPECT_EQ(told(), "eof-ignored possible 10/10 read-eof") << "a lock with a time limit is a timer, too";
}

TEST_F(Heirs, WhoWasAwakeAfterTheReadMayHaveBeenGivenIt) {
    end_was_read();
    for (const auto& other : {parked(11, kHungUp + 2 * kMs), running(11), asleep(11, SYS_fdatasync, 9),
                              parked(11, kTaken - kSec)}) {
        other_is(other);
        EXPECT_EQ(told(), "eof-ignored possible 10/- process");
        EXPECT_TRUE(says(b.diagnose(), "ago, and nobody has closed fd 57 since"));
        EXPECT_TRUE(fact(b.diagnose(), "thread_unknown"));
    }
}

TEST_F(Heirs, WhoHasWaitedForEverSinceBeforeAnyConnectionHasNone) {
    other_is(parked(11, kOpened - kSec));
    EXPECT_EQ(told(), "abandoned likely 10/10 last-touch") << "main waits for its threads to end";
    end_was_read();
    EXPECT_EQ(told(), "eof-ignored likely 10/10 read-eof");
    // Unless an earlier connection may be what it is stuck with: then this one may be next in its queue.
    b.census.sockets.reserve(2);
    model::Socket& earlier = b.socket({{process, 58}});
    earlier.held_since_ns = kOpened - 5 * kSec;
    EXPECT_EQ(gist(diagnose::diagnose(b.census, b.census.sockets[0])), "eof-ignored possible 10/10 read-eof");
}

TEST_F(Heirs, WhoWaitsForOrdersOrWorkIsNone) {
    end_was_read();
    other_is(in_accept(11));
    EXPECT_EQ(told(), "eof-ignored likely 10/10 read-eof");
    model::Thread at_a_pipe = asleep(11, SYS_read, 3);
    at_a_pipe.file = model::FileFact{model::FileKind::kPipe, "", 77, "", 1};
    other_is(at_a_pipe);
    EXPECT_EQ(told(), "eof-ignored likely 10/10 read-eof");
}

TEST_F(Heirs, IdleWorkersOfTheReadersOwnPoolAreNone) {
    end_was_read();
    b.census.threads[0] = named(parked(10, kHungUp + 2 * kMs), "http-exec-17");
    other_is(named(parked(11, kTaken - kSec), "http-exec-3"));
    EXPECT_EQ(told(), "eof-ignored possible 10/10 read-eof") << "the reader may be at work in that lock";
    EXPECT_FALSE(fact(b.diagnose(), "may_be_handed_on"));
    for (const char* stranger : {"closer", "http-exec-17", "17"}) {
        other_is(named(parked(11, kTaken - kSec), stranger));
        EXPECT_TRUE(fact(b.diagnose(), "may_be_handed_on")) << stranger;
    }
}

TEST_F(Heirs, ARuntimesOwnThreadsAreNone) {
    end_was_read();
    for (const char* own : {"VM Periodic Tas", "G1 Service", "V8Worker"}) {
        other_is(named(parked(11, kTaken - kMs, 0x7f00), own));
        EXPECT_EQ(told(), "eof-ignored likely 10/10 read-eof") << own;
    }
    other_is(named(parked(11, kTaken - kMs, 0x7f00), "pool-1-thread-1"));
    EXPECT_EQ(told(), "eof-ignored possible 10/- process");
}

TEST_F(Heirs, WhoIsAtAnotherHeldConnectionIsNone) {
    end_was_read();
    other_is(since(asleep(11, SYS_clock_nanosleep), kTaken - kSec));
    b.census.sockets.reserve(2);
    model::Socket& its_own = b.socket({{process, 58}});
    touches(its_own).last = deed(10, 11, kTaken - 2 * kSec, Operation::kRead);
    EXPECT_EQ(gist(diagnose::diagnose(b.census, b.census.sockets[0])), "eof-ignored likely 10/10 read-eof");
}

TEST_F(Heirs, ThreadsThatSleptSinceBeforeTheConnectionAreNotSaidToBeAtWork) {
    socket.held_since_ns = kTaken - 20 * kSec;
    other_is(since(asleep(11, SYS_clock_nanosleep), kOpened - kSec));
    EXPECT_EQ(b.diagnose().cause, Cause::kUnknown);
    EXPECT_FALSE(says(b.diagnose(), "run, or sleep"));
    EXPECT_TRUE(says(b.diagnose(), "slept since before the connection was opened"));
    other_is(since(asleep(11, SYS_clock_nanosleep), kOpened + kSec));
    EXPECT_TRUE(says(b.diagnose(), "threads of p10 (pid 10) run, or sleep"));
    touches(socket).opened.reset();
    other_is(since(asleep(11, SYS_clock_nanosleep), kOpened - kSec));
    EXPECT_TRUE(says(b.diagnose(), "threads of p10 (pid 10) run, or sleep")) << "it may be older than known";
}

/// Come late: nothing was traced, and one thread is left.
struct OneLeft : testing::Test {
    Builder b;
    std::uint32_t process = b.process(10, {in_accept(10)});
    model::Socket& socket = b.socket({{process}});

    OneLeft() {
        b.census.traced = false;
        socket.precision = Precision::kAtLeast;
        socket.fin_consumed = true;
    }
    std::string told() { return gist(b.diagnose()); }
};

TEST_F(OneLeft, IsNamedWhereNoThreadHasEverEnded) {
    EXPECT_EQ(told(), "eof-ignored likely 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "is the only thread that p10 (pid 10) ever had"));
}

TEST_F(OneLeft, IsNotNamedWhereOthersHaveEnded) {
    b.census.processes[0].threads_ended = true;
    EXPECT_EQ(told(), "eof-ignored likely 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "others of it have ended, and one of them may have handled it"));
    socket.fin_consumed = false;
    EXPECT_EQ(told(), "abandoned likely 10/- process");
}

TEST_F(OneLeft, IsNotNamedWhereThatIsNotKnown) {
    b.census.processes[0].threads_ended.reset();
    EXPECT_EQ(told(), "eof-ignored likely 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "whether others of it have ended is not known"));
}

TEST_F(OneLeft, IsNamedAllTheSameForWhatItWasSeenToDo) {
    b.census.processes[0].threads_ended = true;
    b.census.traced = true;
    socket.precision = Precision::kExact;
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    EXPECT_EQ(told(), "eof-ignored likely 10/10 read-eof");
}

/// Come late to a program with a thread for each connection: one of them has slept since its data came.
TEST(SeveralLeft, WhoSleepsSinceTheDataMayBeAtTheAnswerHoweverLongAgo) {
    Builder b;
    b.census.traced = false;
    const auto p = b.process(10, {in_accept(10), asleep(11, SYS_futex), asleep(12, SYS_futex)});
    model::Socket& socket = b.socket({{p}});
    socket.precision = Precision::kAtLeast;
    socket.held_since_ns = kTaken - 600 * kSec;
    socket.last_data_ns = kTaken - 610 * kSec;
    b.census.threads[1].asleep_since_ns = kTaken - 800 * kSec;
    const auto told = [&](std::uint64_t since_ns) {
        b.census.threads[2].asleep_since_ns = since_ns;
        return gist(b.diagnose());
    };
    EXPECT_EQ(told(socket.last_data_ns + 5 * kMs), "unknown possible 10/- process");
    EXPECT_TRUE(
        says(b.diagnose(), "thread t12 (tid 12) sleeps in futex, ever since the connection's last data"));
    EXPECT_EQ(told(socket.last_data_ns + 2 * kSec), "abandoned possible 10/- process");
    EXPECT_EQ(told(socket.last_data_ns - kSec), "abandoned possible 10/- process");
    socket.last_data_ns = 0;
    EXPECT_EQ(told(kTaken - 610 * kSec), "abandoned possible 10/- process") << "no data ever came";
}

/// It took the connection, and then waits at a socket whose other end its parent has.
TEST(Orders, AreNoPartOfAConnectionThatWasOnlyAccepted) {
    Builder b;
    model::Thread thread = asleep(10, SYS_recvfrom, 4);
    thread.file = model::FileFact{model::FileKind::kUnix, "", 77, "", 1};
    thread.asleep_since_ns = kFin - 200 * kMs;
    model::Socket& socket = b.socket({{b.process(10, {thread}, kBooted, 4)}});
    touches(socket).opened = deed(10, 10, kFin - 300 * kMs, Operation::kAccept);
    model::Answer answer;
    answer.question = {model::Question::Kind::kFile, 1};
    answer.fd = 6;
    answer.references = 1;
    answer.pid = 4;
    answer.start_ns = kBooted;
    b.census.answers = {answer};
    EXPECT_NE(b.diagnose().cause, Cause::kHandlerBlocked);
    b.census.answers[0].pid = 30;
    EXPECT_EQ(gist(b.diagnose()), "handler-blocked possible 10/10 opened") << "a service that it has asked";
    b.census.answers[0].pid = 4;
    touches(socket).last = deed(10, 10, kFin - 250 * kMs, Operation::kRead);
    EXPECT_EQ(b.diagnose().cause, Cause::kHandlerBlocked) << "it has read the request";
}

}  // namespace
}  // namespace waitclose::test
