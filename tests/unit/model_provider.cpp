// SPDX-License-Identifier: BSD-2-Clause
#include "model/provider.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "diagnose/chain.h"
#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using model::Answer;
using model::ChainEnd;
using model::FileKind;
using model::Question;
using model::Thread;

/// Sleeps since before the census in read() on fd 12, the other end of which has this number.
Thread reads(std::uint32_t tid, std::uint64_t other_end, FileKind kind = FileKind::kPipe) {
    Thread thread = asleep(tid, SYS_read, 12);
    thread.asleep_since_ns = kTaken - 2 * kSec;
    thread.file = model::FileFact{kind, "", 77, "", other_end};
    return thread;
}

Thread waits_for_child(std::uint32_t tid, std::int32_t pid = -1) {
    Thread thread = asleep(tid, SYS_wait4, static_cast<std::uint32_t>(pid));
    thread.asleep_since_ns = kTaken - 2 * kSec;
    return thread;
}

/// A census with answers, whose first process is that of the waiting thread.
struct Scene : Builder {
    Answer& answer(std::uint64_t other_end, std::int32_t process, std::int32_t fd = 5) {
        Answer made;
        made.question = {Question::Kind::kFile, other_end};
        made.process = process;
        made.pid = process == model::kNone ? 999 : census.processes[static_cast<std::size_t>(process)].pid;
        made.start_ns = kBooted;
        made.fd = fd;
        made.file = other_end * 1000;
        made.references = 1;
        census.answers.push_back(made);
        return census.answers.back();
    }
    Answer& child(std::uint32_t parent, std::int32_t process) {
        Answer& made = answer(parent, process, -1);
        made.question.kind = Question::Kind::kChildren;
        return made;
    }
    model::Steps follow() {
        std::ranges::stable_sort(census.answers, Answer::precedes);
        return model::follow_waits(census, census.processes[0], census.threads[0]);
    }
    model::Provider provider() { return follow().steps.front().next; }
    std::string detail() {
        std::ranges::stable_sort(census.answers, Answer::precedes);
        return diagnose::chain_from(census, census.processes[0], census.threads[0]).links.front().detail;
    }
};

/// Two processes of one thread, the first of which reads what the second would write.
Scene pair() {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    scene.process(8, {asleep(8, SYS_clock_nanosleep)});
    scene.answer(1, 1);
    return scene;
}

TEST(ProviderOf, TheOnlyThreadAtTheOtherEnd) {
    Scene scene = pair();
    const auto chain = scene.follow();
    ASSERT_EQ(chain.steps.size(), 2U);
    EXPECT_EQ(chain.steps[1].thread->tid, 8U);
    EXPECT_TRUE(chain.steps[0].next.only);
    EXPECT_EQ(chain.end, ChainEnd::kWaitsForNobody);
    EXPECT_NE(scene.detail().find("p8 (pid 8)"), std::string::npos);
}

TEST(ProviderOf, NobodyWhoWasNotAskedFor) {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    EXPECT_EQ(scene.provider().processes, 0U);
    EXPECT_EQ(scene.detail(), "read(fd 12)");
}

TEST(ProviderOf, OfSeveralProcessesNone) {
    Scene scene = pair();
    scene.process(9, {asleep(9, SYS_clock_nanosleep)});
    scene.answer(1, 2);
    EXPECT_EQ(scene.follow().steps.size(), 1U);
    EXPECT_EQ(scene.provider().processes, 2U);
    EXPECT_NE(scene.detail().find("2 processes"), std::string::npos);
}

TEST(ProviderOf, WhoeverIsOnTheSameSideOfAPipeProvidesNothing) {
    Scene scene = pair();
    scene.process(9, {asleep(9, SYS_clock_nanosleep)});
    scene.answer(1, 2).writes = false;
    ASSERT_NE(scene.provider().thread, nullptr);
    EXPECT_EQ(scene.provider().thread->tid, 8U);
    scene.census.threads[0].syscall = SYS_write;
    EXPECT_EQ(scene.provider().processes, 2U) << "a full pipe waits for its readers, and 8 is one as well";
}

TEST(ProviderOf, AnOpenFileThatWasNotFoundMayBeAnybodys) {
    Scene scene = pair();
    scene.census.answers[0].writers = 2;
    EXPECT_TRUE(scene.provider().hidden);
    EXPECT_EQ(scene.provider().thread, nullptr);
    EXPECT_NE(scene.detail().find("could not be found"), std::string::npos);
}

