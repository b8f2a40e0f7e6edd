// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include "diagnose/diagnoser.h"
#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using diagnose::Cause;
using model::Operation;

/// Why the first socket's cause is not this one; "chosen" when it is.
std::string why_not(const Builder& b, Cause cause) {
    diagnose::Diagnoser diagnoser(b.census);
    for (const auto& one : diagnoser.alternatives(b.census.sockets.front()))
        if (one.cause == cause) return one.why_not;
    return "chosen";
}

TEST(Alternatives, AllButTheChosenOneInOrder) {
    Builder b;
    b.socket({{b.process(10, {asleep(10, SYS_poll)})}});
    diagnose::Diagnoser diagnoser(b.census);
    const auto cause = diagnoser.diagnose(b.census.sockets[0]).cause;
    const auto all = diagnoser.alternatives(b.census.sockets[0]);
    EXPECT_EQ(all.size(), 18U);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_NE(all[i].cause, cause);
        EXPECT_NE(all[i].cause, Cause::kUnknown);
        EXPECT_FALSE(all[i].why_not.empty());
        if (i > 0) {
            EXPECT_LT(all[i - 1].cause, all[i].cause);
        }
    }
}

TEST(Alternatives, OfALeak) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {asleep(10, SYS_epoll_wait)})}});
    socket.held_since_ns = kTaken - 100 * kSec;
    read_eof(socket, deed(10, 10, kTaken - 99 * kSec, Operation::kRead));
    EXPECT_EQ(why_not(b, Cause::kEofIgnored), "chosen");
    EXPECT_EQ(why_not(b, Cause::kNeverAccepted), "a program has it: fd 57 of p10 (pid 10) refers to it");
    EXPECT_EQ(why_not(b, Cause::kAbandoned), "the program has read end-of-file");
    EXPECT_EQ(why_not(b, Cause::kSpinOnEof), "end-of-file was read once");
    EXPECT_EQ(why_not(b, Cause::kIdleInPool), "the peer opened the connection");
    EXPECT_EQ(why_not(b, Cause::kHandlerBlocked),
              "thread t10 (tid 10) sleeps in epoll_wait, as a thread does that waits for work");
    EXPECT_EQ(why_not(b, Cause::kStopped), "no thread of p10 (pid 10) is stopped, traced or frozen");
    EXPECT_EQ(why_not(b, Cause::kInheritedFd), "p10 (pid 10) itself opened or uses it");
    EXPECT_EQ(why_not(b, Cause::kHalfOpen), "no data was ever sent");
    EXPECT_EQ(why_not(b, Cause::kExiting), "p10 (pid 10) has 1 live thread");
}

TEST(Alternatives, OfAnUnreadOne) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {running(10)})}});
    socket.last_sent_ns = kFin - 50 * kSec;
    EXPECT_EQ(why_not(b, Cause::kEofIgnored), "the end of the stream is unread");
    EXPECT_EQ(why_not(b, Cause::kHalfOpen), "nothing was sent since the FIN");
    EXPECT_EQ(why_not(b, Cause::kHandlerBlocked), "thread t10 (tid 10) runs");
    EXPECT_EQ(why_not(b, Cause::kAbandoned), "thread t10 (tid 10) runs, and may still handle it");
    b.census.traced = false;
    b.census.sockets[0].precision = model::Precision::kAtLeast;
    EXPECT_EQ(why_not(b, Cause::kHalfOpen),
              "its last data left 1 min 12 s ago, and none waits to be acknowledged");
    EXPECT_EQ(why_not(b, Cause::kDuplicateFd),
              "nothing was traced, so no close() of another descriptor was seen");
}

TEST(Alternatives, WhatWouldFitIsSaid) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {in_state(10, model::RunState::kStopped)})}});
    socket.held_since_ns = kTaken - 100 * kSec;
    read_eof(socket, deed(10, 10, kTaken - 99 * kSec, Operation::kRead));
    EXPECT_EQ(why_not(b, Cause::kStopped), "chosen");
    EXPECT_NE(why_not(b, Cause::kEofIgnored).find("it would fit ("), std::string::npos)
        << why_not(b, Cause::kEofIgnored);
    EXPECT_NE(why_not(b, Cause::kEofIgnored).find("stopped explains"), std::string::npos);
}

TEST(RequestRead, SaysHowMuchOfWhatThePeerSent) {
    Builder b;
    auto& socket = b.socket({{b.process(10, {asleep(10, SYS_epoll_wait)})}});
    EXPECT_FALSE(fact(b.diagnose(), "request_read")) << "the peer sent nothing";
    socket.received_bytes = socket.unread_bytes = 1000;
    EXPECT_TRUE(says(b.diagnose(),
                     "none of the 1000 bytes that the peer sent was ever read, so not even its request"));
    b.census.sockets[0].unread_bytes = 400;
    EXPECT_TRUE(says(b.diagnose(), "600 of the 1000 bytes"));
    b.census.sockets[0].unread_bytes = 0;
    EXPECT_TRUE(says(b.diagnose(), "all 1000 bytes"));
    b.census.sockets[0].unread_bytes = 5000;  // read between two fields
    EXPECT_EQ(std::get<bool>(fact(b.diagnose(), "request_read")->value), false);
}

TEST(Alternatives, WithoutAHolder) {
    Builder b;
    auto& socket = b.socket({});
    EXPECT_EQ(why_not(b, Cause::kNeverAccepted), "it has a file, so a program was given it");
    EXPECT_EQ(why_not(b, Cause::kAbandoned), "no process here holds it");
    EXPECT_EQ(why_not(b, Cause::kHandlerBusy), "no process here holds it, so no thread handles it");
    socket.has_file = false;
    EXPECT_EQ(why_not(b, Cause::kNeverAccepted), "no listener was found whose accept queue it sits in");
    EXPECT_EQ(why_not(b, Cause::kInFlightFd), "it has no file");
}

TEST(Alternatives, OfAnAcceptQueue) {
    Builder b;
    const auto p = b.process(10, {asleep(10, SYS_poll), asleep(11, SYS_poll)});
    b.listener({{p, 3}});
    auto& socket = b.socket({});
    socket.has_file = false;
    socket.listener = 0;
    EXPECT_EQ(why_not(b, Cause::kNeverAccepted), "chosen");
    EXPECT_EQ(why_not(b, Cause::kFdLimit), "the descriptors of p10 (pid 10) could not be counted");
    b.census.processes[p].fds_used = 26;
    b.census.processes[p].fd_limit = 1024;
    EXPECT_EQ(why_not(b, Cause::kFdLimit), "p10 (pid 10) has 26 of 1024 descriptors open");
    b.census.processes[p].fds_used = 1024;
    EXPECT_EQ(why_not(b, Cause::kFdLimit), "chosen");
}

}  // namespace
}  // namespace waitclose::test
