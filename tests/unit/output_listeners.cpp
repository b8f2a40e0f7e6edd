// SPDX-License-Identifier: BSD-2-Clause
// The listeners of a snapshot, in JSON and in the header for people.
#include <cerrno>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "output/listeners.h"
#include "output/snapshot_text.h"
#include "output_fixture.h"

namespace waitclose::output {
namespace {

using namespace testing_machine;
using nlohmann::ordered_json;

std::uint32_t& members(model::AcceptQueue& queue, model::TcpState state) {
    return queue.by_state[static_cast<std::size_t>(state)];
}

/// A listener on port 8080 whose queue of 128 holds 129.
Machine full_queue() {
    Machine machine;
    machine.add_process(4121, "java");
    model::Socket& listener = machine.census.listeners.emplace_back();
    listener.state = model::TcpState::kListen;
    listener.netns = 4026531840;
    listener.local = ipv4(10, 0, 0, 7, 8080);
    listener.backlog = 129;
    listener.backlog_limit = 128;
    listener.first_holder = 0;
    listener.holder_count = 1;
    machine.census.holders.push_back({0, 6, true});
    model::AcceptQueue& queue = machine.census.accept.queues.emplace_back();
    queue.walked = 129;
    members(queue, model::TcpState::kCloseWait) = 120;
    members(queue, model::TcpState::kClose) = 9;
    queue.oldest_since_ns = kNow - 12 * kSecond;
    return machine;
}

void count(Machine& machine) {
    model::AcceptSide& side = machine.census.accept;
    side.counted = true;
    side.window_ns = 2 * kSecond;
    side.calls.push_back({.listener = 0,
                          .pid = 4121,
                          .tid = 4130,
                          .thread_start_ns = 1,
                          .error = 0,
                          .total = 5000,
                          .recent = 25,
                          .last_ns = kNow});
    side.calls.push_back({.listener = 0,
                          .pid = 4121,
                          .tid = 4130,
                          .thread_start_ns = 1,
                          .error = EMFILE,
                          .total = 400,
                          .recent = 312,
                          .last_ns = kNow});
    model::NetworkFacts& network = side.networks[4026531840];
    network.somaxconn = 128;
    network.listen_overflows = model::GrowingCount{5000, 7};
    network.listen_drops = model::GrowingCount{5000, std::nullopt};
}

std::vector<std::string> lines_of(const Machine& machine) {
    return listener_lines(machine.census, model::listeners_meant(machine.census, {}, {}), {});
}

TEST(OutputListeners, JsonHasNullForWhatIsNotKnown) {
    Machine machine = full_queue();
    machine.census.accept.queues.clear();
    EXPECT_EQ(listener_json(machine.census, 0), ordered_json::parse(R"({
        "local": {"address": "10.0.0.7", "port": 8080}, "family": "ipv4", "netns": 4026531840,
        "owners": [{"pid": 4121, "fd": 6, "comm": "java"}],
        "backlog": 129, "backlog_limit": 128, "backlog_limit_from": null,
        "queued": null, "walked": null, "oldest_ns": null, "window_ns": null,
        "failed_accepts": null, "accept_rate": null, "overflows": null, "drops": null})"));
}

TEST(OutputListeners, JsonHasWhatWasCounted) {
    Machine machine = full_queue();
    count(machine);
    EXPECT_EQ(listener_json(machine.census, 0), ordered_json::parse(R"({
        "local": {"address": "10.0.0.7", "port": 8080}, "family": "ipv4", "netns": 4026531840,
        "owners": [{"pid": 4121, "fd": 6, "comm": "java"}],
        "backlog": 129, "backlog_limit": 128, "backlog_limit_from": "somaxconn",
        "queued": {"CLOSE": 9, "CLOSE_WAIT": 120}, "walked": 129, "oldest_ns": 12000000000, "window_ns": 2000000000,
        "failed_accepts": {"EMFILE": {"recent": 312, "total": 400}}, "accept_rate": 12.5,
        "overflows": 7, "drops": null})"));
}

TEST(OutputListeners, AnEmptyQueueIsKnownToBeEmpty) {
    Machine machine = full_queue();
    machine.census.listeners[0].backlog = 0;
    machine.census.accept.queues[0] = {};
    EXPECT_EQ(listener_json(machine.census, 0).at("queued"), ordered_json::object());
    EXPECT_TRUE(lines_of(machine).empty());
}

TEST(OutputListeners, LinesSayWhatIsWrong) {
    Machine machine = full_queue();
    count(machine);
    const auto lines = lines_of(machine);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(
        lines[0],
        "port 8080 of java (4121): 129 waiting, limit 128 (somaxconn): 120 hung up by the peer, 9 reset "
        "by the peer; the first for at least 12 s; 12 accepted a second; accept() failed 312 times with "
        "EMFILE; ListenOverflows grew by 7");
}

TEST(OutputListeners, AQueueThatOnlyHoldsConnectionsIsHealthy) {
    Machine machine = full_queue();
    machine.census.listeners[0].backlog = 20;
    model::AcceptQueue& queue = machine.census.accept.queues[0];
    queue = {};
    queue.walked = members(queue, model::TcpState::kEstablished) = 20;
    EXPECT_TRUE(lines_of(machine).empty());
    members(queue, model::TcpState::kClose) = 1;
    EXPECT_EQ(lines_of(machine).size(), 1U);
}

TEST(OutputListeners, ManyAreCutShort) {
    Machine machine;
    for (int i = 0; i < 9; ++i) {
        model::Socket& listener = machine.census.listeners.emplace_back();
        listener.backlog = static_cast<std::uint32_t>(10 + i);
        listener.backlog_limit = 10;
    }
    const auto lines = lines_of(machine);
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_NE(lines[0].find("18 waiting"), std::string::npos) << "the fullest first";
    EXPECT_EQ(lines[5], "and 4 more (--json lists all)");
}

TEST(OutputListeners, NamesAreEscapedAndLinesFit) {
    Machine machine = full_queue();
    count(machine);
    machine.census.processes[0].comm = "\033[2J<script>";
    const std::string text =
        written_by([&](Sink& sink) { write_snapshot_header(sink, machine.view(), {.width = 80}); });
    EXPECT_TRUE(is_harmless(text)) << text;
    EXPECT_LE(widest_line(text), 80U);
    EXPECT_NE(text.find("\nQueue   port 8080 of "), std::string::npos) << text;
}

TEST(OutputListeners, TimeWaitIsRemarkedOnWhenItNearsItsLimit) {
    Machine machine;
    model::NetworkFacts& network = machine.census.accept.networks[1];
    EXPECT_EQ(time_wait_remark(machine.census), "");
    network.time_wait = 500;
    network.time_wait_limit = 1000;
    EXPECT_EQ(time_wait_remark(machine.census), ", 50 % of tcp_max_tw_buckets");
    machine.census.accept.networks[2].time_wait = 5;
    EXPECT_EQ(time_wait_remark(machine.census), ", 50 % of tcp_max_tw_buckets in one network namespace");
    network.time_wait = 499;
    EXPECT_EQ(time_wait_remark(machine.census), "");
    EXPECT_EQ(networks_json(machine.census).dump(),
              R"([{"netns":1,"somaxconn":null,"time_wait":499,"time_wait_limit":1000},)"
              R"({"netns":2,"somaxconn":null,"time_wait":5,"time_wait_limit":null}])");
}

}  // namespace
}  // namespace waitclose::output
