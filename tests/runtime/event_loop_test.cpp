// SPDX-License-Identifier: BSD-2-Clause
// Event loops that hear nothing of a hang-up, and references that live in no descriptor table.
#include <algorithm>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "programs.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto held_on_purpose = 10'200ms;  // until then a loop may hold back
constexpr auto noticed = 1'200ms;           // a loop that is asleep for so long is not between two events

json cause_now(Culprit& culprit) {
    Snapshot taken = snapshot(culprit.selection());
    const json* socket = find_socket(taken.document, culprit.truth());
    return socket ? socket->at("cause") : json{{"id", "no such socket"}, {"evidence", json::array()}};
}

bool has_fact(const json& cause, const std::string& fact, const json& value) {
    const json* found = fact_of(cause, fact);
    return found && found->at("value") == value;
}

bool installed(const std::string& program) {
    return run({"sh", "-c", "command -v " + program}).code == 0;
}

struct Paused {
    const char* name;
    std::vector<std::string> command;
    /// Threads of its own runtime may have worked since the data came, so whoever handles it may be one of
    /// them: `unknown` is right for a minute.
    bool has_workers = false;
};

class PausedRuntime : public testing::TestWithParam<Paused> {};

}  // namespace

TEST(EventLoops, AreNamedOnceTheyCannotBeHoldingBack) {
    std::vector<std::unique_ptr<Culprit>> culprits;
    for (const char* mode : {"edge", "nested", "one-shot", "out-only", "back-pressure"})
        culprits.push_back(Culprit::in_position({"event_loop", "--mode", mode}));
    auto forgotten = Culprit::in_position({"event_loop", "--mode", "deleted"});
    for (auto& culprit : culprits) culprit->wait_until_held_for(held_on_purpose);
    forgotten->wait_until_held_for(held_on_purpose);
    for (auto& culprit : culprits) {
        const json cause = cause_now(*culprit);
        EXPECT_EQ(cause.at("id"), culprit->truth().at("cause")) << culprit->truth() << cause.dump(1);
        bool decoy = culprit->truth().at("mode") == "back-pressure";
        EXPECT_EQ(cause.at("confidence"), "possible") << "for a minute it may ask again\n" << cause.dump(1);
        EXPECT_TRUE(has_fact(cause, decoy ? "held_back" : "watched", true)) << cause.dump(1);
    }
    const json cause = cause_now(*forgotten);
    EXPECT_EQ(cause.at("id"), "abandoned") << cause.dump(1);
    EXPECT_TRUE(has_fact(cause, "watched", false)) << cause.dump(1);
}

TEST(EventLoops, AreBlockedInTheirHandlerEvenWhenNothingWasTraced) {
    auto culprit = Culprit::in_position({"event_loop", "--mode", "asleep"});
    culprit->wait_until_held_for(noticed);
    const json cause = cause_now(*culprit);
    EXPECT_EQ(cause.at("id"), "handler-blocked") << cause.dump(1);
    ASSERT_EQ(cause.at("because").size(), 1u) << cause.dump(1);
    EXPECT_EQ(cause.at("because").at(0).at("waits_for"), "sleep");
}

// It reads no more for half a second, but then reads the end and closes.
TEST(EventLoops, MayPauseForAWhile) {
    auto decoy = Culprit::before_fin({"event_loop", "--mode", "paused"});
    Arguments options = decoy->selection();
    options.insert(options.end(), {"--min-held", "20ms"});
    Watch watch(options);
    decoy->reach_position();
    EXPECT_EQ(watch.stop().code, 0);
    for (const json& event : watch.events()) {
        if (!is_about(event, decoy->truth()) || event.at("event") == "entered" ||
            event.at("event") == "closed")
            continue;
        EXPECT_EQ(event.at("socket").at("cause").at("confidence"), "possible") << event.dump(1);
    }
}

TEST(InFlight, IsFoundInAMessage) {
    auto culprit = Culprit::in_position({"passed", "--mode", "in-flight"});
    culprit->wait_until_held_for(20ms);
    const json cause = cause_now(*culprit);
    EXPECT_EQ(cause.at("id"), "in-flight-fd") << cause.dump(1);
    EXPECT_EQ(cause.at("confidence"), "proven") << cause.dump(1);
}

TEST(InFlight, IsFoundInARing) {
    if (run({culprit_path("ring")}).code == 77)
        GTEST_SKIP() << "SKIPPED: this kernel has no io_uring, or forbids it (kernel.io_uring_disabled)";
    auto culprit = Culprit::in_position({"ring", "--mode", "registered"});
    // Kernels up to 6.12 do not name the sockets that a ring has registered: then only time tells.
    culprit->wait_until_held_for(1200ms);
    const json cause = cause_now(*culprit);
    EXPECT_EQ(cause.at("id"), "in-flight-fd") << cause.dump(1);
    EXPECT_EQ(cause.at("confidence"), has_fact(cause, "in_flight_unknown", true) ? "possible" : "proven")
        << cause.dump(1);
    const json closed = culprit->close();
    EXPECT_TRUE(closed.contains("closed_ns")) << closed;
}

TEST(Rings, ThatPollAreNotAccused) {
    if (run({culprit_path("ring")}).code == 77)
        GTEST_SKIP() << "SKIPPED: this kernel has no io_uring, or forbids it (kernel.io_uring_disabled)";
    auto culprit = Culprit::in_position({"ring", "--mode", "polled"});
    culprit->wait_until_held_for(20ms);
    const json cause = cause_now(*culprit);
    EXPECT_EQ(cause.at("id"), "unknown") << cause.dump(1);
    EXPECT_TRUE(has_fact(cause, "watched", true)) << cause.dump(1);
}

TEST_P(PausedRuntime, IsWatchedByNobody) {
    const std::string program = GetParam().command.front();
    if (!installed(program)) GTEST_SKIP() << "SKIPPED: " << program << " is not installed";
    Culprit server({program, culprit_path(GetParam().command.back())});
    const json ready = server.next_line(60s);
    Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(ready.at("port").get<std::uint16_t>());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(write(client.get(), "hello", 5), 5);
    ASSERT_TRUE(server.next_line().contains("paused"));
    Watch watch({"--min-held", "0ms", "-L", ready.at("port").dump()});
    ASSERT_EQ(shutdown(client.get(), SHUT_WR), 0);
    json last;
    watch.until(
        [&](const json& event) {
            if (!event.contains("socket") || event.at("socket").at("cause").is_null()) return false;
            last = event.at("socket").at("cause");
            return last.at("id") == "abandoned";
        },
        15s);
    ASSERT_FALSE(last.is_null());
    EXPECT_EQ(last.at("confidence"), "possible") << last.dump(1);
    if (!GetParam().has_workers || last.at("id") != "unknown") {
        EXPECT_EQ(last.at("id"), "abandoned") << last.dump(1);
        EXPECT_TRUE(has_fact(last, "watched", false)) << last.dump(1);
    }
    EXPECT_EQ(watch.stop().code, 0);
    server.end_input();
}

INSTANTIATE_TEST_SUITE_P(Runtimes, PausedRuntime,
                         testing::Values(Paused{"Asyncio", {"python3", "python/asyncio_paused.py"}},
                                         Paused{"Node", {"node", "node/paused.js"}, true}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace runtime
