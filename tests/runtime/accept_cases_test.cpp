// SPDX-License-Identifier: BSD-2-Clause
// The accept side: the field cases 2, 4, 5, 6, 10, 14 and 15, and who must not be accused there.
#include <algorithm>

#include <gtest/gtest.h>

#include "cases.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto patience = 20s;

Arguments with(Arguments options, const Arguments& more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

const json* listener_of(const json& document, const json& truth) {
    for (const json& listener : document.at("listeners"))
        if (listener.at("local").at("port") == truth.at("port") && listener.at("netns") == truth.at("netns"))
            return &listener;
    return nullptr;
}

std::string waits_of(const json& socket) {
    std::string all;
    for (const json& link : socket.at("cause").at("because"))
        all += (all.empty() ? "" : " ") + link.at("waits_for").get<std::string>();
    return all;
}

// A census with a window of that length; the culprit's socket in it.
struct Seen {
    json document;
    json socket;  // null when it is not there
};

Seen look(const Culprit& culprit, const std::string& observe = "0") {
    Snapshot taken = snapshot(with(culprit.selection(), {"--observe", observe}));
    EXPECT_EQ(taken.finished.code, 0) << taken.finished.err;
    Seen seen{taken.document, nullptr};
    if (const json* socket = find_socket(taken.document, culprit.truth())) seen.socket = *socket;
    return seen;
}

json last_line_with(Watch& watch, const json& truth, const std::string& cause) {
    return watch.until(
        [&](const json& line) {
            return is_about(line, truth) && line.at("event") != "entered" &&
                   line.at("socket").at("cause").at("id") == cause;
        },
        patience);
}

}  // namespace

TEST(AcceptSide, Case02TheLeakAndWhatQueuesUpBehindIt) {
    auto culprit = Culprit::before_start({"acceptor", "--mode", "emfile"});
    Watch watch(with(culprit->selection(), {"--min-held", "0ms"}));
    culprit->reach_position();
    const json& truth = culprit->truth();
    json proven = watch.until(
        [&](const json& line) {
            return is_about(line, truth) && line.at("event") != "entered" &&
                   line.at("socket").at("cause").at("confidence") == "proven";
        },
        patience);
    ASSERT_FALSE(proven.is_null()) << truth;
    const json& queued = proven.at("socket");
    EXPECT_EQ(queued.at("cause").at("id"), "fd-limit") << queued.dump(1);
    EXPECT_EQ(queued.at("accepted"), false);
    EXPECT_EQ(queued.at("culprit").at("pid"), truth.at("pid"));
    ASSERT_TRUE(fact_of(queued.at("cause"), "failed_accepts")) << queued.dump(1);
    EXPECT_GT(fact_of(queued.at("cause"), "failed_accepts")->at("value"), 0);
    ASSERT_TRUE(fact_of(queued.at("cause"), "fds_used"));
    EXPECT_GE(fact_of(queued.at("cause"), "fds_used")->at("value"), 32);
    json leaked = watch.until(
        [&](const json& line) {
            return line.at("event") != "entered" && line.at("socket").at("accepted") == true &&
                   line.at("socket").at("cause").at("id") == "eof-ignored";
        },
        patience);
    ASSERT_FALSE(leaked.is_null());
    EXPECT_EQ(leaked.at("socket").at("culprit").at("pid"), truth.at("pid"));
    EXPECT_EQ(watch.stop().code, 0);
}

TEST(AcceptSide, Case05OutOfDescriptors) {
    auto culprit = Culprit::in_position({"acceptor", "--mode", "emfile"});
    culprit->wait_until_held_for(20ms);
    const Seen once = look(*culprit);
    ASSERT_TRUE(once.socket.is_object());
    EXPECT_EQ(once.socket.at("cause").at("id"), "fd-limit") << once.socket.dump(1);
    EXPECT_EQ(once.socket.at("cause").at("confidence"), "likely");
    const Seen traced = look(*culprit, "300ms");
    ASSERT_TRUE(traced.socket.is_object());
    EXPECT_EQ(traced.socket.at("cause").at("id"), "fd-limit");
    EXPECT_EQ(traced.socket.at("cause").at("confidence"), "proven") << traced.socket.dump(1);
    const json* listener = listener_of(traced.document, culprit->truth());
    ASSERT_TRUE(listener);
    EXPECT_GT(listener->at("failed_accepts").at("EMFILE").at("recent"), 0) << *listener;
    EXPECT_EQ(listener->at("accept_rate"), 0);
}

TEST(AcceptSide, Case05AtItsLimitWithoutEvenCallingAccept) {
    auto culprit = Culprit::in_position({"acceptor", "--mode", "limit-asleep"});
    culprit->wait_until_held_for(2100ms);
    for (const char* observe : {"0", "200ms"}) {
        const Seen seen = look(*culprit, observe);
        ASSERT_TRUE(seen.socket.is_object());
        EXPECT_EQ(seen.socket.at("cause").at("id"), "never-accepted") << seen.socket.dump(1);
        ASSERT_TRUE(fact_of(seen.socket.at("cause"), "fds_used"));
        EXPECT_GE(fact_of(seen.socket.at("cause"), "fds_used")->at("value"), 32);
    }
}

