// SPDX-License-Identifier: BSD-2-Clause
// Captures that began when everything had happened: nobody is named, and the first lines still say what the
// owner's threads do, and what is at the end of that.
#include "report/doings.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "capture_fixture.h"
#include "output_fixture.h"
#include "report/captured.h"
#include "report/json.h"
#include "report/page.h"
#include "report/text.h"
#include "timeline/held_time.h"
#include "timeline/html_report.h"
#include "timeline_fixture.h"

namespace waitclose::report {
namespace {

using namespace replay::testing;
using output::testing_machine::written_by;
using replay::Incident;
using replay::testing::Told;
using Lines = std::vector<std::string>;

constexpr const char* kNobody =
    "nobody is blamed for 1 socket of orders (4121): which thread should close it was not seen";

/// Nobody was seen to touch the socket.
Told cold(Told told) {
    told.census.sockets[0].touches.reset();
    told.census.traced = false;
    return told;
}

std::string text_of(const Incident& incident) {
    return written_by([&](output::Sink& sink) { write_text(sink, incident, {}); });
}

nlohmann::json json_of(const Incident& incident) {
    return nlohmann::json::parse(written_by([&](output::Sink& sink) { write_json(sink, incident); }));
}

bool has(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

/// Puts threads into the first process, behind those it has.
void add(Told& told, std::vector<model::Thread> threads) {
    model::Census& census = told.census;
    const auto count = static_cast<std::uint32_t>(threads.size());
    const auto at = static_cast<std::ptrdiff_t>(census.processes[0].thread_count);
    census.threads.insert(census.threads.begin() + at, threads.begin(), threads.end());
    census.processes[0].thread_count += count;
    for (std::size_t i = 1; i < census.processes.size(); ++i) census.processes[i].first_thread += count;
}

model::Thread in(model::Thread thread, const std::string& function) {
    thread.user_stack = std::make_shared<const model::Stack>(model::Stack{library("wait"), own(function)});
    return thread;
}

TEST(ReportDoings, TheDisk) {
    const Incident incident = played(cold(disk()));
    EXPECT_EQ(complaints(incident), "");
    EXPECT_EQ(reason_lines(incident),
              (Lines{kNobody,
                     "worker-3 of orders (pid 4121, tid 4123), in write_audit_log, waits for the disk for 22 "
                     "s: fdatasync(fd 12, /var/log/audit.log)",
                     "the disk: fdatasync(fd 12, /var/log/audit.log)"}));
    EXPECT_TRUE(text_of(incident).starts_with("Who     nobody is blamed for 1 socket of orders (4121): "));
}

TEST(ReportDoings, SaysThatTheCaptureBeganLater) {
    const Incident incident = played(cold(disk()), kBegun - kSec);
    EXPECT_EQ(reason_lines(incident).at(0), std::string(kNobody) + " (the capture began later)");
}

TEST(ReportDoings, AnotherService) {
    EXPECT_EQ(reason_lines(played(cold(downstream()))),
              (Lines{kNobody,
                     "worker-3 of orders (pid 4121, tid 4123), in call_backend, waits for another service "
                     "for 22 s: recvfrom(fd 12, 10.0.0.9:5432)",
                     "another service: recvfrom(fd 12, 10.0.0.9:5432)"}));
}

TEST(ReportDoings, TheNextRequestOfAClientIsNoOtherService) {
    Told told = cold(downstream());
    told.census.threads[1].file->local_port = 8080;  // that of the held socket
    const auto lines = reason_lines(played(std::move(told)));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(has(lines[1], "in call_backend, waits for its client for 22 s: recvfrom")) << lines[1];
    EXPECT_TRUE(lines[2].starts_with("its client: ")) << lines[2];
}

TEST(ReportDoings, TheCpu) {
    EXPECT_EQ(reason_lines(played(cold(busy()))),
              (Lines{kNobody,
                     "worker-3 of orders (pid 4121, tid 4123), in spin_parse, runs, for 100 % of the 5.0 s "
                     "captured",
                     "the CPU, in spin_parse"}));
}

TEST(ReportDoings, ALockIsToldToTheEndOfItsChain) {
    Told told = cold(disk());
    model::Thread waiter = in(asleep(4130, SYS_futex, 0x7000), "wait_for_quota");
    waiter.comm = "handler";
    waiter.asleep_since_ns = kFin - 5 * kSec;
    waiter.lock_owner_tid = 4123;
    add(told, {waiter});
    const Incident incident = played(std::move(told));
    EXPECT_EQ(reason_lines(incident),
              (Lines{kNobody,
                     "handler of orders (pid 4121, tid 4130), in wait_for_quota, waits for a lock for 27 s: "
                     "mutex 0x7000 held by tid 4123; which is with worker-3 of orders (pid 4121, tid 4123), "
                     "in write_audit_log, which waits for the disk for 22 s: fdatasync(fd 12, "
                     "/var/log/audit.log)",
                     "the disk: fdatasync(fd 12, /var/log/audit.log), worker-3 of orders (pid 4121, tid "
                     "4123), in write_audit_log"}));
}

TEST(ReportDoings, ALockWhoseOwnerSleeps) {
    Told told = cold(disk());
    model::Thread& owner = told.census.threads[1];
    owner = in(asleep(4123, SYS_nanosleep), "refill_quota");
    owner.comm = "keeper";
    owner.asleep_since_ns = kFin - kMs;
    told.activity.threads.clear();
    model::Thread waiter = in(asleep(4130, SYS_futex, 0x7000), "wait_for_quota");
    waiter.comm = "handler";
    waiter.asleep_since_ns = kFin;
    waiter.lock_owner_tid = 4123;
    add(told, {waiter});
    EXPECT_EQ(reason_lines(played(std::move(told))),
              (Lines{kNobody,
                     "handler of orders (pid 4121, tid 4130), in wait_for_quota, waits for a lock for 22 s: "
                     "mutex 0x7000 held by tid 4123; which is with keeper of orders (pid 4121, tid 4123), in "
                     "refill_quota, which sleeps for 22 s: nanosleep",
                     "a pause of its own: nanosleep, keeper of orders (pid 4121, tid 4123), in "
                     "refill_quota"}));
}

TEST(ReportDoings, ADeadlockOfTwoProcessesIsNamedAndNobodyIsBlamed) {
    EXPECT_EQ(reason_lines(played(cold(deadlock()))),
              (Lines{"a deadlock of 2 threads in 2 processes, orders (pid 4121, tid 4121) and billing (pid "
                     "5200, tid 5200); " +
                         std::string(kNobody),
                     "orders (pid 4121, tid 4121), in reserve_stock, waits for another process for 22 s: "
                     "read(fd 12, pipe:[77]); at the other end: billing (pid 5200)",
                     "billing (pid 5200, tid 5200), in charge_card, waits for another process for 22 s: "
                     "read(fd 12, pipe:[77]); at the other end: orders (pid 4121)"}));
}

TEST(ReportDoings, ADeadlockOfLocksComesBeforeTheDisk) {
    Told told = cold(disk());
    model::Thread one = in(asleep(4130, SYS_futex, 0x7000), "move_money");
    model::Thread other = in(asleep(4131, SYS_futex, 0x8000), "move_back");
    for (model::Thread* thread : {&one, &other}) thread->asleep_since_ns = kFin;
    one.lock_owner_tid = 4131;
    other.lock_owner_tid = 4130;
    add(told, {one, other});
    const auto lines = reason_lines(played(std::move(told)));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(lines[0].starts_with("a deadlock of 2 threads, ")) << lines[0];
    EXPECT_TRUE(has(lines[1] + lines[2], "in move_money, waits for a lock for 22 s")) << lines[1];
    EXPECT_TRUE(has(lines[1] + lines[2], "in move_back, waits for a lock for 22 s")) << lines[2];
}

TEST(ReportDoings, ManyThatDoTheSameAreToldTogether) {
    Told told = cold(downstream());
    std::vector<model::Thread> more;
    for (std::uint32_t i = 0; i < 11; ++i) {
        model::Thread one = in(told.census.threads[1], "call_backend");
        one.tid = 4200 + i;
        one.arguments[0] = 20 + i;
        one.asleep_since_ns = kFin + i * kMs;
        more.push_back(one);
    }
    add(told, more);
    const Incident incident = played(std::move(told));
    EXPECT_EQ(reason_lines(incident).at(1),
              "each of 12 threads, as worker-3 of orders (pid 4121, tid 4123), in call_backend, waits for "
              "another service for 22 s: recvfrom(fd 12, 10.0.0.9:5432)");
    const auto owners = json_of(incident).at("capture").at("threads_of_interest");
    EXPECT_EQ(owners.at(0).at("threads"), 13);
    EXPECT_EQ(owners.at(0).at("waiting_for_work"), 1);
    EXPECT_EQ(owners.at(0).at("doings").size(), 1U);
    EXPECT_EQ(owners.at(0).at("doings").at(0).at("threads"), 12);
    EXPECT_EQ(owners.at(0).at("doings").at(0).at("chain").at(0).at("function"), "call_backend");
}

TEST(ReportDoings, AllWaitForWork) {
    Told told = cold(disk());
    told.census.threads[1] = asleep(4123, SYS_epoll_wait, 4);
    told.activity.threads.clear();
    const auto lines = reason_lines(played(std::move(told)));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(has(lines[0], "no single thread")) << lines[0];
    EXPECT_EQ(lines[1], "all its 2 threads wait for work");
}

TEST(ReportDoings, ASleepingPoolIsNeverStuck) {
    Told told = cold(disk());
    model::Thread parked = in(asleep(4150, SYS_futex, 0x9000), "take_next");
    parked.asleep_since_ns = kOpened;
    told.census.threads[1] = parked;
    told.activity.threads.clear();
    const auto lines = reason_lines(played(std::move(told)));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(has(lines[1], "in take_next, sleeps for 1 min 52 s as an idle thread may: futex 0x9000"))
        << lines[1];
}

TEST(ReportDoings, WhatHasOnlyJustBegunComesBehindWhatLasts) {
    Told told = cold(downstream());
    model::Thread brief = in(asleep(4140, SYS_fdatasync, 9), "flush");
    brief.file = model::FileFact{model::FileKind::kRegular, "/var/log/x", 8, "", 0, 0};
    brief.asleep_since_ns = kTaken - kMs;
    add(told, {brief});
    const auto lines = reason_lines(played(std::move(told)));
    EXPECT_TRUE(has(lines.at(1), "in call_backend,")) << lines[1];
    EXPECT_TRUE(lines.at(1).ends_with("; and 1 more thread: see below")) << lines[1];
}

TEST(ReportDoings, TheFlameGraphAccusesNobody) {
    const Incident incident = played(cold(disk()));
    const std::string folded = timeline::testing::written(incident.timeline, timeline::write_folded, {});
    EXPECT_TRUE(folded.starts_with("orders;unknown;(not known);(not known) ")) << folded;
}

TEST(ReportDoings, TheFlameGraphAccusesNoOnlyThreadEither) {
    const Incident incident = played(cold(deadlock()));
    ASSERT_TRUE(incident.timeline.holds.at(0).diagnosis.culprit);
    EXPECT_TRUE(incident.timeline.holds[0].shares.empty());
    const std::string folded = timeline::testing::written(incident.timeline, timeline::write_folded, {});
    EXPECT_TRUE(folded.starts_with("orders;unknown;(not known);(not known) ")) << folded;
    EXPECT_FALSE(has(folded, "reserve_stock")) << folded;
}

/// The worker's stack is known, and says nothing of what it polls for.
Told polling(Told told) {
    model::Thread worker = in(asleep(4123, SYS_poll, 0x7000, 1), "poll_then_stuck");
    worker.comm = "worker-3";
    worker.asleep_since_ns = kFin - kMs;
    told.census.threads[1] = worker;
    told.activity.threads.clear();
    return told;
}

TEST(ReportDoings, AThreadInPollIsListedWithItsFunction) {
    const Incident incident = played(polling(cold(disk())));
    const auto lines = reason_lines(incident);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(has(lines[0], "no single thread")) << lines[0];
    EXPECT_EQ(lines[1],
              "worker-3 of orders (pid 4121, tid 4123), in poll_then_stuck, waits in poll() for 22 s: for "
              "work, or for an answer");
    EXPECT_EQ(lines[2], "work, or an answer: which of them poll() waits for is not known");
    EXPECT_TRUE(has(text_of(incident), "\nOf the 2 threads of orders (4121), 1 waits for work; "))
        << text_of(incident);
    const auto doings = json_of(incident).at("capture").at("threads_of_interest").at(0).at("doings");
    EXPECT_EQ(doings.at(0).at("interest"), "polling");
}

TEST(ReportDoings, APollComesBehindARealWaitAndBeforeAnIdlePool) {
    model::Thread parked = in(asleep(4150, SYS_futex, 0x9000), "take_next");
    parked.asleep_since_ns = kOpened;
    Told idle = polling(cold(downstream()));
    add(idle, {parked});
    const auto lines = reason_lines(played(std::move(idle)));
    EXPECT_TRUE(has(lines.at(1), "in poll_then_stuck,")) << lines[1];
    Told told = cold(downstream());
    model::Thread waiter = in(told.census.threads[1], "call_backend");
    waiter.tid = 4160;
    told = polling(std::move(told));
    add(told, {parked, waiter});
    const auto more = reason_lines(played(std::move(told)));
    EXPECT_TRUE(has(more.at(1), "in call_backend,")) << more[1];
}

TEST(ReportDoings, APollComesBeforeAThreadThatWaitsForASignal) {
    Told told = polling(cold(downstream()));
    told.census.threads[0] = in(asleep(4121, SYS_rt_sigtimedwait), "main");
    told.census.threads[0].asleep_since_ns = kOpened;
    const auto lines = reason_lines(played(std::move(told)));
    EXPECT_TRUE(has(lines.at(1), "in poll_then_stuck,")) << lines[1];
}

TEST(ReportDoings, AnEpollIsNoSuchThing) {
    Told told = polling(cold(disk()));
    told.census.threads[1].syscall = SYS_epoll_wait;
    EXPECT_EQ(reason_lines(played(std::move(told))).at(1), "all its 2 threads wait for work");
}

/// `processes` hold the socket besides orders, all by descriptors from before they were born.
Told shared(std::uint32_t processes) {
    Told told = cold(downstream());
    Builder builder;
    builder.census = std::move(told.census);
    std::vector<test::Hold> holds{{0, 57}};
    for (std::uint32_t i = 0; i < processes; ++i) {
        model::Thread thread = in(asleep(5000 + i, SYS_nanosleep), "pause_child");
        holds.push_back({builder.process(5000 + i, {thread}), 57});
    }
    builder.census.sockets.clear();
    socket_of(builder, 100, holds);
    told.census = std::move(builder.census);
    told.census.traced = false;
    return told;
}

TEST(ReportDoings, WhatIsSharedIsToldWithThoseWhoHoldIt) {
    const auto lines = reason_lines(played(shared(1)));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(
        lines[0].starts_with("nobody is blamed for 1 socket held by orders (pid 4121) and p5000 (pid "
                             "5000): which thread should close it was not seen"))
        << lines[0];
    EXPECT_TRUE(has(lines[1], "in call_backend, waits for another service")) << lines[1];
    EXPECT_FALSE(has(text_of(played(shared(1))), "nobody who could be named"));
}

TEST(ReportDoings, OfManyThatShareItTwoAreNamed) {
    EXPECT_TRUE(has(reason_lines(played(shared(4))).at(0),
                    "held by orders (pid 4121), p5000 (pid 5000), and 3 more: "));
}

TEST(ReportDoings, WhatIsClosedIsNotToldOf) {
    replay::Replay replay({});
    Told told = cold(disk());
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, std::move(told.census));
    replay.on(left(100, kTaken + kMs, 4121, 4123));
    replay.activity(told.activity);
    const Incident incident = replay.finish();
    EXPECT_TRUE(incident.doings.empty());
    EXPECT_FALSE(has(text_of(incident).substr(0, 300), "write_audit_log"));
}

TEST(ReportDoings, HostileNamesAreHarmlessInTextAndPage) {
    Told told = cold(disk());
    told.census.threads[1].comm = "\x1b]0;x\a<b>";
    told.activity.stacks[0][3].function = "</td><script>alert(1)</script>\x1b[2J";
    const Incident incident = played(std::move(told));
    EXPECT_TRUE(has(reason_lines(incident).at(1), "<script>"));
    EXPECT_TRUE(output::testing_machine::is_harmless(text_of(incident)));
    const std::string page = written_by(
        [&](output::Sink& sink) { timeline::write_html(incident.timeline, page_words(incident), {}, sink); });
    EXPECT_FALSE(has(page, "<script>alert(1)"));
}

}  // namespace
}  // namespace waitclose::report