TEST(ProviderOf, AFurtherReferenceProvesNothing) {
    Scene scene = pair();
    scene.census.answers[0].references = 2;
    EXPECT_NE(scene.provider().thread, nullptr);
    EXPECT_FALSE(scene.provider().only) << "in a message, an io_uring, or where nobody can look";
}

TEST(ProviderOf, AProcessOfSeveralThreads) {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    scene.process(8, {asleep(8, SYS_clock_nanosleep), asleep(81, SYS_clock_nanosleep)});
    scene.answer(1, 1);
    EXPECT_EQ(scene.provider().thread, nullptr);
    EXPECT_NE(scene.detail().find("one of 2 threads"), std::string::npos);
    scene.census.threads[2] = reads(81, 2);
    scene.census.threads[2].arguments[0] = 5;
    ASSERT_NE(scene.provider().thread, nullptr) << "it sleeps on that very descriptor";
    EXPECT_EQ(scene.provider().thread->tid, 81U);
    EXPECT_FALSE(scene.provider().only) << "the other could do it, too";
}

TEST(ProviderOf, InAProcessOfVeryManyThreadsNobodyIsLookedFor) {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    std::vector<Thread> threads(5000, running(8));
    threads[0] = reads(80, 2);
    threads[0].arguments[0] = 5;
    scene.process(8, threads);
    scene.answer(1, 1);
    EXPECT_EQ(scene.provider().thread, nullptr);
    EXPECT_NE(scene.detail().find("one of 5000 threads"), std::string::npos);
}

TEST(ProviderOf, WhoTouchedItLastHandlesIt) {
    Scene scene;
    scene.process(7, {reads(7, 1, FileKind::kTcp)});
    scene.process(8, {asleep(8, SYS_clock_nanosleep), asleep(81, SYS_clock_nanosleep)});
    scene.answer(1, 1).last_touch = model::Actor{kBooted, 8, 81, {}};
    ASSERT_NE(scene.provider().thread, nullptr);
    EXPECT_EQ(scene.provider().thread->tid, 81U);
    scene.census.answers[0].last_touch->start_ns = kBooted + 1;
    EXPECT_EQ(scene.provider().thread, nullptr) << "a thread that has gone, whose id another one has";
}

TEST(ProviderOf, AProcessWhoseThreadsWereNotRead) {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    scene.answer(1, model::kNone);
    EXPECT_EQ(scene.follow().steps.size(), 1U);
    EXPECT_NE(scene.detail().find("pid 999"), std::string::npos);
}

TEST(ProviderOf, AReusedPidIsAnotherProcess) {
    Scene scene = pair();
    Answer other = scene.census.answers[0];
    other.start_ns = kBooted + kSec;
    other.process = model::kNone;
    scene.census.answers.push_back(other);
    EXPECT_EQ(scene.provider().processes, 2U);
    EXPECT_EQ(scene.follow().steps.size(), 1U);
}

TEST(ProviderOf, AThreadCannotFeedItself) {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    scene.answer(1, 0);
    EXPECT_EQ(scene.provider().processes, 0U) << "a signal handler might, but nobody else";
    EXPECT_FALSE(scene.follow().deadlock);
}

TEST(ProviderOf, AnotherThreadOfTheSameProcess) {
    Scene scene;
    scene.process(7, {reads(7, 1), asleep(70, SYS_clock_nanosleep)});
    scene.answer(1, 0);
    ASSERT_NE(scene.provider().thread, nullptr);
    EXPECT_EQ(scene.provider().thread->tid, 70U);
}

TEST(ProviderOf, WhoIsStoppedWaitsForSomethingElse) {
    Scene scene = pair();
    scene.census.threads[0].state = model::RunState::kStopped;
    EXPECT_EQ(scene.provider().processes, 0U);
}

TEST(ProviderOf, TheOnlyChild) {
    Scene scene;
    scene.process(7, {waits_for_child(7)});
    scene.process(8, {asleep(8, SYS_clock_nanosleep)});
    scene.child(7, 1);
    ASSERT_NE(scene.provider().thread, nullptr);
    EXPECT_EQ(scene.provider().thread->tid, 8U);
    EXPECT_NE(scene.detail().find("child: p8 (pid 8)"), std::string::npos);
}

