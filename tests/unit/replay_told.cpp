// SPDX-License-Identifier: BSD-2-Clause
// What a replay tells of whom: no bystanders, nobody blamed for what is nobody's fault, and what the end
// shows.
#include <gtest/gtest.h>

#include "replay_fixture.h"
#include "report/caveats.h"
#include "report/sentences.h"

namespace waitclose::replay {
namespace {

using namespace testing;

constexpr std::uint32_t kFirst = 4121;
constexpr std::uint32_t kSecond = 4122;

void add_queue(Builder& builder, std::uint32_t process, std::uint16_t port) {
    model::Socket& listener = builder.listener({{process, 3}});
    listener.local.port = port;
    listener.backlog = 5;
}

model::Thread waits_for(std::uint32_t tid, std::uint32_t child) {
    model::Thread thread = asleep(tid, SYS_wait4, child);
    thread.asleep_since_ns = kFin;
    return thread;
}

void add_child(Builder& builder, std::uint32_t parent, std::uint32_t pid) {
    const auto process = builder.process(pid, {asleep(pid, SYS_pause)}, kBooted, parent);
    model::Answer answer;
    answer.question = {model::Question::Kind::kChildren, parent};
    answer.pid = pid;
    answer.start_ns = kBooted;
    answer.process = static_cast<std::int32_t>(process);
    builder.census.answers.push_back(answer);
}

/// Two servers that wait for a child each, with a listener each.
model::Census two_servers(std::uint64_t taken_ns) {
    Builder builder;
    builder.census.taken_ns = taken_ns;
    const auto first = builder.process(kFirst, {waits_for(kFirst, 5121)});
    const auto second = builder.process(kSecond, {waits_for(kSecond, 5122)});
    add_child(builder, kFirst, 5121);
    add_child(builder, kSecond, 5122);
    add_queue(builder, first, 8080);
    add_queue(builder, second, 9090);
    socket_of(builder, 100, {{first, 50}});
    socket_of(builder, 200, {{second, 50}});
    return std::move(builder.census);
}

std::set<std::string> told_of(const Incident& incident) {
    std::set<std::string> told;
    for (const auto& process : incident.timeline.processes) told.insert(std::to_string(process.pid));
    for (const auto& counter : incident.timeline.counters) {
        const std::string name(incident.timeline.text(counter.name));
        if (name.starts_with("accept queue")) told.insert(name);
    }
    return told;
}

Incident told_with(Wanted wanted, bool recorded_so = false) {
    Replay replay(std::move(wanted));
    store::About head = about();
    head.selects = recorded_so;
    replay.about(head);
    for (const std::uint64_t at : {kTaken - kSec, kTaken}) {
        replay.look_begins(at);
        model::Census census = two_servers(at);
        if (recorded_so) replay.unwanted({{1, 200}});
        replay.look(census);
    }
    return replay.finish();
}

TEST(ReplayTold, BystandersOfASelectionAreNotShown) {
    const std::set<std::string> all{
        "4121", "4122", "5121", "5122", "accept queue of port 8080", "accept queue of port 9090"};
    const std::set<std::string> some{"4121", "5121", "accept queue of port 8080"};
    EXPECT_EQ(told_of(told_with({})), all);
    Wanted by_pid;
    by_pid.selection.pids = {kFirst};
    by_pid.words = "--pid 4121";
    EXPECT_EQ(told_of(told_with(by_pid)), some);
    EXPECT_EQ(told_of(told_with({}, true)), some) << "the recorder was asked for one";
    Wanted by_port;  // both hold connections at that port
    by_port.local_ports.emplace().set(8080);
    by_port.words = "--localport 8080";
    std::set<std::string> without_the_other_port = all;
    without_the_other_port.erase("accept queue of port 9090");
    EXPECT_EQ(told_of(told_with(by_port)), without_the_other_port);
}

model::Census leak(std::uint64_t taken_ns, const std::string& name = "p4121") {
    Builder builder;
    builder.census.taken_ns = taken_ns;
    const auto process = builder.process(kFirst, {in_accept(kFirst)});
    builder.census.processes[process].comm = name;
    model::Socket& socket = socket_of(builder, 100, {{process, 50}});
    read_eof(socket, deed(kFirst, kFirst, kFin + kMs, model::Operation::kRead));
    return std::move(builder.census);
}

std::string summary_of(const Incident& incident) {
    return std::string(incident.timeline.text(incident.timeline.holds.at(0).diagnosis.summary));
}

/// "Never closed" is what a look may say, not a report that knows the end.
TEST(ReplayTold, WhatWasClosedInTheEndWasNotNeverClosed) {
    const auto with_end = [](const std::optional<model::Left>& end) {
        Replay replay({});
        replay.about(about());
        replay.on(entered(100, kFin));
        look(replay, leak(kTaken - 2 * kSec));
        if (end) replay.on(*end);
        return summary_of(replay.finish());
    };
    EXPECT_EQ(with_end(std::nullopt), "thread t4121 read end-of-file 19 s ago and never closed fd 50");
    const std::string by_then = "thread t4121 read end-of-file 19 s ago and by then had not closed fd 50; ";
    EXPECT_EQ(with_end(left(100, kTaken, kFirst, 4188)),
              by_then + "after 22 s it was closed by thread was4188 (4188) of process 4121");
    EXPECT_EQ(with_end(left(100, kTaken)), by_then + "after 22 s it was closed, by whom was not seen");
    model::Left shutdown = left(100, kTaken, kFirst, 4188);
    shutdown.end = model::End::kShutdown;
    EXPECT_EQ(with_end(shutdown),
              by_then + "after 22 s it was shut down by thread was4188 (4188) of process 4121");
    model::Left exit = left(100, kTaken, kFirst, kFirst);
    exit.end = model::End::kExit;
    EXPECT_EQ(with_end(exit), by_then + "after 22 s it ended when process was4121 (4121) exited");
    model::Left error = left(100, kTaken);
    error.end = model::End::kError;
    error.error = ECONNRESET;
    EXPECT_EQ(with_end(error), by_then + "after 22 s it ended by a reset from the peer");
}

TEST(ReplayTold, WhyAGroupIsSoTellsItsEnd) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken - 2 * kSec));
    replay.on(left(100, kTaken, kFirst, 4188));
    const std::string why = report::sentences(replay.finish())[1];
    EXPECT_NE(why.find("after 22 s it was closed by thread was4188 (4188)"), std::string::npos) << why;
    EXPECT_EQ(why.find("never closed"), std::string::npos) << why;
}

