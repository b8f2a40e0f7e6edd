// SPDX-License-Identifier: BSD-2-Clause
// Causes that lie with the owner: the kernel, the accept queue, nobody, a dying or stopped process.
#include <algorithm>

#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using model::Operation;
using model::RunState;

TEST(KernelSocket, AccusesNobody) {
    Builder b;
    model::Socket& socket = b.socket({});
    socket.kernel_owned = true;
    socket.role = model::Role::kClient;
    EXPECT_EQ(gist(b.diagnose()), "kernel-socket proven -");
}

TEST(KernelSocket, OfTheKernelsOwnListenerIsProven) {
    Builder b;
    b.listener({});
    b.socket({}).kernel_owned = true;
    EXPECT_EQ(gist(b.diagnose()), "kernel-socket proven -");
}

TEST(KernelSocket, WithoutAnyListenerIsPossibleOnceItHasStayedSo) {
    Builder b;
    b.socket({}).kernel_owned = true;
    EXPECT_EQ(gist(b.diagnose()), "kernel-socket possible -");
    b.census.sockets.front().held_since_ns = b.census.taken_ns - 900'000'000;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

TEST(KernelSocket, WhereAProgramListensMayWaitToBeAccepted) {
    Builder b;
    b.listener({{b.process(10, {in_accept(10)}), 3}});
    b.socket({}).kernel_owned = true;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
    EXPECT_TRUE(says(b.diagnose(), "listener of Multipath TCP"));
}

TEST(KernelSocket, OfMultipathTcpBelongsToAProgram) {
    Builder b;
    model::Socket& socket = b.socket({});
    socket.kernel_owned = socket.multipath = true;
    socket.role = model::Role::kClient;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

TEST(KernelSocket, WithAHolderIsAProgramsSocket) {
    Builder b;
    b.socket({{b.process(10, {in_accept(10)})}}).kernel_owned = true;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
}

struct AcceptQueue : testing::Test {
    Builder b;

    void queue(const std::vector<Hold>& owners) {
        b.listener(owners);
        b.socket({});
        b.census.sockets.front().has_file = false;
        b.census.sockets.front().listener = 0;
    }
};

TEST_F(AcceptQueue, NamesTheOnlyThreadOfTheOwner) {
    queue({{b.process(10, {asleep(10, SYS_futex)}), 3}});
    b.census.processes[0].fds_used = 1023;
    b.census.processes[0].fd_limit = 1024;
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/10 acceptor");
    EXPECT_TRUE(says(diagnosis, "(128 of 128)"));
    EXPECT_TRUE(says(diagnosis, "uses 1023 of 1024 descriptors"));
}

TEST_F(AcceptQueue, OfMultipathTcpIsNotTheKernels) {
    queue({{b.process(10, {asleep(10, SYS_futex)}), 3}});
    b.census.sockets.front().kernel_owned = true;
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

TEST(Multipath, WhatTheKernelReadAccusesNoProgram) {
    Builder b;
    model::Socket& socket = b.socket({{b.process(10, {asleep(10, SYS_futex)})}});
    socket.kernel_owned = socket.multipath = socket.fin_consumed = true;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "Multipath TCP"));
}

TEST_F(AcceptQueue, AnOwnerOutOfDescriptorsCannotAccept) {
    queue({{b.process(10, {running(10)}), 3}});
    b.census.processes[0].fds_used = 1024;
    b.census.processes[0].fd_limit = 1024;
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely 10/10 acceptor");
    EXPECT_TRUE(says(b.diagnose(), "has 1024 descriptors open and may have 1024, so accept() fails"));
    b.census.processes[0].fd_limit.reset();
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/10 acceptor");
}

TEST_F(AcceptQueue, NamesTheOnlyThreadThatAcceptsOnThisListener) {
    queue({{b.process(10, {asleep(10, SYS_futex), asleep(11, SYS_accept4, 3), asleep(12, SYS_accept4, 4)}),
            3}});
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/11 acceptor");
}

TEST_F(AcceptQueue, GuessesNoThread) {
    queue({{b.process(10, {asleep(10, SYS_futex), asleep(11, SYS_futex)}), 3}});
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/- process");
    EXPECT_TRUE(fact(b.diagnose(), "thread_unknown"));
}

TEST_F(AcceptQueue, GuessesNoProcess) {
    const auto master = b.process(10, {asleep(10, SYS_futex)});
    queue({{master, 3}, {b.process(20, {in_accept(20)}), 3}});
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven -");
    EXPECT_TRUE(says(b.diagnose(), "several processes share the listener"));
}

TEST_F(AcceptQueue, WhatEachOfSeveralOwnersDoesIsEvidence) {
    const auto master = b.process(10, {asleep(10, SYS_futex)});
    queue({{master, 3},
           {b.process(20, {asleep(20, SYS_clock_nanosleep), asleep(21, SYS_futex)}), 3},
           {b.process(30, {in_accept(30)}), 3},
           {b.process(40, {}), 3}});
    b.census.processes[1].fds_used = 17;
    b.census.processes[1].fd_limit = 1024;
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven -");
    EXPECT_TRUE(says(diagnosis, "p10 (pid 10): its only thread sleeps in futex"));
    EXPECT_TRUE(says(diagnosis,
                     "p20 (pid 20): 2 live threads, none of them in accept() on it (census); it uses 17 "
                     "of 1024 descriptors"));
    EXPECT_TRUE(says(diagnosis, "p30 (pid 30): 1 of its 1 thread in accept() on it"));
    EXPECT_TRUE(says(diagnosis, "p40 (pid 40): its threads could not be read"));
    EXPECT_TRUE(says(diagnosis, "is held by 4 processes, which share it"));
    EXPECT_FALSE(fact(diagnosis, "more_share_listener"));
}

TEST_F(AcceptQueue, OfManyOwnersEightAreShown) {
    std::vector<Hold> owners;
    for (std::uint32_t pid = 10; pid < 40; ++pid)
        owners.push_back({b.process(pid, {asleep(pid, SYS_futex)}), 3});
    queue(owners);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(std::ranges::count(diagnosis.evidence, "shares_listener", &diagnose::Evidence::fact), 8);
    EXPECT_TRUE(says(diagnosis, "and 22 more processes share it"));
}

TEST_F(AcceptQueue, EveryOneOfSeveralOwnersIsStopped) {
    queue({{b.process(10, {in_state(10, RunState::kStopped)}), 3},
           {b.process(20, {in_state(20, RunState::kStopped)}), 3}});
    EXPECT_TRUE(says(b.diagnose(), "because every one of the 2 processes that share it is stopped"));
}

TEST_F(AcceptQueue, EveryOneOfSeveralOwnersIsOutOfDescriptors) {
    queue({{b.process(10, {in_accept(10)}), 3}, {b.process(20, {in_accept(20)}), 3}});
    for (model::Process& owner : b.census.processes) owner.fds_used = owner.fd_limit = 64;
    EXPECT_EQ(gist(b.diagnose()), "fd-limit likely -");
    EXPECT_TRUE(says(b.diagnose(),
                     "every one of the 2 processes that share it has as many descriptors open as it "
                     "may"));
    b.census.processes[1].fds_used = 63;
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven -");
}

TEST_F(AcceptQueue, OwnerNotVisible) {
    queue({});
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven -");
    EXPECT_TRUE(says(b.diagnose(), "held by no process here"));
}

TEST_F(AcceptQueue, SaysThatTheOwnerIsStopped) {
    queue({{b.process(10, {in_state(10, RunState::kTraced, 991)}), 3}});
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "never-accepted proven 10/10 acceptor");
    EXPECT_TRUE(says(diagnosis, "because its owner p10 is stopped (traced by 991)"));
}

