// SPDX-License-Identifier: BSD-2-Clause
// The JSON contract, field by field.
#include "output/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

#include "output/snapshot_json.h"
#include "output/watch_json.h"
#include "output_fixture.h"

namespace waitclose::output {
namespace {

using namespace testing_machine;
using nlohmann::ordered_json;

TEST(CommJson, ANameThatIsNotKnownIsNull) {
    EXPECT_EQ(comm_json("java"), "java");
    EXPECT_TRUE(comm_json("").is_null());
}

/// The socket of the design, with everything that can be known.
Machine full_machine() {
    Machine machine = one_leak();
    model::Process& process = machine.census.processes[0];
    process.exe = "/usr/bin/java";
    process.cgroup = "/system.slice/orders.service";
    process.start_ns = kNow - 3600 * kSecond;
    machine.census.sockets[0].peer_holder = 0;
    machine.census.sockets[0].received_bytes = 40;
    machine.census.sockets[0].keepalive = {true, 7200 * kSecond, 75 * kSecond, 9, 0, kNow, 0};
    machine.census.sockets[0].unread_bytes = 17;
    machine.census.sockets[0].unsent_bytes = 5;
    machine.diagnosis.because = {
        {4121, 4188, "http-exec-17", "lock", 1'790'000'000, "mutex 0x7f held by tid 4190",
         diagnose::ThreadId{4121, 4190}},
        {4121, 4190, "auditor", "disk", std::nullopt, "fdatasync(fd 12)", std::nullopt}};
    machine.diagnosis.contributing = {"peer-timeout"};
    machine.diagnosis.evidence = {{"eof_read", true, "its FIN was read"},
                                  {"count", std::int64_t{3}, "three"},
                                  {"name", std::string("x\xff"), "t\xff"}};
    return machine;
}

/// The object as a consumer reads it.
ordered_json first_socket(const Machine& machine) {
    return ordered_json::parse(
        dump(socket_json(machine.census, machine.census.sockets[0], machine.diagnosis)));
}

TEST(OutputJson, SocketIsTheContract) {
    const ordered_json expected = ordered_json::parse(R"json({
        "id": "4026531840:73012", "netns": 4026531840, "cookie": "73012",
        "family": "ipv4", "local": {"address": "10.0.0.7", "port": 8080},
        "remote": {"address": "10.2.3.4", "port": 51234},
        "role": "server", "accepted": true, "eof_read": true, "received_bytes": 40, "unread_bytes": 17, "unsent_bytes": 5,
        "held_ns": 1840000000, "held_since": "2026-11-20T19:59:58.283456789Z", "held_precision": "exact",
        "holders": [{"pid": 4121, "fd": 57, "comm": "java", "exe": "/usr/bin/java", "close_on_exec": true,
                     "cgroup": "/system.slice/orders.service", "container": null,
                     "started_at": "2026-11-20T19:00:00.123456789Z"}],
        "peer": {"local_holder": {"pid": 4121, "fd": 57, "comm": "java"}},
        "keepalive": {"on": true, "first_probe_at": null, "gives_up_at": null},
        "watched_by": null,
        "opened_at": null,
        "culprit": {"pid": 4121, "tid": 4188, "comm": "http-exec-17", "basis": "read-eof"},
        "cause": {"id": "eof-ignored", "confidence": "proven",
                  "summary": "thread http-exec-17 read end-of-file 1.8 s ago and never closed fd 57",
                  "because": [
                      {"pid": 4121, "tid": 4188, "comm": "http-exec-17", "waits_for": "lock", "for_ns": 1790000000,
                       "detail": "mutex 0x7f held by tid 4190", "on": {"pid": 4121, "tid": 4190},
                       "function": null},
                      {"pid": 4121, "tid": 4190, "comm": "auditor", "waits_for": "disk", "for_ns": null,
                       "detail": "fdatasync(fd 12)", "on": null, "function": null}],
                  "contributing": ["peer-timeout"],
                  "evidence": [{"fact": "eof_read", "value": true, "text": "its FIN was read"},
                               {"fact": "count", "value": 3, "text": "three"},
                               {"fact": "name", "value": "x\ufffd", "text": "t\ufffd"}],
                  "advice": "Close the connection when read() returns 0. Held until java closes it or exits."}})json");
    // As text, so that the order of the keys counts too.
    EXPECT_EQ(first_socket(full_machine()).dump(1), expected.dump(1));
}

TEST(OutputJson, WhenKeepaliveWouldEndIt) {
    Machine machine = full_machine();
    EXPECT_TRUE(first_socket(machine).at("keepalive").at("gives_up_at").is_null())
        << "data is unacknowledged";
    machine.census.sockets[0].unsent_bytes = 0;
    EXPECT_EQ(first_socket(machine).at("keepalive").dump(),
              R"({"on":true,"first_probe_at":"2026-11-20T22:00:00.123456789Z",)"
              R"("gives_up_at":"2026-11-20T22:11:15.123456789Z"})");
    machine.census.sockets[0].keepalive.on = false;
    EXPECT_EQ(first_socket(machine).at("keepalive").dump(), R"({"on":false})");
}

TEST(OutputJson, WhoWatchesIsNullWhenNotKnownAndEmptyWhenNobodyDoes) {
    Machine machine = full_machine();
    model::Socket& socket = machine.census.sockets[0];
    socket.watching = model::Watching::kNobody;
    EXPECT_EQ(first_socket(machine).at("watched_by"), ordered_json::array());
    socket.watching = model::Watching::kSome;
    socket.watches = std::make_unique<std::vector<model::Watch>>(2);
    socket.watches->front().kind = model::WatchKind::kEpoll;
    socket.watches->front().fd = 57;
    socket.watches->front().events = 1;
    EXPECT_EQ(first_socket(machine).at("watched_by").dump(),
              R"([{"kind":"epoll","fd":57,"events":"EPOLLIN","ready":false},)"
              R"({"kind":"other","fd":null,"events":null,"ready":null}])");
    socket.watching = model::Watching::kUnknown;
    EXPECT_TRUE(first_socket(machine).at("watched_by").is_null());
}

TEST(OutputJson, UnknownIsNull) {
    Machine machine;
    model::Socket& socket = machine.add_socket(machine.add_process(1, "x"), 3, 0);
    socket.role = model::Role::kUnknown;
    socket.held_since_ns = 0;
    const ordered_json object = first_socket(machine);
    for (const char* key : {"accepted", "held_ns", "held_since", "held_precision", "culprit"}) {
        EXPECT_TRUE(object.at(key).is_null()) << key;
    }
    for (const char* key : {"exe", "cgroup", "container", "started_at"}) {
        EXPECT_TRUE(object.at("holders")[0].at(key).is_null()) << key;
    }
    EXPECT_TRUE(object.at("peer").at("local_holder").is_null());
    EXPECT_EQ(object.at("role"), "unknown");
    EXPECT_EQ(object.at("cause").at("id"), "unknown");
    EXPECT_EQ(object.at("cause").at("because"), ordered_json::array());
}

TEST(OutputJson, AThreadThatIsNotKnownIsNull) {
    Machine machine = full_machine();
    machine.diagnosis.because[0].on = diagnose::ThreadId{4242, 0};
    const auto on = first_socket(machine).at("cause").at("because").at(0).at("on");
    EXPECT_EQ(on.at("pid"), 4242);
    EXPECT_TRUE(on.at("tid").is_null()) << "a file lock is held by a process";
}

TEST(OutputJson, AcceptedIsAboutServersOnly) {
    Machine machine = one_leak();
    model::Socket& socket = machine.census.sockets[0];
    EXPECT_EQ(first_socket(machine).at("accepted"), true);
    socket.has_file = false;
    socket.listener = 0;
    EXPECT_EQ(first_socket(machine).at("accepted"), false);
    socket.role = model::Role::kUnknown;
    EXPECT_EQ(first_socket(machine).at("accepted"), false);
    socket.role = model::Role::kClient;
    EXPECT_TRUE(first_socket(machine).at("accepted").is_null());
    socket = model::Socket{};
    socket.role = model::Role::kServer;
    socket.kernel_owned = true;
    EXPECT_TRUE(first_socket(machine).at("accepted").is_null());
}

TEST(OutputJson, CulpritMayBeAProcessOnly) {
    Machine machine = one_leak();
    machine.diagnosis.culprit = diagnose::Culprit{4121, std::nullopt, "java", diagnose::Basis::kProcess};
    EXPECT_EQ(first_socket(machine).at("culprit").dump(),
              R"({"pid":4121,"tid":null,"comm":"java","basis":"process"})");
}

TEST(OutputJson, LowerBoundsAndIpv6) {
    Machine machine = one_leak();
    model::Socket& socket = machine.census.sockets[0];
    socket.precision = model::Precision::kAtLeast;
    socket.family = model::Family::kIpv6;
    socket.local.address = {};
    socket.local.address[15] = 1;
    const ordered_json object = first_socket(machine);
    EXPECT_EQ(object.at("held_precision"), "at-least");
    EXPECT_EQ(object.at("family"), "ipv6");
    EXPECT_EQ(object.at("local").at("address"), "::1");
}

TEST(OutputJson, SnapshotIsOneObject) {
    Machine machine = full_machine();
    machine.losses = {1, 2, 3};
    machine.probes.missing = {"close"};
    const std::string text = written_by([&](Sink& sink) { write_snapshot_json(sink, machine.view()); });
    const ordered_json whole = ordered_json::parse(text);
    EXPECT_EQ(text.back(), '\n');
    ordered_json head = whole;
    head.erase("sockets");
    EXPECT_EQ(head.dump(1), ordered_json::parse(R"({
        "schema": "waitclose.snapshot/1", "taken_at": "2026-11-20T20:00:00.123456789Z",
        "host": {"hostname": "orders-7", "kernel": "6.18.44", "boot_id": "0b7c"},
        "probes": {"hooks": {"transition": "tp_btf/inet_sock_set_state", "read": "tp_btf/sock_recv_length"},
                   "missing": ["close"]},
        "states": {"ESTABLISHED": 505, "TIME_WAIT": 9, "CLOSE_WAIT": 1, "LISTEN": 3},
        "losses": {"ring": 1, "storage": 2, "reconciled": 3},
        "unreachable": 0, "nested_pid_namespace": false, "window": null,
        "left_out": {"by_address": 0, "by_age": 0, "by_holder": 0}, "networks": [], "listeners": [],
        "groups": [{"owner": {"pid": 4121, "comm": "java"}, "cause": "eof-ignored", "confidence": "proven",
                    "local_port": 8080, "remote": null, "sockets": 1, "oldest_held_ns": 1840000000,
                    "culprits": 1, "top_culprits": [],
                    "members": {"oldest": "4026531840:73012", "youngest": "4026531840:73012",
                                "typical": "4026531840:73012", "most_unread": "4026531840:73012"},
                    "typical_held_ns": 1840000000,
                    "fds": {"used": null, "limit": null, "holds_per_s": null, "full_in_ns": null, "basis": null}}]})")
                                .dump(1));
    EXPECT_EQ(whole.at("sockets").dump(), ordered_json::array({first_socket(machine)}).dump());
}

