// SPDX-License-Identifier: BSD-2-Clause
// snapshot --explain, and the field cases whose answer it gives: a test bears its case's number.
#include <gtest/gtest.h>

#include <algorithm>

#include "clock.h"
#include "programs.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto grown = 300ms;
constexpr auto surely_forgotten = 10'200ms;  // until then somebody may still come by

Finished explain(const std::string& target, const Arguments& more = {}) {
    Arguments command{waitclose_binary(), "snapshot", "--color", "never", "--explain", target};
    command.insert(command.end(), more.begin(), more.end());
    return run(command);
}

json explained(const std::string& target, const Arguments& more = {}) {
    Arguments options{"--json"};
    options.insert(options.end(), more.begin(), more.end());
    Finished finished = explain(target, options);
    EXPECT_EQ(finished.code, 0) << finished.err;
    json document = json::parse(finished.out, nullptr, false);
    return document.is_discarded() ? json() : document;
}

std::string pid_of(const Culprit& culprit) {
    return culprit.truth().at("pid").dump();
}

json socket_of(const Culprit& culprit) {
    Snapshot taken = snapshot(culprit.selection());
    const json* found = find_socket(taken.document, culprit.truth());
    EXPECT_TRUE(found) << taken.finished.out;
    return found ? *found : json();
}