Scene with_two_children(Thread parent) {
    Scene scene;
    scene.process(7, {std::move(parent)});
    scene.process(8, {asleep(8, SYS_clock_nanosleep)});
    scene.process(9, {asleep(9, SYS_clock_nanosleep)});
    scene.child(7, 1);
    scene.child(7, 2);
    return scene;
}

TEST(ProviderOf, AnyOfSeveralChildrenIsNone) {
    Scene scene = with_two_children(waits_for_child(7));
    EXPECT_EQ(scene.provider().thread, nullptr);
    EXPECT_NE(scene.detail().find("any of 2 children"), std::string::npos);
}

TEST(ProviderOf, TheChildThatIsNamed) {
    Scene scene = with_two_children(waits_for_child(7, 9));
    ASSERT_NE(scene.provider().thread, nullptr);
    EXPECT_EQ(scene.provider().thread->tid, 9U);
    scene.census.threads[0] = asleep(7, SYS_waitid, P_PID, 8);
    EXPECT_EQ(scene.provider().thread->tid, 8U);
    scene.census.threads[0].foreign_ids = true;
    EXPECT_EQ(scene.provider().thread, nullptr) << "8 is somebody else's number in its PID namespace";
}

TEST(ProviderOf, AProcessGroupMayBeAnyOfSeveral) {
    Scene scene = with_two_children(waits_for_child(7, -30));
    EXPECT_EQ(scene.provider().thread, nullptr);
}

TEST(ProviderOf, AChildOfSeveralThreadsHasNoOneThreadThatEndsIt) {
    Scene scene;
    scene.process(7, {waits_for_child(7)});
    scene.process(8, {asleep(8, SYS_clock_nanosleep), asleep(81, SYS_clock_nanosleep)});
    scene.child(7, 1);
    EXPECT_EQ(scene.provider().thread, nullptr);
    EXPECT_NE(scene.detail().find("one of 2 threads"), std::string::npos);
}

/// 7 reads what 8 would write, and the other way round.
Scene circle() {
    Scene scene;
    scene.process(7, {reads(7, 1)});
    scene.process(8, {reads(8, 2)});
    scene.answer(1, 1);
    scene.answer(2, 0);
    return scene;
}

TEST(FollowWaits, ACircleOfTwoProcesses) {
    Scene scene = circle();
    const auto chain = scene.follow();
    EXPECT_EQ(chain.end, ChainEnd::kReturns);
    EXPECT_TRUE(chain.deadlock);
    EXPECT_EQ(chain.steps.size(), 2U);
}

TEST(FollowWaits, ACircleThatSomebodyElseCouldBreakIsNoDeadlock) {
    Scene scene = circle();
    scene.census.answers[1].references = 2;
    EXPECT_EQ(scene.follow().end, ChainEnd::kReturns);
    EXPECT_FALSE(scene.follow().deadlock);
    Scene nested = circle();
    nested.census.nested = true;
    EXPECT_FALSE(nested.follow().deadlock) << "outside this PID namespace nobody can be seen";
}

TEST(FollowWaits, ACircleThatMayHaveClosedOnlyBetweenTwoLooksIsNoDeadlock) {
    Scene scene = circle();
    scene.census.threads[1].asleep_since_ns = kTaken + kMs;
    EXPECT_FALSE(scene.follow().deadlock);
    scene.census.threads[1].asleep_since_ns.reset();
    EXPECT_FALSE(scene.follow().deadlock);
}

TEST(FollowWaits, ACircleThatIsWaitedForFromOutside) {
    Scene scene;
    scene.process(6, {reads(6, 3)});
    scene.process(7, {reads(7, 1)});
    scene.process(8, {reads(8, 2)});
    scene.answer(3, 1);
    scene.answer(1, 2);
    scene.answer(2, 1);
    const auto chain = scene.follow();
    EXPECT_TRUE(chain.deadlock);
    EXPECT_EQ(chain.steps.size(), 3U);
    EXPECT_EQ(chain.returns_to, 1U);
}

TEST(FollowWaits, StopsAfterEight) {
    Scene scene;
    for (std::uint32_t i = 0; i < 12; ++i) {
        scene.process(100 + i, {reads(100 + i, i + 1)});
        scene.answer(i + 1, static_cast<std::int32_t>(std::min(i + 1, 11U)));
    }
    const auto chain = scene.follow();
    EXPECT_EQ(chain.steps.size(), 8U);
    EXPECT_EQ(chain.end, ChainEnd::kTooLong);
    EXPECT_FALSE(chain.deadlock);
}

}  // namespace
}  // namespace waitclose::test