TEST(OutputJson, SnapshotOfNothingAndOfMany) {
    Machine machine;
    const auto text = [&] {
        return written_by([&](Sink& sink) { write_snapshot_json(sink, machine.view()); });
    };
    EXPECT_EQ(ordered_json::parse(text()).at("sockets"), ordered_json::array());
    EXPECT_EQ(ordered_json::parse(text()).at("groups"), ordered_json::array());
    const std::uint32_t process = machine.add_process(1, "x");
    for (int i = 0; i < 1000; ++i) machine.add_socket(process, i, kSecond);
    machine.selected.pop_back();  // a filter
    const ordered_json whole = ordered_json::parse(text());
    ASSERT_EQ(whole.at("sockets").size(), 999U);
    EXPECT_EQ(whole.at("sockets")[998].at("holders")[0].at("fd"), 998);
}

TEST(OutputJson, HostileNamesAreHarmlessAndSurvive) {
    Machine machine = full_machine();
    const std::string evil = "\x1b[2J<script>\"\n\x9b\xff";
    machine.census.processes[0].comm = evil;
    machine.census.processes[0].exe = evil;
    machine.census.processes[0].cgroup = evil + std::string(10'000, '\x1b');
    machine.census.processes[0].container = evil;
    machine.diagnosis.culprit->comm = evil;
    machine.diagnosis.summary = machine.diagnosis.advice = evil;
    machine.diagnosis.because[0].comm = machine.diagnosis.because[0].detail = evil;
    machine.groups[0].owner_comm = evil;
    machine.host.hostname = evil;
    const std::string text = written_by([&](Sink& sink) { write_snapshot_json(sink, machine.view()); });
    EXPECT_TRUE(is_harmless(text));
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; }));
    EXPECT_EQ(ordered_json::parse(text).at("sockets")[0].at("holders")[0].at("comm"),
              "\x1b[2J<script>\"\n\ufffd\ufffd");
}

