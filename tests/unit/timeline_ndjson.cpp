// SPDX-License-Identifier: BSD-2-Clause
// The holds as lines of JSON: the contract's names, in the contract's order.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "output/format.h"
#include "output/json.h"
#include "timeline/wall_clock.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using nlohmann::ordered_json;

std::vector<ordered_json> lines_of(const Timeline& timeline) {
    std::vector<ordered_json> lines;
    std::istringstream in(written(timeline, write_ndjson));
    for (std::string line; std::getline(in, line);) lines.push_back(ordered_json::parse(line));
    return lines;
}

std::vector<std::string> keys_of(const ordered_json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    return keys;
}

TEST(TimelineNdjson, AHoldIsTheContract) {
    const ordered_json expected = ordered_json::parse(R"json({
        "id": "4026531840:73012", "netns": 4026531840, "cookie": "73012",
        "family": "ipv4", "local": {"address": "10.0.0.7", "port": 8080},
        "remote": {"address": "10.2.3.4", "port": 51234},
        "role": "server", "accepted": true, "eof_read": true, "received_bytes": null, "unread_bytes": 0, "unsent_bytes": 5,
        "held_ns": 8000000500, "held_since": "2026-11-20T20:00:01.000000000Z", "held_precision": "exact",
        "holders": [{"pid": 4121, "fd": 57, "comm": "orders", "exe": "/usr/bin/orders", "close_on_exec": true,
                     "cgroup": "/system.slice/orders.service", "container": null,
                     "started_at": "2026-11-20T18:38:20.000000000Z"}],
        "peer": {"local_holder": null},
        "keepalive": null,
        "watched_by": null,
        "opened_at": null,
        "culprit": {"pid": 4121, "tid": 4188, "comm": "worker", "basis": "read-eof"},
        "cause": {"id": "handler-blocked", "confidence": "likely", "summary": "thread worker waits for a lock",
                  "because": [
                      {"pid": 4121, "tid": 4188, "comm": "worker", "waits_for": "lock", "for_ns": 1790000000,
                       "detail": "mutex 0x7f held by tid 4190", "on": {"pid": 4121, "tid": 4190},
                       "function": null},
                      {"pid": 4121, "tid": 4190, "comm": "auditor", "waits_for": "disk", "for_ns": null,
                       "detail": "fdatasync(fd 12)", "on": null, "function": null}],
                  "contributing": ["peer-timeout"],
                  "evidence": [{"fact": "eof_read", "value": true, "text": "its FIN was read"},
                               {"fact": "count", "value": 3, "text": "three"},
                               {"fact": "name", "value": "n", "text": null}],
                  "advice": "look at the lock"},
        "open": false, "wait_class": "lock", "closer": {"pid": 4121, "tid": 4188, "comm": "worker"},
        "frames": ["main", "handle_request", "libc.so.6+0x9f3", "futex_wait_[k]"],
        "owner": {"pid": 4121, "comm": "orders"}, "held_by": null})json");
    const auto lines = lines_of(incident());
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].dump(1), expected.dump(1));
}

TEST(TimelineNdjson, KeysAreThoseOfASocket) {
    const ordered_json socket = output::socket_json(model::Hold{}, 0, 0);
    for (const ordered_json& line : lines_of(incident())) {
        std::vector<std::string> keys = keys_of(line);
        keys.resize(socket.size());
        EXPECT_EQ(keys, keys_of(socket));
    }
}

TEST(TimelineNdjson, UnknownIsNull) {
    Timeline t;
    t.holds.emplace_back();
    const auto lines = lines_of(t);
    ASSERT_EQ(lines.size(), 1U);
    for (const auto& [key, value] : lines[0].items()) {
        if (key == "local" || key == "remote" || key == "holders" || key == "peer" || key == "open") continue;
        EXPECT_TRUE(value.is_null()) << key;
    }
    EXPECT_EQ(lines[0]["holders"], ordered_json::array());
    EXPECT_TRUE(lines[0]["local"]["address"].is_null());
    // Without a wall clock, a moment has no name.
    t.holds[0].since_ns = 5;
    EXPECT_TRUE(lines_of(t)[0]["held_since"].is_null());
}

TEST(TimelineNdjson, HostileNamesAreText) {
    for (const std::string& name : hostile_names()) {
        const auto lines = lines_of(hostile(name));
        ASSERT_EQ(lines.size(), 2U);
        const ordered_json same = ordered_json::parse(output::dump(name));
        if (name.find('\xff') == std::string::npos) {
            EXPECT_EQ(lines[0]["holders"][0]["comm"], same);
        }
        EXPECT_FALSE(lines[0]["cause"]["summary"].is_null());
    }
}

TEST(TimelineNdjson, WallClockSaysTheSameAsTheSlowOne) {
    Dice dice(7);
    WallClock clock(kWallOffset);
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t at = dice.one_in(2) ? kFrom + dice.below(3 * kSecond) : dice.below(1ULL << 62);
        ASSERT_EQ(clock.text(at), output::rfc3339(static_cast<std::int64_t>(at) + kWallOffset));
    }
    EXPECT_EQ(WallClock(std::nullopt).text(5), "");
    EXPECT_EQ(WallClock(-10).text(5), output::rfc3339(-5));
}

}  // namespace
}  // namespace waitclose::timeline
