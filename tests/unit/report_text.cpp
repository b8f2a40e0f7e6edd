// SPDX-License-Identifier: BSD-2-Clause
// The screens of `report`, as people see them.
#include "replay/endings.h"
#include "report/text.h"

#include <gtest/gtest.h>

#include "output_fixture.h"
#include "replay_fixture.h"
#include "report/comparison.h"
#include "report/sentences.h"

namespace waitclose::report {
namespace {

using namespace replay::testing;
using output::testing_machine::is_harmless;
using output::testing_machine::widest_line;
using output::testing_machine::written_by;
using replay::Incident;
using replay::Replay;

/// A java server that leaks ten connections and handles one slowly, behind a lock that waits for a disk.
model::Census shop(std::uint64_t taken_ns, const std::string& name = "java") {
    Builder builder;
    builder.census.taken_ns = taken_ns;
    model::Thread writer = asleep(4190, SYS_fdatasync, 12);
    writer.file = model::FileFact{model::FileKind::kRegular, "/var/log/audit.log", 7, "", 0, 0};
    writer.asleep_since_ns = kFin;
    model::Thread waiter = asleep(4188, SYS_futex, 0x7f00);
    waiter.lock_owner_tid = 4190;
    waiter.asleep_since_ns = kFin + 2 * kMs;
    auto threads = std::vector<model::Thread>{in_accept(4121), waiter, writer};
    for (auto& thread : threads) {
        thread.read_ns = taken_ns;
        thread.comm = name + std::to_string(thread.tid % 10);
    }
    const auto process = builder.process(4121, std::move(threads));
    builder.census.processes[0].comm = name;
    for (std::uint64_t i = 0; i < 10; ++i) {
        model::Socket& socket = socket_of(builder, 100 + i, {{process, static_cast<std::int32_t>(50 + i)}});
        socket.local.address = {10, 0, 0, 7};
        read_eof(socket, deed(4121, 4121, kFin + kMs, model::Operation::kRead));
    }
    model::Socket& slow = socket_of(builder, 200, {{process, 70}});
    slow.local.address = {10, 0, 0, 7};
    touches(slow).last = deed(4121, 4188, kFin + kMs, model::Operation::kRead);
    touches(slow).opened = deed(4121, 4188, kOpened, model::Operation::kAccept);
    return std::move(builder.census);
}

Incident incident(const std::string& name = "java") {
    output::testing_machine::Machine sets_the_time_zone;
    replay::Wanted wanted;
    wanted.selection.min_held_ns = 250 * kMs;
    Replay replay(wanted);
    store::About made = about();
    made.hostname = made.kernel = made.arguments = name;
    replay.about(made);
    for (std::uint64_t i = 0; i < 10; ++i) replay.on(entered(100 + i, kFin));
    replay.on(entered(200, kFin));
    for (std::uint64_t i = 0; i < 1000; ++i) {
        replay.on(entered(5000 + i, kFin + i * kMs));
        replay.on(left(5000 + i, kFin + i * kMs + 20'000, 4121, 4121));
    }
    replay.on(entered(9000, kFin, 9090));
    replay.on(left(9000, kFin + 300 * kMs, 77, 77));
    model::Census first = shop(kTaken - 5 * kSec, name);
    model::Socket listener;
    listener.local.port = 8080;
    first.listeners.push_back(std::move(listener));
    look(replay, std::move(first));
    replay.losses(kTaken - 4 * kSec, {12, 0, 1});
    replay.on(left(100, kTaken - 3 * kSec, 4121, 4121));
    model::Census second = shop(kTaken, name);
    second.sockets.erase(second.sockets.begin());
    look(replay, std::move(second));
    return replay.finish();
}

std::string screen_of(const Incident& incident, const output::TextStyle& style = {}) {
    return written_by([&](output::Sink& sink) { write_text(sink, incident, style); });
}

TEST(ReportText, OneLeakAndOneSlowHandler) {
    EXPECT_EQ(screen_of(incident()),
              "waitclose report on java, 2026-11-20 20:00:00 +0000, Linux java\n"
              "Time    20:00:00.000 to 20:00:33.000, 33 s; 2 looks; recorded by waitclose 0.1.0\n"
              "Ended   when it was told to (SIGINT, SIGTERM or SIGHUP)\n"
              "What    In 33 s, 12 connections of java stayed in CLOSE_WAIT, up to 12 at one\n"
              "        time, the longest for 23 s; 10 were still open at the end.\n"
              "Why     1 of them was held by java (4121) on port 8080 because of\n"
              "        handler-blocked (likely), as of 20:00:32.000: thread java8 waits for a\n"
              "        lock for 21 s: mutex 0x7f00 held by tid 4190; it waits for java0, which\n"
              "        is in fdatasync(fd 12, /var/log/audit.log) for 22 s (and 1 group beside\n"
              "        this one, with 10 holds: perhaps eof-ignored of java (4121)).\n"
              "End     In the end 2 were closed by programs, and 10 are still held: CLOSE_WAIT\n"
              "        has no timeout of its own.\n"
              "Lost    12 events were dropped by the ring buffer, first noticed at\n"
              "        20:00:28.000.\n"
              "Lost    1 hold began or ended unnoticed, and a census put that right, first\n"
              "        noticed at 20:00:28.000.\n"
              "Short   1,000 holds lasted less than 250 ms (--min-held) and are only counted,\n"
              "        half of them no longer than 0.02 ms: 1,000 on port 8080.\n"
              "Unseen  no look saw 1 hold that ended before one was due, so why is not known.\n"
              "        20:00:10.000  0.0.0.0:9090 - 10.2.3.4:51234  held 300 ms, closed by\n"
              "        thread was77 (77) of process 77\n"
              "\n"
              "HOLDS OPEN LONGEST FIRST    OWNER       CAUSE               CONFID.  WHERE\n"
              "   10    9     23s 20:00:10 java (4121) perhaps eof-ignored possible port 8080\n"
              "    1    1     23s 20:00:10 java (4121) handler-blocked     likely   port 8080\n"
              "\n"
              "  10  java (4121)  perhaps eof-ignored  possible  port 8080  longest 23 s\n"
              "      longest, perhaps: thread java1 read end-of-file 21 s ago, and nobody has\n"
              "      closed fd 51 since\n"
              "      9 of 10 still open, half held no longer than 23 s; the first began at\n"
              "      20:00:10.000; diagnosed so since 20:00:27.000, here as of 20:00:32.000\n"
              "      1 was closed by a program; by thread: was4121 (4121) 1\n"
              "      - thread was4121 (pid 4121, tid 4121) read end-of-file 21 s ago (traced)\n"
              "      - nobody has read or written it since (traced)\n"
              "      - thread java1 (tid 4121) sleeps in accept4 on fd 3 (census)\n"
              "      - thread java0 (tid 4190) sleeps in fdatasync on fd 12: the connection may\n"
              "        have been handed on there, or somebody may yet come by and close it\n"
              "        (census)\n"
              "      - thread was4121 (pid 4121, tid 4121) read it 21 s ago (traced); whether\n"
              "        it still handles it is not known\n"
              "      - in CLOSE_WAIT for 22 s (transition)\n"
              "      - held by fd 51 of java (pid 4121) (census)\n"
              "      → Close the connection when read() returns 0, on every path out of the\n"
              "        handler. Nothing will end this hold but its close(), the process's exit,\n"
              "        or a reset by the peer: CLOSE_WAIT has no timeout.\n"
              "\n"
              "   1  java (4121)  handler-blocked      likely    port 8080  held 23 s\n"
              "      thread java8 waits for a lock for 21 s: mutex 0x7f00 held by tid 4190; it\n"
              "      waits for java0, which is in fdatasync(fd 12, /var/log/audit.log) for 22 s\n"
              "        held by java0 (4190) waits for the disk: fdatasync(fd 12,\n"
              "        /var/log/audit.log) for 22 s\n"
              "      began at 20:00:10.000, open at the end; diagnosed so since 20:00:27.000,\n"
              "      here as of 20:00:32.000\n"
              "      - thread java8 (tid 4188) is in mutex 0x7f00 held by tid 4190 for 21 s\n"
              "        (census)\n"
              "      - the mutex names tid 4190 as its owner, which is alive (its memory)\n"
              "      - thread java8 (tid 4188) read it last, 21 s ago (traced)\n"
              "      - in CLOSE_WAIT for 22 s (transition)\n"
              "      - held by fd 70 of java (pid 4121) (census)\n"
              "      → See what that thread waits for: it closes the connection only after\n"
              "        that. Give the wait a timeout. Nothing will end this hold but its\n"
              "        close(), the process's exit, or a reset by the peer: CLOSE_WAIT has no\n"
              "        timeout.\n");
}

std::string all_of(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& one : sentences) text += one + "\n";
    return text;
}

TEST(ReportText, NothingAtAllIsSaidOnlyOfAll) {
    Replay all({});
    all.about(about());
    EXPECT_NE(all_of(sentences(all.finish())).find("stayed in CLOSE_WAIT at all."), std::string::npos);
    replay::Wanted by_port;
    by_port.local_ports.emplace().set(9);
    by_port.words = "--localport 9";
    Replay some(by_port);
    some.about(about());
    for (std::uint64_t i = 0; i < 10; ++i) some.on(entered(100 + i, kFin));
    look(some, shop(kTaken - kSec));
    some.on(left(100, kTaken, 4121, 4121));
    const Incident incident = some.finish();
    EXPECT_EQ(incident.left_out, 11U);  // one was open before
    EXPECT_EQ(all_of(sentences(incident)),
              "In 33 s no connection of orders-7 that was asked for (with --localport 9) stayed in "
              "CLOSE_WAIT, as far as is told here.\n"
              "This is no all-clear: 11 holds were not what the options ask for (--localport 9).\n");
}

TEST(ReportText, WhoeverWaitedForAnAcceptWentWithTheListener) {
    replay::Fact fact;
    fact.ended = replay::Ended::kKernel;
    EXPECT_EQ(replay::ended_text(fact), "ended by the kernel");
    fact.queued = true;
    EXPECT_EQ(replay::ended_text(fact), "went with its listener, which was closed, or whose process ended");
}

TEST(ReportText, TimesWithoutALookAreTold) {
    Replay replay({});
    replay.about(about());
    for (std::uint64_t i = 0; i < 10; ++i) replay.on(entered(100 + i, kFin));
    for (const std::uint64_t ago : {19U, 18U, 17U, 16U, 2U, 1U, 0U}) look(replay, shop(kTaken - ago * kSec));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.gaps.size(), 1U);
    EXPECT_EQ(incident.gaps[0].length_ns(), 14 * kSec);
    const std::string text = screen_of(incident, {.width = 200});
    EXPECT_NE(text.find("nobody looked for 14 s from 20:00:16.000"), std::string::npos) << text;
}

TEST(ReportText, HoldsThatAreNotEquallySureAreCounted) {
    replay::Group group;
    group.confidence = diagnose::Confidence::kPossible;
    group.by_confidence = {0, 0, 3};
    EXPECT_EQ(confidence_text(group), "possible");
    group.by_confidence = {0, 5, 2};
    EXPECT_EQ(confidence_text(group), "5 likely, 2 possible");
}

TEST(ReportText, FitsAnyWidthAndObeysNobody) {
    for (const std::size_t width : {40U, 60U, 80U, 120U, 200U}) {
        for (const std::string name : {"java", "\x1b]0;evil\a", "\xff\xfe", "\xe2\x80\xaetxt"}) {
            const std::string text = screen_of(incident(name), {.width = width});
            EXPECT_LE(widest_line(text), width) << text;
            EXPECT_TRUE(is_harmless(text)) << text;
        }
    }
}

TEST(ReportText, InPlainAscii) {
    const std::string text = screen_of(incident(), {.charset = output::Charset::kAscii});
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; })) << text;
}

}  // namespace
}  // namespace waitclose::report