TEST_F(AcceptQueue, OneStoppedThreadOfTwoStopsNobody) {
    queue({{b.process(10, {in_state(10, RunState::kStopped), asleep(11, SYS_futex)}), 3}});
    EXPECT_FALSE(fact(b.diagnose(), "owner_state"));
}

TEST_F(AcceptQueue, OwnerThatWentAwayMeanwhile) {
    queue({{b.process(10, {}), 3}});
    EXPECT_EQ(gist(b.diagnose()), "never-accepted proven 10/- process");
}

TEST_F(AcceptQueue, WithoutItsListenerIsUnknown) {
    queue({{b.process(10, {in_accept(10)}), 3}});
    b.census.sockets.front().listener = model::kNone;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
    b.census.sockets.front().listener = 7;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

TEST_F(AcceptQueue, AHolderMeansItWasAccepted) {
    const auto p = b.process(10, {in_accept(10)});
    b.listener({{p, 3}});
    auto& socket = b.socket({{p}});
    socket.has_file = false;
    socket.listener = 0;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
}

TEST(WithoutHolder, IsPossiblyInFlightWithTheReferences) {
    Builder b;
    auto& socket = b.socket({});
    socket.file_references = 1;
    socket.away_before = true;
    touches(socket).let_go = deed(10, 10, kFin, Operation::kNone, 5);
    const auto diagnosis = b.diagnose();
    EXPECT_EQ(gist(diagnosis), "in-flight-fd possible -");
    EXPECT_TRUE(says(diagnosis, "its file has 1 reference,"));
    EXPECT_TRUE(says(diagnosis, "closed its copy"));
}

TEST(Exiting, EveryThreadIsOnItsWayOut) {
    Builder b;
    auto stuck = in_state(11, RunState::kDiskSleep);
    stuck.exiting = true;
    b.socket({{b.process(10, {in_state(10, RunState::kZombie), stuck})}});
    EXPECT_EQ(gist(b.diagnose()), "exiting proven 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "stuck in disk sleep"));
}

TEST(Exiting, NotWhileOneThreadLives) {
    Builder b;
    b.socket({{b.process(10, {in_state(10, RunState::kZombie), in_accept(11)})}});
    EXPECT_NE(b.diagnose().cause, diagnose::Cause::kExiting);
}

TEST(Exiting, NotWhenAnotherHolderLives) {
    Builder b;
    const auto zombie = b.process(10, {in_state(10, RunState::kZombie)});
    const auto alive = b.process(20, {in_accept(20)});
    touches(b.socket({{zombie}, {alive}})).opened = deed(20, 20, kOpened, Operation::kAccept);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 20/20 opened");
}

TEST(Stopped, EveryThread) {
    Builder b;
    b.socket({{b.process(10, {in_state(10, RunState::kTraced, 991), in_state(11, RunState::kStopped)})}});
    EXPECT_EQ(gist(b.diagnose()), "stopped proven 10/- process");
    EXPECT_TRUE(says(b.diagnose(), "traced by 991"));
    EXPECT_NE(b.diagnose().advice.find("SIGCONT"), std::string::npos);
}

TEST(Stopped, ZombiesDoNotCount) {
    Builder b;
    b.socket({{b.process(10, {in_state(10, RunState::kZombie), in_state(11, RunState::kFrozen)})}});
    EXPECT_EQ(gist(b.diagnose()), "stopped proven 10/- process");
}

TEST(Stopped, TheResponsibleOneOfTwoProcesses) {
    Builder b;
    const auto p = b.process(10, {in_state(10, RunState::kStopped)});
    const auto q = b.process(20, {in_accept(20)});
    auto& socket = b.socket({{p}, {q}});
    touches(socket).opened = deed(10, 10, kOpened, Operation::kAccept);
    EXPECT_EQ(gist(b.diagnose()), "stopped proven 10/10 opened");
    touches(socket).last = deed(20, 20, kOpened, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 20/20 last-touch");
}

TEST(Stopped, OnlyTheThreadThatReadIt) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), in_state(11, RunState::kTraced, 991)});
    auto& socket = b.socket({{p}});
    touches(socket).opened = deed(10, 11, kOpened, Operation::kAccept);
    EXPECT_NE(b.diagnose().cause, diagnose::Cause::kStopped);
    touches(socket).last = deed(10, 11, kOpened, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "stopped likely 10/11 last-touch");
}

TEST(Stopped, NotBecauseAnotherThreadIs) {
    Builder b;
    const auto p = b.process(10, {in_accept(10), in_state(11, RunState::kStopped)});
    touches(b.socket({{p}})).last = deed(10, 10, kOpened, Operation::kRead);
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/- process") << "it may have been handed to that one";
}

TEST(Vanished, ProcessWithoutThreadsIsNeverGuessedAbout) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {})}});
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/- process");
    socket.fin_consumed = true;
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kUnknown);
    read_eof(socket, deed(10, 10, kFin + kSec, Operation::kRead));
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/- process");
}

}  // namespace
}  // namespace waitclose::test
