// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/chain.h"
#include "diagnose/roster.h"
#include "diagnose/wait.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <gtest/gtest.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::WaitClass;
using model::FileKind;
using model::Thread;

Thread reading(FileKind kind, std::uint32_t number = SYS_read) {
    Thread thread = asleep(1, number, 12);
    thread.file = model::FileFact{kind, "", 77, ""};
    return thread;
}

WaitClass class_of(const Thread& thread) {
    return diagnose::wait_of(thread).what;
}

TEST(WaitOf, TheSystemCall) {
    EXPECT_EQ(class_of(asleep(1, SYS_clock_nanosleep)), WaitClass::kSleep);
    EXPECT_EQ(class_of(asleep(1, SYS_wait4)), WaitClass::kChild);
    EXPECT_EQ(class_of(asleep(1, SYS_futex)), WaitClass::kLock);
    EXPECT_EQ(class_of(asleep(1, SYS_epoll_pwait)), WaitClass::kEventLoop);
    EXPECT_EQ(class_of(in_accept(1)), WaitClass::kEventLoop);
    EXPECT_EQ(class_of(asleep(1, SYS_fdatasync, 12)), WaitClass::kDisk);
    EXPECT_EQ(class_of(asleep(1, 999'999)), WaitClass::kOther);
    EXPECT_EQ(class_of(running(1)), WaitClass::kNothing);
}

TEST(WaitOf, TheFileBehindTheDescriptor) {
    EXPECT_EQ(class_of(reading(FileKind::kRegular)), WaitClass::kDisk);
    EXPECT_EQ(class_of(reading(FileKind::kPipe)), WaitClass::kPipe);
    EXPECT_EQ(class_of(reading(FileKind::kUnix)), WaitClass::kPipe);
    EXPECT_EQ(class_of(reading(FileKind::kTcp)), WaitClass::kDownstream);
    EXPECT_EQ(class_of(asleep(1, SYS_read, 12)), WaitClass::kOther) << "a file nobody could look at";
}

TEST(WaitOf, TheSchedulerKnowsADiskFromAnythingElse) {
    Thread thread = asleep(1, SYS_openat);
    thread.in_iowait = true;
    EXPECT_EQ(class_of(thread), WaitClass::kDisk);
}

TEST(WaitOf, NamesWhatItWaitsFor) {
    Thread thread = reading(FileKind::kTcp);
    thread.file->remote = "10.0.0.9:443";
    EXPECT_EQ(diagnose::wait_of(thread).detail, "read(fd 12, 10.0.0.9:443)");
    thread = reading(FileKind::kRegular, SYS_write);
    thread.file->name = "/var/log/audit.log";
    EXPECT_EQ(diagnose::wait_of(thread).detail, "write(fd 12, /var/log/audit.log)");
}

TEST(WaitOf, APollOfOneConnectionThatThisSideOpenedIsNoWaitForWork) {
    Thread thread = asleep(1, kPoll, 0x7ffc00001000, 1, 30'000);
    EXPECT_EQ(class_of(thread), WaitClass::kEventLoop);
    EXPECT_FALSE(diagnose::is_at_work(thread));
    thread.polled = model::Polled{.fd = 9, .writes = false, .timeout_ns = 30 * kSec};
    thread.file = model::FileFact{FileKind::kTcp, "", 77, "10.0.0.9:443"};
    EXPECT_EQ(class_of(thread), WaitClass::kDownstream);
    EXPECT_TRUE(diagnose::is_at_work(thread));
    EXPECT_NE(diagnose::wait_of(thread).detail.find("(fd 9, 10.0.0.9:443, timeout 30 s)"), std::string::npos)
        << diagnose::wait_of(thread).detail;
}

/// Waits for a mutex that the other one holds.
Thread locked(std::uint32_t tid, std::uint32_t owner) {
    Thread thread = asleep(tid, SYS_futex, 0x7f0012340000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2);
    thread.lock_owner_tid = owner;
    thread.asleep_since_ns = kTaken - 2 * kSec;
    return thread;
}

TEST(ChainFrom, GoesFromLockToOwner) {
    Builder scene;
    scene.process(7, {locked(7, 8), asleep(8, SYS_fdatasync, 12)});
    const auto chain = diagnose::chain_from(scene.census, scene.census.processes[0], scene.census.threads[0]);
    ASSERT_EQ(chain.links.size(), 2U);
    EXPECT_FALSE(chain.returns);
    EXPECT_EQ(chain.links[0].waits_for, "lock");
    EXPECT_EQ(chain.links[0].for_ns, 2 * kSec);
    ASSERT_TRUE(chain.links[0].on);
    EXPECT_EQ(chain.links[0].on->tid, 8U);
    EXPECT_EQ(chain.links[1].waits_for, "disk");
    EXPECT_FALSE(chain.links[1].on);
    EXPECT_FALSE(chain.links[1].for_ns) << "since when is not known";
}

TEST(ChainFrom, NoticesACircle) {
    Builder scene;
    scene.process(7, {locked(7, 8), locked(8, 9), locked(9, 8)});
    const auto chain = diagnose::chain_from(scene.census, scene.census.processes[0], scene.census.threads[0]);
    EXPECT_TRUE(chain.returns);
    EXPECT_EQ(chain.links.size(), 3U);
}

TEST(ChainFrom, EndsAtAnOwnerThatHasGoneAndAfterEightLinks) {
    Builder gone;
    gone.process(7, {locked(7, 99)});
    EXPECT_EQ(
        diagnose::chain_from(gone.census, gone.census.processes[0], gone.census.threads[0]).links.size(), 1U);
    Builder many;
    std::vector<Thread> threads;
    for (std::uint32_t tid = 1; tid < 20; ++tid) threads.push_back(locked(tid, tid + 1));
    many.process(1, threads);
    const auto chain = diagnose::chain_from(many.census, many.census.processes[0], many.census.threads[0]);
    EXPECT_EQ(chain.links.size(), 8U);
    EXPECT_FALSE(chain.returns);
}

/// A handler that read the request at 980 s and sleeps since; the FIN came at 990 s.
Builder handled_by(Thread handler, std::uint64_t asleep_since_ns = 980 * kSec) {
    handler.asleep_since_ns = asleep_since_ns;
    Builder scene;
    scene.process(7, {in_accept(7), std::move(handler)});
    touches(scene.socket({{0}})).last = deed(7, 8, 980 * kSec, model::Operation::kRead);
    return scene;
}

Thread waiting_for_service() {
    Thread handler = asleep(8, SYS_recvfrom, 12);
    handler.file = model::FileFact{FileKind::kTcp, "", 77, "10.0.0.9:443"};
    handler.kernel_stack = std::make_shared<const std::vector<std::string>>(
        std::vector<std::string>{"wait_woken", "sk_wait_data", "tcp_recvmsg_locked", "tcp_recvmsg"});
    return handler;
}

TEST(HandlerBlocked, IsNeverProvenAlsoOfAProcessOfOneThread) {
    const auto diagnosis = handled_by(waiting_for_service()).diagnose();
    EXPECT_EQ(gist(diagnosis), "handler-blocked likely 7/8 last-touch");
    Thread only = waiting_for_service();
    only.asleep_since_ns = 980 * kSec;
    Builder alone;
    alone.process(7, {only});
    touches(alone.socket({{0}})).last = deed(7, 8, 980 * kSec, model::Operation::kRead);
    EXPECT_EQ(gist(alone.diagnose()), "handler-blocked likely 7/8 last-touch");
    ASSERT_EQ(diagnosis.because.size(), 1U);
    EXPECT_EQ(diagnosis.because[0].waits_for, "downstream");
    EXPECT_TRUE(says(diagnosis, "10.0.0.9:443"));
    EXPECT_TRUE(fact(diagnosis, "asleep_before_fin"));
}

TEST(HandlerBlocked, WithoutAKernelStackTheClassIsInferred) {
    Thread handler = waiting_for_service();
    handler.kernel_stack.reset();
    EXPECT_EQ(gist(handled_by(handler).diagnose()), "handler-blocked likely 7/8 last-touch")
        << "a page fault inside of the read looks the same";
}

TEST(HandlerBlocked, ASleepThatBeganMuchLaterIsOtherWork) {
    EXPECT_NE(handled_by(waiting_for_service(), 985 * kSec).diagnose().cause,
              diagnose::Cause::kHandlerBlocked);
    EXPECT_NE(handled_by(waiting_for_service(), 970 * kSec).diagnose().cause,
              diagnose::Cause::kHandlerBlocked)
        << "it cannot have slept when it read";
}

TEST(HandlerBlocked, AThreadAtWorkThatWasSeenWithNothingMayHaveBeenGivenIt) {
    Builder scene = handled_by(waiting_for_service());
    scene.census.threads.push_back(asleep(9, SYS_clock_nanosleep));
    scene.census.processes[0].thread_count = 3;
    EXPECT_EQ(gist(scene.diagnose()), "handler-blocked possible 7/8 last-touch");
    touches(scene.socket({{0, 6}})).last = deed(7, 9, 980 * kSec, model::Operation::kRead);
    EXPECT_EQ(gist(scene.diagnose()), "handler-blocked likely 7/8 last-touch")
        << "it has a connection of its own";
}

TEST(HandlerBlocked, NotAClientNorWhoWaitsForAnotherClient) {
    Builder pool = handled_by(waiting_for_service());
    pool.census.sockets.front().role = model::Role::kClient;
    EXPECT_NE(pool.diagnose().cause, diagnose::Cause::kHandlerBlocked);
    Thread handler = waiting_for_service();
    handler.file->local_port = 8080;
    EXPECT_NE(handled_by(handler).diagnose().cause, diagnose::Cause::kHandlerBlocked);
}

TEST(HandlerBlocked, WhoReadTheEndLongAgoMayHaveForgotten) {
    Builder scene = handled_by(waiting_for_service(), kTaken - 15 * kSec);
    scene.census.sockets.front().held_since_ns = kTaken - 16 * kSec;
    read_eof(scene.census.sockets.front(), deed(7, 8, kTaken - 15 * kSec, model::Operation::kRead));
    EXPECT_EQ(gist(scene.diagnose()), "handler-blocked possible 7/8 read-eof");
}

TEST(HandlerBlocked, WhoWaitsForWorkIsNotBlocked) {
    EXPECT_NE(handled_by(asleep(8, SYS_epoll_pwait, 5)).diagnose().cause, diagnose::Cause::kHandlerBlocked);
    EXPECT_NE(handled_by(asleep(8, SYS_futex)).diagnose().cause, diagnose::Cause::kHandlerBlocked)
        << "a condition variable may be that of an idle worker";
}

TEST(HandlerBlocked, APauseJustAfterTheFinMayHaveBegunBefore) {
    constexpr std::uint64_t kAsleep = 980 * kSec + 5 * kMs;  // the deed was at 980 s
    const auto with_fin_at = [&](std::uint64_t fin_ns) {
        Builder scene = handled_by(asleep(8, SYS_clock_nanosleep), kAsleep);
        scene.census.sockets.front().held_since_ns = fin_ns;
        return gist(scene.diagnose());
    };
    EXPECT_EQ(with_fin_at(kAsleep), "handler-blocked likely 7/8 last-touch");
    EXPECT_EQ(with_fin_at(kAsleep - kMs), "handler-blocked likely 7/8 last-touch");
    EXPECT_EQ(with_fin_at(kAsleep - kMs - 1), "unknown possible 7/8 last-touch");
    EXPECT_EQ(with_fin_at(980 * kSec), "unknown possible 7/8 last-touch") << "it was awake after the FIN";
}

TEST(HandlerBlocked, TheSummaryNamesTheEndOfTheChain) {
    Builder scene = handled_by(locked(8, 9));
    Thread auditor = asleep(9, SYS_read, 12);
    auditor.file = model::FileFact{FileKind::kTcp, "", 77, "10.0.0.9:443", 1};
    scene.census.threads.push_back(auditor);
    scene.census.processes[0].thread_count = 3;
    Thread service = asleep(20, SYS_fdatasync, 4);
    service.file = model::FileFact{FileKind::kRegular, "/var/log/audit.log", 78, ""};
    service.asleep_since_ns = kTaken - 3 * kSec;
    model::Answer end;
    end.question.id = 1;
    end.pid = 20;
    end.start_ns = kBooted;
    end.process = static_cast<std::int32_t>(scene.process(20, {service}));
    scene.census.answers.push_back(end);
    const auto diagnosis = scene.diagnose();
    EXPECT_EQ(gist(diagnosis), "handler-blocked likely 7/8 last-touch");
    EXPECT_EQ(diagnosis.because.size(), 3U);
    EXPECT_TRUE(says(diagnosis,
                     "it waits for t9, which waits for t20 (pid 20), which is in fdatasync(fd 4, "
                     "/var/log/audit.log) for 3.0 s"))
        << diagnosis.summary;
}

TEST(HandlerBlocked, WhoHasAnsweredMayBeIdle) {
    Thread handler = asleep(8, SYS_read, 12);
    handler.file = model::FileFact{FileKind::kPipe, "", 77, ""};
    Builder queue = handled_by(handler);
    EXPECT_EQ(gist(queue.diagnose()), "handler-blocked likely 7/8 last-touch");
    touches(queue.census.sockets[0]).last->operation = model::Operation::kWrite;
    EXPECT_NE(queue.diagnose().cause, diagnose::Cause::kHandlerBlocked) << "at its queue";
    Builder broker = handled_by(waiting_for_service());
    touches(broker.census.sockets[0]).last->operation = model::Operation::kWrite;
    EXPECT_EQ(gist(broker.diagnose()), "handler-blocked likely 7/8 last-touch");
}

TEST(HandlerBlocked, AtAPipeThatItsOwnProcessFillsIsLikely) {
    Thread handler = asleep(8, SYS_read, 12);
    handler.file = model::FileFact{FileKind::kPipe, "", 77, "", 1};
    Builder scene = handled_by(handler);
    model::Answer own;
    own.question.id = 1;
    own.pid = 7;
    own.start_ns = kBooted;
    own.process = 0;
    scene.census.answers.push_back(own);
    EXPECT_EQ(gist(scene.diagnose()), "handler-blocked likely 7/8 last-touch");
}

TEST(HandlerBlocked, WithoutADeedNobodyIsTheHandler) {
    Builder scene;
    Thread only = waiting_for_service();
    only.asleep_since_ns = 980 * kSec;
    scene.process(8, {only});
    scene.socket({{0}});
    EXPECT_NE(scene.diagnose().cause, diagnose::Cause::kHandlerBlocked);
}

TEST(HandlerBlocked, ByALockIsLikelyAndACircleIsADeadlock) {
    Builder scene = handled_by(locked(8, 9));
    EXPECT_EQ(gist(scene.diagnose()), "handler-blocked likely 7/8 last-touch");
    Builder circle;
    Thread handler = locked(8, 9);
    handler.asleep_since_ns = 980 * kSec;
    circle.process(7, {in_accept(7), handler, locked(9, 8)});
    touches(circle.socket({{0}})).last = deed(7, 8, 980 * kSec, model::Operation::kRead);
    EXPECT_EQ(gist(circle.diagnose()), "deadlock likely 7/8 last-touch");
    EXPECT_EQ(circle.diagnose().because.size(), 2U);
}

}  // namespace
}  // namespace waitclose::test