TEST(AcceptSide, Case04AsManyAsSomaxconn) {
    if (run({"unshare", "--net", "sh", "-c", "echo 16 > /proc/sys/net/core/somaxconn"}).code != 0)
        GTEST_SKIP() << "net.core.somaxconn cannot be set in a network namespace of its own here";
    auto culprit = Culprit::in_position({"accept_queue", "--mode", "somaxconn", "--netns"});
    const Seen seen = look(*culprit, "1s");
    ASSERT_TRUE(seen.socket.is_object());
    EXPECT_EQ(seen.socket.at("cause").at("id"), "never-accepted");
    EXPECT_EQ(seen.socket.at("cause").at("confidence"), "proven");
    EXPECT_EQ(seen.socket.at("culprit").at("pid"), culprit->truth().at("pid"));
    ASSERT_TRUE(fact_of(seen.socket.at("cause"), "backlog_limit_from"));
    EXPECT_EQ(fact_of(seen.socket.at("cause"), "backlog_limit_from")->at("value"), "somaxconn");
    const json* listener = listener_of(seen.document, culprit->truth());
    ASSERT_TRUE(listener);
    EXPECT_EQ(listener->at("backlog"), 17);
    EXPECT_EQ(listener->at("backlog_limit"), 16);
    EXPECT_EQ(listener->at("backlog_limit_from"), "somaxconn");
    EXPECT_EQ(listener->at("queued"), json({{"CLOSE_WAIT", 17}}));
    EXPECT_GE(listener->at("oldest_ns"), 900'000'000);
    EXPECT_GE(listener->at("overflows"), 1) << *listener;
    for (const json& network : seen.document.at("networks"))
        EXPECT_TRUE(network.at("netns") != culprit->truth().at("netns") || network.at("somaxconn") == 16)
            << network;
}

TEST(AcceptSide, Case04TheAcceptorSleeps) {
    auto culprit = Culprit::before_start({"acceptor", "--mode", "sleep"});
    Watch watch(with(culprit->selection(), {"--min-held", "0ms"}));
    culprit->reach_position();
    json line = last_line_with(watch, culprit->truth(), "never-accepted");
    ASSERT_FALSE(line.is_null());
    EXPECT_EQ(line.at("socket").at("culprit").at("tid"), culprit->truth().at("tid"));
    EXPECT_EQ(line.at("socket").at("culprit").at("basis"), "acceptor");
    EXPECT_EQ(waits_of(line.at("socket")), "sleep");
    EXPECT_EQ(watch.stop().code, 0);
}

TEST(AcceptSide, Case04TheAcceptorWaitsForALock) {
    auto culprit = Culprit::before_start({"acceptor", "--mode", "lock"});
    Watch watch(with(culprit->selection(), {"--min-held", "0ms"}));
    culprit->reach_position();
    json line = last_line_with(watch, culprit->truth(), "never-accepted");
    ASSERT_FALSE(line.is_null());
    EXPECT_EQ(line.at("socket").at("culprit").at("tid"), culprit->truth().at("tid"));
    EXPECT_EQ(waits_of(line.at("socket")), "lock pipe") << line.dump(1);
    EXPECT_EQ(watch.stop().code, 0);
}

TEST(AcceptSide, Case06QueuedBehindADebugger) {
    auto culprit = Culprit::in_position({"accept_queue", "--mode", "debugger-queued"});
    const Seen seen = look(*culprit);
    ASSERT_TRUE(seen.socket.is_object());
    EXPECT_EQ(seen.socket.at("cause").at("id"), "never-accepted") << seen.socket.dump(1);
    EXPECT_NE(seen.socket.at("cause").at("summary").get<std::string>().find("traced by debugger (pid "),
              std::string::npos)
        << seen.socket.at("cause");
    EXPECT_EQ(seen.socket.at("culprit").at("pid"), culprit->truth().at("pid"));
}

TEST(AcceptSide, Case06AcceptedBeforeTheDebuggerCame) {
    auto culprit = Culprit::in_position({"accept_queue", "--mode", "debugger-accepted"});
    const Seen seen = look(*culprit);
    ASSERT_TRUE(seen.socket.is_object());
    EXPECT_EQ(seen.socket.at("cause").at("id"), "stopped") << seen.socket.dump(1);
    EXPECT_EQ(seen.socket.at("cause").at("confidence"), "proven");
    EXPECT_NE(seen.socket.at("cause").at("summary").get<std::string>().find("traced by debugger (pid "),
              std::string::npos)
        << seen.socket.at("cause");
}

TEST(AcceptSide, Case10ABurstThatWaitsLongerThanItsClients) {
    auto culprit = Culprit::in_position({"acceptor", "--mode", "slow"});
    const Seen seen = look(*culprit, "1s");
    ASSERT_TRUE(seen.socket.is_object());
    EXPECT_EQ(seen.socket.at("cause").at("id"), "never-accepted");
    EXPECT_NE(seen.socket.at("cause").at("summary").get<std::string>().find(" times a second: the queue of "),
              std::string::npos)
        << seen.socket.at("cause");
    const json* listener = listener_of(seen.document, culprit->truth());
    ASSERT_TRUE(listener);
    EXPECT_GT(listener->at("accept_rate"), 1) << *listener;
    EXPECT_LE(listener->at("accept_rate"), 21) << *listener;
    EXPECT_GE(listener->at("oldest_ns"), 500'000'000) << *listener;
    EXPECT_EQ(listener->at("failed_accepts"), json::object()) << *listener;
}