bool says(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST(Explain, AHoldInFullByItsId) {
    auto culprit = Culprit::in_position({"never_read", "--mode", "unread-data"});
    culprit->wait_until_held_for(grown);
    const json socket = socket_of(*culprit);
    const json full = explained(socket.at("id"));
    EXPECT_EQ(full.at("id"), socket.at("id"));
    EXPECT_EQ(full.at("cause").at("id"), socket.at("cause").at("id"));
    EXPECT_EQ(full.at("peer").at("local_holder").at("pid"), culprit->truth().at("peer").at("pid"));
    ASSERT_GE(full.at("alternatives").size(), 15U);
    for (const json& one : full.at("alternatives")) {
        EXPECT_NE(one.at("id"), full.at("cause").at("id"));
        EXPECT_FALSE(one.at("why_not").get<std::string>().empty()) << one;
    }
    const Finished text = explain(socket.at("id"));
    for (const char* words :
         {"Hold ", "Held ", "Culprit ", "Evidence ", "Ruled out ", "Advice ", "CLOSE_WAIT has no"})
        EXPECT_TRUE(says(text.out, words)) << words << " is missing in\n" << text.out;
}

TEST(Explain, AGroupByPidAndByPort) {
    auto culprit = Culprit::in_position({"impatient", "--mode", "server"});
    culprit->wait_until_held_for(grown);
    const std::string port = culprit->truth().at("port").dump();
    for (const std::string& target : {"pid:" + pid_of(*culprit), "port:" + port}) {
        const json full = explained(target);
        EXPECT_EQ(full.at("sockets"), 12) << full;
        EXPECT_EQ(full.at("owner").at("pid"), culprit->truth().at("pid"));
        EXPECT_EQ(full.at("typical").at("id"), full.at("members").at("typical"));
        EXPECT_EQ(full.at("others").size(), 0U);
    }
    const Finished text = explain(pid_of(*culprit));
    for (const char* words :
         {"Asked for ", "Group ", "Oldest ", "Typical ", "Youngest ", "Most unread ", "Hold "})
        EXPECT_TRUE(says(text.out, words)) << words << " is missing in\n" << text.out;
}

TEST(Explain, WhatIsNotThereIsSaid) {
    for (const char* target : {"1:1", "pid:2147483647", "port:1", "2147483647"}) {
        const Finished finished = explain(target);
        EXPECT_EQ(finished.code, 1) << target;
        EXPECT_EQ(std::ranges::count(finished.err, '\n'), 2) << finished.err;
        EXPECT_EQ(finished.out, "");
    }
}

TEST(Explain, JunkIsWrongUsage) {
    for (const char* target : {"", "x", "-1", "0", "99999999999999999999", "pid:", "pid:x", "port:65536",
                               "1:", ":1", "1:2:3", "4026531840:99999999999999999999", "\033[2J", "1 "})
        EXPECT_EQ(explain(target).code, 2) << target;
    EXPECT_EQ(explain("1", {"--sockets"}).code, 2);
}

TEST(Explain, AnEmptySelectionIsNoAllClear) {
    auto culprit = Culprit::in_position({"never_read"});
    culprit->wait_until_held_for(grown);
    for (const Arguments& options :
         {Arguments{"-L", "1"}, Arguments{"--min-held", "24h"}, Arguments{"-p", "1"}}) {
        const Finished finished = run({waitclose_binary(), "snapshot", options[0], options[1]});
        EXPECT_EQ(finished.code, 0);
        EXPECT_TRUE(says(finished.out, "no all-clear")) << finished.out;
    }
}

// Eleven are held when it begins to look, twelve when it ends.
TEST(Explain, GrowthBetweenTwoLooksIsMeasuredAndForecastsNothing) {
    auto culprit = Culprit::before_fin({"impatient", "--mode", "server"});
    TemporaryDirectory directory;
    const std::string ready = directory.path() + "/ready";
    Process looking({waitclose_binary(), "snapshot", "--json", "--min-held", "0", "--observe", "1500ms",
                     "--comm", "^impatient$", "--ready-file", ready});
    wait_for_file(ready);
    culprit->reach_position();
    EXPECT_EQ(looking.wait(20s), 0) << looking.errors();
    const json document = json::parse(looking.output(), nullptr, false);
    ASSERT_FALSE(document.is_discarded());
    const json& groups = document.at("groups");
    auto group = std::ranges::find_if(
        groups, [&](const json& one) { return one.at("owner").at("pid") == culprit->truth().at("pid"); });
    ASSERT_TRUE(group != groups.end()) << groups;
    const json& fds = group->at("fds");
    EXPECT_NEAR(fds.at("holds_per_s").get<double>(), 1 / 1.5, 0.3) << fds;
    EXPECT_TRUE(says(fds.at("basis"), "11 holds ")) << fds;
    EXPECT_TRUE(fds.at("full_in_ns").is_null()) << "one more is no lasting growth: " << fds;
}

void expect_timeout(const json& socket) {
    const json& contributing = socket.at("cause").at("contributing");
    EXPECT_TRUE(std::ranges::find(contributing, "peer-timeout") != contributing.end()) << socket.dump(1);
    const json* fact = fact_of(socket.at("cause"), "peer_timeout_ns");
    ASSERT_TRUE(fact) << socket.dump(1);
    EXPECT_GE(fact->at("value").get<std::int64_t>(), 260'000'000);
    EXPECT_LE(fact->at("value").get<std::int64_t>(), 360'000'000);
    EXPECT_TRUE(says(fact->at("text"), "(n = 12)")) << *fact;
}

void expect_timeout_in_text(const Culprit& culprit) {
    const Finished text = run({waitclose_binary(), "snapshot", "--color", "never", "-p", pid_of(culprit)});
    EXPECT_TRUE(says(text.out, "contributing: peer-timeout")) << text.out;
    EXPECT_TRUE(says(text.out, "(n = 12)")) << text.out;
}

// For ten seconds a pool may still come by.
TEST(Explain, Case07ClientsAreGroupedByTheRemoteServiceAndCase09TheClientsTimeoutContributes) {
    auto pool = Culprit::in_position({"impatient", "--mode", "pool"});
    auto server = Culprit::in_position({"impatient", "--mode", "server"});
    pool->wait_until_held_for(surely_forgotten);
    server->wait_until_held_for(surely_forgotten);
    const json of_pool = explained("pid:" + pid_of(*pool));
    EXPECT_EQ(of_pool.at("cause"), "idle-in-pool");
    EXPECT_EQ(of_pool.at("remote"), "127.0.0.1:" + pool->truth().at("remote_port").dump());
    EXPECT_TRUE(of_pool.at("local_port").is_null());
    EXPECT_EQ(of_pool.at("sockets"), 12);
    const Finished text = explain("pid:" + pid_of(*pool));
    EXPECT_TRUE(says(text.out, "to " + of_pool.at("remote").get<std::string>())) << text.out;
    const json of_server = explained("pid:" + pid_of(*server));
    EXPECT_EQ(of_server.at("cause"), "abandoned");
    expect_timeout(of_server.at("typical"));
    expect_timeout_in_text(*server);
}

TEST(Explain, Case09TheServersIdleTimeoutContributes) {
    auto culprit = Culprit::in_position({"impatient", "--mode", "pool"});
    culprit->wait_until_held_for(grown);
    expect_timeout(explained("pid:" + pid_of(*culprit)).at("typical"));
}

TEST(Explain, Case13ForEver) {
    auto culprit = Culprit::in_position({"never_read"});
    culprit->wait_until_held_for(grown);
    const json socket = socket_of(*culprit);
    EXPECT_EQ(socket.at("keepalive").at("on"), false);
    EXPECT_TRUE(says(socket.at("cause").at("advice"), "CLOSE_WAIT has no timeout"));
}

// What is foretold against what happens.
void expect_reaped(Culprit& culprit, const char* key) {
    const json socket = socket_of(culprit);
    ASSERT_EQ(socket.at("keepalive").at("on"), true) << socket;
    EXPECT_TRUE(says(socket.at("cause").at("advice"), "SO_KEEPALIVE is on: the first probe goes out in"))
        << socket.at("cause").at("advice");
    const std::int64_t foretold = boot_ns_of(socket.at("keepalive").at(key));
    const std::int64_t ended = culprit.close().at("closed_ns").get<std::int64_t>();
    // Each of the timer's runs may come an eighth late, and the stamps that it counts from are of ticks.
    EXPECT_GE(ended - foretold, -30'000'000) << key;
    EXPECT_LE(ended - foretold, 1'000'000'000) << key;
}

TEST(Explain, Case13ReapedAtTheFirstProbe) {
    auto culprit = Culprit::in_position({"reaped", "--mode", "forgotten"});
    expect_reaped(*culprit, "first_probe_at");
}

TEST(Explain, Case13ReapedAfterUnansweredProbes) {
    auto culprit = Culprit::in_position({"reaped", "--mode", "vanished"});
    expect_reaped(*culprit, "gives_up_at");
}

TEST(Explain, Case17WhoClosedAndSinceWhichForkAnotherHolds) {
    auto culprit = Culprit::before_start({"inherited", "--mode", "fork-after"});
    Watch watch({"--min-held", "50ms"});
    culprit->reach_position();
    const json line = watch.until(
        [&](const json& event) {
            return is_about(event, culprit->truth()) && event.at("event") != "entered" &&
                   event.at("socket").at("cause").at("id") == "inherited-fd";
        },
        20s);
    ASSERT_FALSE(line.is_null());
    const json& socket = line.at("socket");
    EXPECT_TRUE(says(socket.at("cause").at("summary"), "inherited by a fork")) << socket.at("cause");
    EXPECT_TRUE(says(socket.at("cause").at("summary"), "closed its own copy")) << socket.at("cause");
    const json* closed = fact_of(socket.at("cause"), "let_go");
    const json* forked = fact_of(socket.at("cause"), "start_order");
    ASSERT_TRUE(closed && forked) << socket.at("cause");
    EXPECT_TRUE(says(closed->at("text"), "ago")) << *closed;
    EXPECT_TRUE(says(forked->at("text"), "it was forked")) << *forked;
    EXPECT_EQ(socket.at("holders").at(0).at("pid"), culprit->truth().at("pid"));
    EXPECT_EQ(watch.stop().code, 0);
}

TEST(Explain, Case18UnreadBytesAndWhetherTheRequestWasEverRead) {
    auto culprit = Culprit::in_position({"never_read", "--mode", "unread-data"});
    culprit->wait_until_held_for(grown);
    const json socket = socket_of(*culprit);
    EXPECT_EQ(socket.at("unread_bytes"), 1000);
    EXPECT_EQ(socket.at("received_bytes"), 1000);
    const json* fact = fact_of(socket.at("cause"), "request_read");
    ASSERT_TRUE(fact) << socket.at("cause");
    EXPECT_EQ(fact->at("value"), false);
    EXPECT_TRUE(says(explain(socket.at("id")).out, "none of the 1000 bytes")) << explain(socket.at("id")).out;
}

}  // namespace runtime
