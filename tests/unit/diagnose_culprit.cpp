// SPDX-License-Identifier: BSD-2-Clause
// Who is named, and above all who is not.
#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using model::Operation;

TEST(Culprit, ReaderOfEndOfFileBeforeLastTouchBeforeOpener) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), in_accept(11), in_accept(12), in_accept(13)});
    auto& socket = b.socket({{p}});
    touches(socket).opened = deed(10, 11, kOpened, Operation::kAccept);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/11 opened");
    touches(socket).last = deed(10, 12, kOpened + kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/12 last-touch");
    read_eof(socket, deed(10, 13, kFin + kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/13 read-eof");
    EXPECT_EQ(b.diagnose().culprit->comm, "t13");  // the name it has now
}

TEST(Culprit, ExitedThreadIsNotNamedButItsProcessIs) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), in_accept(11)});
    read_eof(b.socket({{p}}), deed(10, 12, kFin + kSec, Operation::kRead));
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "eof-ignored likely 10/- process");
    ASSERT_TRUE(fact(diagnosis, "thread_unknown"));
    EXPECT_TRUE(says(diagnosis, "was12 (pid 10, tid 12)"));
    EXPECT_TRUE(says(diagnosis, "has exited since"));
}

TEST(Culprit, ExitedReaderIsNotReplacedByTheOpenerOrTheOnlyThread) {
    Builder b;
    const auto p = b.process(10, {in_accept(10)});
    auto& socket = b.socket({{p}});
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).last = deed(10, 12, kOpened + kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/- process");
}

TEST(Culprit, ReusedThreadIdIsNotTheThreadThatDidIt) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), born(in_accept(12), 995 * kSec)});
    read_eof(b.socket({{p}}), deed(10, 12, kFin + kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored likely 10/- process");
}

TEST(Culprit, ExitingThreadCountsAsExited) {
    Builder b;
    auto leaving = asleep(12, SYS_futex);
    leaving.exiting = true;
    const auto p = b.process(10, {in_accept(10), leaving});
    read_eof(b.socket({{p}}), deed(10, 12, kFin + kSec, Operation::kRead));
    EXPECT_FALSE(b.diagnose().culprit->tid);
}

TEST(Culprit, ReusedProcessIdIsNotTheProcessThatDidIt) {
    // Process 10 of the deed is long gone; another process 10 has the socket now, with a thread of the same
    // id.
    Builder b;
    const auto p =
        b.process(10, {born(in_accept(10), 950 * kSec), born(in_accept(11), 950 * kSec)}, 950 * kSec);
    auto& socket = b.socket({{p}});
    socket.oldest_sign_ns = 960 * kSec;
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "eof-ignored likely 10/- process");
    EXPECT_TRUE(says(diagnosis, "holds the socket no more"));
}

TEST(Culprit, ThreadOfAnotherProcessWithTheSameIdIsNotNamed) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), in_accept(12)});
    b.process(20, {in_accept(12)});
    read_eof(b.socket({{p}}), deed(20, 12, kFin + kSec, Operation::kRead));
    EXPECT_FALSE(b.diagnose().culprit->tid);
    EXPECT_EQ(b.diagnose().culprit->pid, 10u);
}

TEST(Culprit, OnlyThreadOfAnUntracedProcess) {
    Builder b;
    b.census.traced = false;
    b.socket({{b.process(10, {in_accept(10)})}});
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
}

TEST(Culprit, ZombieLeaderIsNoThreadToNameButMayHaveBeenIt) {
    Builder b;
    b.socket({{b.process(10, {in_state(10, model::RunState::kZombie), in_accept(11)})}});
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "others of it have ended"));
}

TEST(Culprit, OneOfManyUnseenThreadsIsNotGuessed) {
    Builder b;
    b.census.traced = false;
    b.socket({{b.process(10, {in_accept(10), in_accept(11), in_accept(12)})}}).fin_consumed = true;
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "eof-ignored likely 10/- process");
    ASSERT_TRUE(fact(diagnosis, "thread_unknown"));
    EXPECT_TRUE(says(diagnosis, "has 3 threads and nothing was traced"));
    b.census.traced = true;
    b.census.sockets.front().precision = model::Precision::kAtLeast;
    EXPECT_TRUE(says(b.diagnose(), "before tracing began"));
}

TEST(Culprit, ThreadInASystemCallOnItIsStrongest) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), asleep(11, SYS_ioctl, 57)});
    read_eof(b.socket({{p}}), deed(10, 10, kTaken - 10 * kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "eof-ignored possible 10/11 blocked-on-it");
}

TEST(Culprit, SeveralThreadsOnItAreNotGuessedBetween) {
    Builder b;
    const auto p = b.process(10, {asleep(11, SYS_ioctl, 57), asleep(12, SYS_ioctl, 57)});
    auto& socket = b.socket({{p}});
    EXPECT_FALSE(b.diagnose().culprit->tid);
    touches(socket).last = deed(10, 12, kFin - kSec, Operation::kRead);
    EXPECT_EQ(b.diagnose().culprit->tid, 12u);
}

TEST(Culprit, SleeperInAReadIsNotAccused) {
    // The FIN wakes a reader: this one sleeps on what fd 57 was before another thread closed it.
    Builder b;
    const auto p = b.process(10, {in_accept(10), asleep(11, SYS_recvfrom, 57)});
    auto& socket = b.socket({{p}});
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "went to sleep before, or on another file"));
}

TEST(Culprit, SystemCallOnTheSameNumberInAnotherProcessIsAnotherFile) {
    Builder b;
    const auto p = b.process(10, {in_accept(10)});
    b.process(20, {asleep(20, SYS_ioctl, 57)});
    b.socket({{p}});
    EXPECT_EQ(b.diagnose().culprit->basis, diagnose::Basis::kOnlyThread);
}

struct SeveralHolders : testing::Test {
    Builder b;
    std::uint32_t parent = b.process(10, {in_accept(10)});
    std::uint32_t other = b.process(20, {in_accept(20)});
    model::Socket& socket = b.socket({{parent}, {other}});
};

TEST_F(SeveralHolders, LastTouchDecides) {
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).last = deed(20, 20, kOpened + kSec, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 20/20 last-touch");
}

TEST_F(SeveralHolders, ThenTheOpener) {
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    touches(socket).last = deed(99, 99, kOpened + kSec, Operation::kRead);  // holds it no more
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 opened");
}

TEST_F(SeveralHolders, ThenTheOnlyOneThatIsOlder) {
    b.census.processes[other].start_ns = kOpened + 1;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
}

TEST_F(SeveralHolders, ElseNobody) {
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "abandoned possible -");
    ASSERT_TRUE(fact(diagnosis, "process_unknown"));
    EXPECT_TRUE(says(diagnosis, "fd 57 of p10 (pid 10), fd 57 of p20 (pid 20)"));
}

TEST_F(SeveralHolders, UnknownAgesDecideNothing) {
    socket.oldest_sign_ns = 0;
    EXPECT_FALSE(b.diagnose().culprit);
    socket.oldest_sign_ns = kOpened;
    b.census.processes[other].start_ns = 0;
    EXPECT_FALSE(b.diagnose().culprit);
}

TEST(Culprit, SeveralDescriptorsOfOneProcessAreOneHolder) {
    Builder b;
    const auto p = b.process(10, {in_accept(10)});
    b.socket({{p, 57}, {p, 58}});
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "fds 57, 58"));
}

}  // namespace
}  // namespace waitclose::test