/// Who is named where nobody is to blame is no culprit, in any output.
TEST(ReplayTold, WhatIsUnknownHasNoCulprits) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kFin + 500 * kMs));
    const Incident incident = replay.finish();
    ASSERT_EQ(incident.groups.size(), 1U);
    EXPECT_EQ(incident.groups[0].cause, diagnose::Cause::kUnknown);
    EXPECT_TRUE(incident.timeline.holds[0].diagnosis.culprit) << "a thread is named with it all the same";
    EXPECT_EQ(incident.groups[0].culprits, 0U);
    EXPECT_TRUE(incident.groups[0].top_culprits.empty());
}

TEST(ReplayTold, AnotherNameOfTheSameProcessIsExplained) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, leak(kTaken - kSec, "sh"));
    look(replay, leak(kTaken, "orders"));
    const Incident incident = replay.finish();
    const auto& evidence = incident.timeline.holds.at(0).diagnosis.evidence;
    ASSERT_FALSE(evidence.empty());
    EXPECT_EQ(incident.timeline.text(evidence[0].fact), "formerly");
    EXPECT_EQ(incident.timeline.text(evidence[0].text),
              "process 4121 is called orders now; before it was sh (looks)");
    EXPECT_EQ(complaints(incident), "");
}

/// A healthy server's short holds are no riddle only because a process was asked for.
TEST(ReplayTold, ShortOnesOfUnknownOwnersAreShort) {
    Wanted wanted;
    wanted.selection.pids = {kFirst};
    wanted.selection.min_held_ns = 250 * kMs;
    wanted.words = "--pid 4121";
    Replay replay(std::move(wanted));
    replay.about(about());
    for (std::uint64_t i = 0; i < 7; ++i) {
        replay.on(entered(500 + i, kFin));
        replay.on(left(500 + i, kFin + kMs, kSecond, kSecond));
    }
    replay.on(entered(600, kFin));
    replay.on(left(600, kFin + kSec, kSecond, kSecond));
    const Incident incident = replay.finish();
    EXPECT_EQ(incident.short_whose_unknown, 7U);
    EXPECT_EQ(incident.whose_unknown, 1U) << "that one was long";
    std::string all;
    for (const report::Caveat& caveat : report::caveats(incident)) all += caveat.text + "\n";
    EXPECT_NE(all.find("7 holds lasted less than 250 ms (--min-held) and ended before a look saw whose they "
                       "were: not counted here.\n"),
              std::string::npos)
        << all;
}

TEST(ReplayTold, ARecordingTooSmallForALookSaysSoAndWhatToDo) {
    Replay replay({});
    store::About head = about();
    head.ending = store::Ending::kSize;
    replay.about(head);
    replay.on(entered(500, kFin));
    replay.on(left(500, kFin + kSec, kSecond, kSecond));
    const auto found = report::caveats(replay.finish());
    const auto unseen = std::ranges::find(found, "no-look", &report::Caveat::kind);
    ASSERT_NE(unseen, found.end());
    EXPECT_EQ(unseen->text,
              "no look saw 1 hold that ended before one was due, so why is not known; the recording was full "
              "after 33 s: give it more room (--max-size), or less to keep (a port, a process, no "
              "--all-transitions, a longer --min-held).");
    EXPECT_TRUE(unseen->warns);
}

}  // namespace
}  // namespace waitclose::replay