model::Hold example_hold() {
    model::Hold hold;
    hold.connection = {
        {4026531840, 73012}, model::Family::kIpv4, ipv4(10, 0, 0, 7, 8080), ipv4(10, 2, 3, 4, 51234)};
    hold.since_ns = kNow - kSecond;
    return hold;
}

TEST(OutputJson, DumpIsAscii) {
    EXPECT_EQ(dump("\x1b[2J<script>\x7f\xc2\x9b\u202e\xff"),
              R"("\u001b[2J<script>\u007f\u009b\u202e\ufffd")");
    EXPECT_EQ(dump("\"\\\n\U0001f600"), R"("\"\\\n\ud83d\ude00")");
}

TEST(OutputJson, HoldCanBeBroughtUpToDate) {
    const Machine machine = one_leak();
    ordered_json object = first_socket(machine);
    const std::string before = dump(object);
    set_hold(object, 5 * kSecond, kNow - kSecond, model::Precision::kAtLeast, kWall);
    EXPECT_EQ(object.at("held_ns"), 5 * kSecond);
    EXPECT_EQ(object.at("held_since"), "2026-11-20T19:59:59.123456789Z");
    EXPECT_EQ(object.at("held_precision"), "at-least");
    set_hold(object, 1'840'000'000, kNow - 1'840'000'000, model::Precision::kExact, kWall);
    EXPECT_EQ(dump(object), before) << "the order of the keys stays";
}

TEST(OutputJson, EventsGiveTheSameKeys) {
    const ordered_json bare = socket_json(example_hold(), kSecond, kWall);
    const ordered_json full = first_socket(full_machine());
    ASSERT_EQ(bare.size(), full.size());
    for (auto a = bare.begin(), b = full.begin(); a != bare.end(); ++a, ++b) EXPECT_EQ(a.key(), b.key());
    EXPECT_EQ(bare.at("held_ns"), kSecond);
    EXPECT_EQ(bare.at("held_since"), "2026-11-20T19:59:59.123456789Z");
    EXPECT_EQ(bare.at("held_precision"), "exact");
    EXPECT_TRUE(bare.at("holders").is_null());
    EXPECT_TRUE(bare.at("cause").is_null());
}

TEST(OutputWatchJson, OneLineAnEvent) {
    EXPECT_EQ(watch_line(WatchEvent::kHeld, 0, {{"id", "1:2"}}),
              R"({"event":"held","at":"1970-01-01T00:00:00.000000000Z","socket":{"id":"1:2"}})"
              "\n");
    const std::string line = watch_line(WatchEvent::kEntered, 0, socket_json(example_hold(), 0, kWall));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(ordered_json::parse(line).at("event"), "entered");
    EXPECT_EQ(word_of(WatchEvent::kChanged), "changed");
}

TEST(OutputWatchJson, ClosedNamesTheCloser) {
    model::Left left;
    model::Actor closer;
    closer.pid = 4121;
    closer.tid = 4188;
    std::memcpy(closer.comm.data(), "a\xff", 2);
    left.closer = closer;
    ordered_json line = ordered_json::parse(watch_line(WatchEvent::kClosed, 0, nullptr, &left));
    EXPECT_EQ(line.at("closer").dump(), "{\"pid\":4121,\"tid\":4188,\"comm\":\"a\ufffd\"}");
    EXPECT_EQ(line.at("ended_by"), "program");
    left = {};
    left.end = model::End::kError;
    line = ordered_json::parse(watch_line(WatchEvent::kClosed, 0, nullptr, &left));
    EXPECT_TRUE(line.at("closer").is_null());
    EXPECT_EQ(line.at("ended_by"), "error");
    line = ordered_json::parse(watch_line(WatchEvent::kClosed, 0, nullptr, nullptr));
    EXPECT_TRUE(line.at("closer").is_null());
    EXPECT_TRUE(line.at("ended_by").is_null());
}

TEST(OutputWatchJson, Transitions) {
    const model::Transition transition{kNow, model::TcpState::kEstablished, model::TcpState::kCloseWait,
                                       example_hold().connection};
    EXPECT_EQ(
        transition_line(transition, kWall),
        R"({"event":"transition","at":"2026-11-20T20:00:00.123456789Z","id":"4026531840:73012",)"
        R"("netns":4026531840,"cookie":"73012","family":"ipv4","local":{"address":"10.0.0.7","port":8080},)"
        R"("remote":{"address":"10.2.3.4","port":51234},"from":"ESTABLISHED","to":"CLOSE_WAIT"})"
        "\n");
}

}  // namespace
}  // namespace waitclose::output
