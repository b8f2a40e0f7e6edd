// SPDX-License-Identifier: BSD-2-Clause
// Read to the end and never closed, or never looked at again: once nobody can be about to come by any more,
// every leak is called what it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cases.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto patience = 30s;
constexpr auto may_come_by = 10500ms;  // so long nobody is accused in any case

using Culprits = std::vector<std::unique_ptr<Culprit>>;

Culprits start_leaks(const std::function<std::unique_ptr<Culprit>(const Arguments&)>& start) {
    const std::vector<std::string> leaking{"read_eof", "passed", "exiting", "never_read", "client_side"};
    Culprits culprits;
    for (const Case& tested : holding_cases()) {
        bool leaks = std::ranges::find(leaking, tested.command.front()) != leaking.end();
        if (leaks && tested.name != "PassedInFlight" && tested.name != "ExitingUnread")
            culprits.push_back(start(tested.command));
    }
    return culprits;
}

// Until the watch has called each of them what it is, with the right holders, thread and time.
void expect_named(Watch& watch, const Culprits& culprits, Tracing tracing) {
    std::vector<std::string> wrong(culprits.size(), "nothing was said");
    watch.until(
        [&](const json& event) {
            for (std::size_t i = 0; i < culprits.size(); ++i) {
                const json& truth = culprits[i]->truth();
                if (!is_about(event, truth) || event.at("event") == "entered") continue;
                wrong[i] = event.at("socket").at("cause").at("id") == "unknown"
                               ? "unknown"
                               : joined(disagreements(event.at("socket"), truth, tracing));
            }
            return std::ranges::all_of(wrong, &std::string::empty);
        },
        patience);
    for (std::size_t i = 0; i < culprits.size(); ++i) EXPECT_EQ(wrong[i], "") << culprits[i]->truth();
}

// A connection within this process, its client's end and its server's.
struct Connection {
    Connection() {
        const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        client = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::bind(listener.get(), plain, size) || ::listen(listener.get(), 1) ||
            ::getsockname(listener.get(), plain, &size) || ::connect(client.get(), plain, size))
            throw std::runtime_error("no connection over loopback");
        server = Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        port = ntohs(address.sin_port);
    }
    Descriptor client, server;
    std::uint16_t port = 0;
};

}  // namespace

TEST(LongLeaks, AreNamedWhenTracedFromTheStart) {
    Culprits culprits = start_leaks(Culprit::before_start);
    Watch watch({"--min-held", "0ms"});
    for (auto& culprit : culprits) culprit->reach_position();
    expect_named(watch, culprits, Tracing::from_start);
    EXPECT_EQ(watch.stop().code, 0);
}

TEST(LongLeaks, AreNamedByALaterLook) {
    Culprits culprits = start_leaks(Culprit::in_position);
    Watch watch({"--min-held", "0ms"});
    expect_named(watch, culprits, Tracing::after);
    EXPECT_EQ(watch.stop().code, 0);
}

// Who read it last, or to its end, and goes on with other work, may have handed it on, or left it to somebody
// who comes by now and then.
TEST(HandedOn, TheOneThatHadItLastIsNotAccused) {
    const auto expect_nobody = [](const json& socket, const json& truth) {
        const json& cause = socket.at("cause");
        // A look that began before the connection was there finds nobody that holds it, and in the very first
        // moments the reader may not have come to hand it on.
        const bool early = socket.at("holders").empty() || fact_of(cause, "too_young");
        if (early && cause.at("id") == "unknown") return;
        EXPECT_TRUE(disagreements(socket, truth, Tracing::from_start).empty()) << socket.dump(1) << truth;
        const bool ended = truth.at("nobody_to_name");
        EXPECT_TRUE(ended || cause.at("confidence") == "possible") << cause.dump(1);
    };
    Culprits culprits;
    for (const char* mode : {"queue", "sweeper", "ended"})
        culprits.push_back(Culprit::before_start({"handed_on", "--mode", mode}));
    Watch watch({"--min-held", "0ms"});
    for (auto& culprit : culprits) culprit->reach_position();
    culprits.back()->wait_until_held_for(may_come_by);
    std::vector<bool> told(culprits.size());
    watch.until(
        [&](const json& event) {
            for (std::size_t i = 0; i < culprits.size(); ++i)
                if (is_about(event, culprits[i]->truth()) && event.at("event") != "entered") {
                    expect_nobody(event.at("socket"), culprits[i]->truth());
                    told[i] =
                        told[i] || event.at("socket").at("held_ns").get<std::int64_t>() > 10'000'000'000;
                }
            return std::ranges::all_of(told, std::identity());
        },
        10s);
    EXPECT_EQ(watch.stop().code, 0);
    for (auto& culprit : culprits) {
        const Snapshot taken = snapshot(culprit->selection());
        const json* socket = find_socket(taken.document, culprit->truth());
        ASSERT_TRUE(socket) << culprit->truth();
        const auto wrong = disagreements(*socket, culprit->truth(), Tracing::after);
        EXPECT_TRUE(wrong.empty()) << joined(wrong) << socket->dump(1);
    }
}

// The first line may come before the program gets to read the end of the stream. That it has since is told,
// where it changes nothing else: others at work keep the verdict what it was.
TEST(HandedOn, ThatTheEndWasReadSinceTheLastLineIsTold) {
    Connection connection;
    std::atomic<bool> over = false;
    std::thread worker([&over] {
        while (!over) std::this_thread::yield();
    });
    Watch watch({"-p", std::to_string(getpid()), "-L", std::to_string(connection.port), "--min-held", "0ms"});
    connection.client.reset();
    const json first = watch.until([](const json& event) { return event.at("event") == "held"; }, 10s);
    char byte = 0;
    EXPECT_EQ(::read(connection.server.get(), &byte, 1), 0);
    const json next = watch.until(
        [](const json& event) {
            return event.at("event") == "changed" && event.at("socket").at("eof_read") == true;
        },
        8s);
    over = true;
    worker.join();
    ASSERT_FALSE(first.is_null());
    EXPECT_EQ(first.at("socket").at("eof_read"), false) << first;
    EXPECT_FALSE(next.is_null()) << "no line said that the end of the stream was read; first: " << first;
    EXPECT_EQ(watch.stop().code, 0);
}

// Which of their threads had the connection nobody saw: one that sleeps in something else may have it.
TEST(BlockedHandlers, AreNotCalledLeakersByALookThatComesAfterwards) {
    Culprits culprits;
    for (const char* mode : {"sleep", "lock", "child", "downstream"})
        culprits.push_back(Culprit::in_position({"blocked", "--mode", mode}));
    for (auto& culprit : culprits) {
        culprit->wait_until_held_for(may_come_by);
        const Snapshot taken = snapshot(culprit->selection());
        ASSERT_TRUE(taken.document.is_object()) << taken.finished.err;
        const json* socket = find_socket(taken.document, culprit->truth());
        ASSERT_TRUE(socket) << culprit->truth();
        const json& cause = socket->at("cause");
        EXPECT_EQ(cause.at("id"), "unknown") << cause.dump(1);
        EXPECT_TRUE(fact_of(cause, "may_be_handled")) << cause.dump(1);
    }
}

}  // namespace runtime
