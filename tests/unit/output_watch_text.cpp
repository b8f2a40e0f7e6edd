// SPDX-License-Identifier: BSD-2-Clause
#include "output/watch_text.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "output_fixture.h"

namespace waitclose::output {
namespace {

using namespace testing_machine;

constexpr std::int64_t kAt = 1795204801'123456789;

model::Closed example_closed() {
    model::Closed closed;
    closed.hold.connection = {
        {4026531840, 73012}, model::Family::kIpv4, ipv4(10, 0, 0, 7, 8080), ipv4(10, 2, 3, 4, 51234)};
    closed.held_ns = 1'840'000'000;
    closed.left = model::Left{};
    closed.left->closer = model::Actor{};
    closed.left->closer->pid = 4121;
    closed.left->closer->tid = 4188;
    std::memcpy(closed.left->closer->comm.data(), "http-exec-17", 12);
    return closed;
}

TEST(OutputWatchText, EnteredKnowsTheAddressesOnly) {
    const Machine machine;  // sets the time zone
    EXPECT_EQ(watch_text(example_closed().hold.connection, kAt, {}),
              "20:00:01.123  entered  10.0.0.7:8080 - 10.2.3.4:51234\n");
}

TEST(OutputWatchText, HeldSaysWhoAndWhy) {
    Machine machine = one_leak();
    const auto line = [&](const TextStyle& style) {
        return watch_text(WatchEvent::kHeld, kAt, machine.census, machine.census.sockets[0],
                          machine.diagnosis, style);
    };
    EXPECT_EQ(
        line({}),
        "20:00:01.123  held     10.0.0.7:8080 ← 10.2.3.4:51234  1.8s  java (4121) fd 57  thread http-exec-17 "
        "(4188)  eof-ignored (proven): thread http-exec-17 read end-of-file 1.8 s ago and never closed fd "
        "57\n");
    machine.census.sockets[0].role = model::Role::kClient;
    machine.diagnosis.culprit->tid.reset();
    EXPECT_EQ(line({}).find("thread http-exec-17 (4188)"), std::string::npos);
    EXPECT_NE(line({}).find("10.0.0.7:8080 → 10.2.3.4:51234"), std::string::npos);
    TextStyle ascii;
    ascii.charset = Charset::kAscii;
    EXPECT_NE(line(ascii).find("10.0.0.7:8080 -> 10.2.3.4:51234"), std::string::npos);
}

TEST(OutputWatchText, WhatIsOnlyPossibleAccusesNobody) {
    Machine machine = one_leak();
    machine.diagnosis.confidence = diagnose::Confidence::kPossible;
    const auto line = [&] {
        return watch_text(WatchEvent::kHeld, kAt, machine.census, machine.census.sockets[0],
                          machine.diagnosis, {});
    };
    EXPECT_NE(
        line().find("perhaps thread http-exec-17 (4188)  eof-ignored (possible): perhaps because thread "
                    "http-exec-17 read end-of-file"),
        std::string::npos)
        << line();
    machine.diagnosis.cause = diagnose::Cause::kUnknown;
    EXPECT_EQ(line().find("perhaps because"), std::string::npos) << line();
}

TEST(OutputWatchText, ClosedSaysHowLongAndByWhom) {
    model::Closed closed = example_closed();
    const std::string head = "20:00:01.123  closed   10.0.0.7:8080 - 10.2.3.4:51234  held ";
    EXPECT_EQ(watch_text(closed, kAt, {}),
              head + "1.8 s, closed by thread http-exec-17 (4188) of process 4121\n");
    closed.left->end = model::End::kShutdown;
    EXPECT_EQ(watch_text(closed, kAt, {}),
              head + "1.8 s, shut down by thread http-exec-17 (4188) of process 4121\n");
    closed.left->end = model::End::kProgram;
    closed.hold.precision = model::Precision::kAtLeast;
    closed.left->closer.reset();
    EXPECT_EQ(watch_text(closed, kAt, {}), head + "at least 1.8 s, closed, by whom was not seen\n");
    closed.left->end = model::End::kError;
    for (const int error : {ECONNRESET, EPIPE}) {
        closed.left->error = error;
        EXPECT_EQ(watch_text(closed, kAt, {}), head + "at least 1.8 s, ended by a reset from the peer\n");
    }
    closed.left->error = ETIMEDOUT;
    EXPECT_EQ(watch_text(closed, kAt, {}),
              head + "at least 1.8 s, ended by an error: Connection timed out\n");
    closed.left.reset();
    EXPECT_EQ(watch_text(closed, kAt, {}),
              head + "at least 1.8 s, its end was missed; a census found it gone\n");
}

TEST(OutputWatchText, HostileNamesStayOnTheirLine) {
    Machine machine = one_leak();
    const std::string evil = "\x1b[2J\n\xff\u202e";
    machine.census.processes[0].comm = machine.diagnosis.culprit->comm = machine.diagnosis.summary = evil;
    model::Closed closed = example_closed();
    std::memcpy(closed.left->closer->comm.data(), "\x1b]0;\n", 5);
    for (const std::string& line : {watch_text(WatchEvent::kChanged, kAt, machine.census,
                                               machine.census.sockets[0], machine.diagnosis, {}),
                                    watch_text(closed, kAt, {})}) {
        EXPECT_TRUE(is_harmless(line));
        EXPECT_EQ(line.find('\n'), line.size() - 1);
    }
}

TEST(OutputWatchText, Transitions) {
    const model::Transition transition{kNow, model::TcpState::kEstablished, model::TcpState::kCloseWait,
                                       example_closed().hold.connection};
    EXPECT_EQ(transition_text(transition, kWall, {}),
              "20:00:00.123  ESTABLISHED → CLOSE_WAIT   10.0.0.7:8080 - 10.2.3.4:51234  4026531840:73012\n");
}

}  // namespace
}  // namespace waitclose::output
