// SPDX-License-Identifier: BSD-2-Clause
// Two tracers watch the same crowd of connections, one with the hooks that this kernel does best, one with
// the tracepoints of system calls alone: what they say must be the same, event for event.
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "programs.h"

namespace runtime {

namespace {

constexpr int connections = 10'000;
constexpr auto patience = 120s;

const Arguments only_system_calls{
    "--no-hook", "tp_btf/sock_recv_length",   "--no-hook", "fexit/tcp_recvmsg",
    "--no-hook", "kprobe/tcp_cleanup_rbuf",   "--no-hook", "tp_btf/sock_send_length",
    "--no-hook", "fexit/tcp_sendmsg",         "--no-hook", "kprobe/tcp_sendmsg",
    "--no-hook", "fexit/inet_accept",         "--no-hook", "kprobe/security_sock_graft",
    "--no-hook", "fentry/locks_remove_posix", "--no-hook", "kprobe/locks_remove_posix"};

// Everything about one socket that does not depend on when a tracer looked.
struct Story {
    int entered = 0;
    int closed = 0;
    json closer;
    json last;  // of the lines with a diagnosis: the current truth

    bool operator==(const Story&) const = default;
};

json essence_of(const json& socket) {
    json kept;
    for (const char* key : {"role", "accepted", "eof_read", "unread_bytes", "culprit"})
        kept[key] = socket.at(key);
    for (const json& holder : socket.at("holders"))
        kept["holders"].push_back({holder.at("pid"), holder.at("fd")});
    kept["cause"] = socket.at("cause").at("id");
    kept["confidence"] = socket.at("cause").at("confidence");
    for (const json& fact : socket.at("cause").at("evidence"))
        if (fact.at("fact") != "held_ns")
            kept["evidence"][fact.at("fact").get<std::string>()] = fact.at("value");
    return kept;
}

std::map<std::string, Story> stories_of(const Watch& watch) {
    std::map<std::string, Story> stories;
    for (const json& event : watch.events()) {
        const json& socket = event.at("socket");
        Story& story = stories[socket.at("id")];
        if (event.at("event") == "entered") {
            ++story.entered;
        } else if (event.at("event") == "closed") {
            ++story.closed;
            story.closer = event.at("closer");
        } else {
            story.last = essence_of(socket);
        }
    }
    return stories;
}

// For whoever read end-of-file, a diagnosis takes its time: the program may still answer and close.
bool read_until_settled(Watch& watch) {
    std::set<std::string> settled;
    const json last = watch.until(
        [&](const json& event) {
            if (event.at("event") != "held" && event.at("event") != "changed") return false;
            const std::string id = event.at("socket").at("id");
            const json& socket = event.at("socket");
            if (socket.at("eof_read") == true && socket.at("cause").at("id") == "unknown")
                settled.erase(id);
            else
                settled.insert(id);
            return settled.size() == connections;
        },
        patience);
    return !last.is_null();
}

void read_until_closed(Watch& watch) {
    int closed = 0;
    watch.until([&](const json& event) { return (closed += event.at("event") == "closed") == connections; },
                patience);
}

}  // namespace

TEST(Agreement, OfFastHooksAndSystemCalls) {
    Process crowd({culprit_path("crowd"), "--connections", std::to_string(connections)});
    const auto line = crowd.read_line(20s);
    ASSERT_TRUE(line) << crowd.errors();
    const Arguments selection{"-L", json::parse(*line).at("port").dump(), "--min-held", "0ms"};
    Arguments slow_options = selection;
    slow_options.insert(slow_options.end(), only_system_calls.begin(), only_system_calls.end());
    Watch fast(selection);
    Watch slow(slow_options);
    crowd.write_line("start");
    ASSERT_TRUE(crowd.read_line(patience)) << crowd.errors();
    EXPECT_TRUE(read_until_settled(fast));
    EXPECT_TRUE(read_until_settled(slow));
    crowd.write_line("close");
    ASSERT_TRUE(crowd.read_line(patience)) << crowd.errors();
    read_until_closed(fast);
    read_until_closed(slow);
    for (Watch* watch : {&fast, &slow}) {
        const Finished finished = watch->stop();
        EXPECT_EQ(finished.code, 0) << finished.err;
        const json counted = totals(finished.err);
        EXPECT_EQ(counted.at("entered"), connections) << finished.err;
        EXPECT_EQ(counted.at("ring"), 0) << finished.err;
        EXPECT_EQ(counted.at("storage"), 0) << finished.err;
    }
    const auto quick = stories_of(fast);
    const auto thorough = stories_of(slow);
    ASSERT_EQ(quick.size(), static_cast<std::size_t>(connections));
    ASSERT_EQ(thorough.size(), static_cast<std::size_t>(connections));
    int different = 0;
    std::map<std::string, int> causes;
    for (const auto& [id, story] : quick) {
        const auto other = thorough.find(id);
        ASSERT_NE(other, thorough.end()) << id;
        ++causes[story.last.at("cause").get<std::string>()];
        EXPECT_EQ(story.entered, 1);
        EXPECT_EQ(story.closed, 1);
        if (story == other->second || ++different > 3) continue;
        ADD_FAILURE() << id << ": " << story.last << ' ' << story.closer
                      << "\nbut by system calls: " << other->second.last << ' ' << other->second.closer;
    }
    EXPECT_EQ(different, 0);
    EXPECT_GE(causes.size(), 4U) << "the crowd was to be mixed: " << json(causes);
}

}  // namespace runtime