TEST(AcceptSide, Case14ResetWhileInTheQueue) {
    auto culprit = Culprit::in_position({"accept_queue", "--mode", "reset"});
    const Seen seen = look(*culprit);
    ASSERT_TRUE(seen.socket.is_object());
    EXPECT_EQ(seen.document.at("sockets").size(), 2U) << "one that was reset is no hold";
    const json* listener = listener_of(seen.document, culprit->truth());
    ASSERT_TRUE(listener);
    EXPECT_EQ(listener->at("backlog"), 5);
    EXPECT_EQ(listener->at("queued"), json({{"ESTABLISHED", 1}, {"CLOSE_WAIT", 2}, {"CLOSE", 2}}));
    Arguments argv{waitclose_binary(), "snapshot"};
    for (const std::string& word : culprit->selection()) argv.push_back(word);
    const Finished text = run(argv);
    EXPECT_NE(text.out.find("reset by the"), std::string::npos) << text.out;
}

TEST(AcceptSide, Case15TimeWaitAgainstItsLimit) {
    if (run({"unshare", "--net", "sh", "-c", "echo 16 > /proc/sys/net/ipv4/tcp_max_tw_buckets"}).code != 0)
        GTEST_SKIP() << "tcp_max_tw_buckets cannot be set in a network namespace of its own here";
    auto server = Culprit::in_position({"time_wait", "--netns"});
    const json& netns = server->truth().at("netns");
    const Snapshot taken = snapshot({"--netns", netns.dump()});
    ASSERT_EQ(taken.document.at("networks").size(), 1U) << taken.finished.err;
    const json& network = taken.document.at("networks").at(0);
    EXPECT_EQ(network.at("netns"), netns);
    EXPECT_EQ(network.at("time_wait"), 10) << network;
    EXPECT_EQ(network.at("time_wait_limit"), 16) << network;
    const Finished text = run({waitclose_binary(), "snapshot", "--netns", netns.dump()});
    EXPECT_NE(text.out.find("TIME_WAIT 10 (normal end, 62 % of tcp_max_tw_buckets)"), std::string::npos)
        << text.out;
}

TEST(AcceptSide, OfSeveralWithOnePortOnlyTheStuckOneIsAccused) {
    auto culprit = Culprit::in_position({"accept_queue", "--mode", "reuseport"});
    culprit->wait_until_held_for(20ms);
    for (const char* observe : {"0", "200ms"}) {
        const Seen seen = look(*culprit, observe);
        ASSERT_TRUE(seen.socket.is_object());
        EXPECT_EQ(seen.socket.at("cause").at("id"), "never-accepted");
        for (const json& socket : seen.document.at("sockets"))
            EXPECT_EQ(socket.at("culprit").at("pid"), culprit->truth().at("pid")) << socket.dump(1);
    }
}

// What each of them does is evidence; the group is their master's, which accuses nobody.
TEST(AcceptSide, OfTwoThatShareAListenerNobodyIsAccused) {
    auto culprit = Culprit::in_position({"never_accepted", "--mode", "shared"});
    culprit->wait_until_held_for(20ms);
    for (const char* observe : {"0", "200ms"}) {
        const Seen seen = look(*culprit, observe);
        ASSERT_TRUE(seen.socket.is_object());
        EXPECT_EQ(seen.socket.at("cause").at("id"), "never-accepted");
        EXPECT_TRUE(seen.socket.at("culprit").is_null()) << seen.socket.dump(1);
        const json& evidence = seen.socket.at("cause").at("evidence");
        const auto shares = [](const json& fact) { return fact.at("fact") == "shares_listener"; };
        EXPECT_EQ(std::ranges::count_if(evidence, shares), 2) << evidence;
        for (const json& group : seen.document.at("groups"))
            EXPECT_TRUE(group.at("owner").is_object()) << group;
    }
}

TEST(AcceptSide, AgainIsNoFailure) {
    auto healthy = Culprit::before_start({"accept_queue", "--mode", "nonblocking"});
    Watch watch(with(healthy->selection(), {"--min-held", "100ms"}));
    healthy->reach_position();
    const Seen seen = look(*healthy, "200ms");
    EXPECT_TRUE(seen.document.at("sockets").empty()) << seen.document.at("sockets");
    const json* listener = listener_of(seen.document, healthy->truth());
    ASSERT_TRUE(listener);
    EXPECT_EQ(listener->at("failed_accepts"), json::object());
    EXPECT_EQ(watch.stop().code, 0);
    for (const json& line : watch.events())
        EXPECT_TRUE(line.at("event") != "held" && line.at("event") != "changed") << line.dump(1);
}

}  // namespace runtime
