// SPDX-License-Identifier: BSD-2-Clause
// Two tracers watch the same crowd of connections, one with the hooks that this kernel does best, one with
// the tracepoints of system calls alone: what they say must be the same, event for event.
#include <future>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "programs.h"

namespace runtime {

namespace {

constexpr int connections = 10'000;
constexpr auto patience = 200s;     // an emulated machine needs most of it
const char* const settled = "12s";  // before, whoever read end-of-file may still be about to answer

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

// What one tracer tells, until a number of sockets has come to a point.
class Told {
public:
    explicit Told(const Arguments& options) : watch_(options) { watch_.keep_no_events(); }

    bool until_held() {
        return read_until([](const Story& story) { return !story.last.is_null(); }, "held");
    }
    bool until_closed() {
        return read_until([](const Story& story) { return story.closed > 0; }, "closed");
    }
    Finished stop() { return watch_.stop(); }
    const std::map<std::string, Story>& stories() const { return stories_; }

private:
    bool read_until(bool (*there)(const Story&), const std::string& event) {
        int count = 0;
        const json last = watch_.until(
            [&](const json& line) {
                const Story& story = add(line);
                if (line.at("event") == event && there(story)) ++count;
                return count == connections;
            },
            patience);
        return !last.is_null();
    }

    const Story& add(const json& line) {
        const json& socket = line.at("socket");
        Story& story = stories_[socket.at("id")];
        if (line.at("event") == "entered") {
            ++story.entered;
        } else if (line.at("event") == "closed") {
            ++story.closed;
            story.closer = line.at("closer");
        } else {
            story.last = essence_of(socket);
        }
        return story;
    }

    Watch watch_;
    std::map<std::string, Story> stories_;
};

// At the same time: a tracer whose lines nobody reads has to wait.
bool both(Told& one, Told& other, bool (Told::*read)()) {
    auto first = std::async(std::launch::async, [&] { return (one.*read)(); });
    const bool second = (other.*read)();
    return first.get() && second;
}

}  // namespace

TEST(Agreement, OfFastHooksAndSystemCalls) {
    Process crowd({culprit_path("crowd"), "--connections", std::to_string(connections)});
    const auto line = crowd.read_line(20s);
    ASSERT_TRUE(line) << crowd.errors();
    const Arguments selection{"-L", json::parse(*line).at("port").dump(), "--min-held", settled};
    Arguments slow_options = selection;
    slow_options.insert(slow_options.end(), only_system_calls.begin(), only_system_calls.end());
    Told fast(selection);
    Told slow(slow_options);
    crowd.write_line("start");
    ASSERT_TRUE(crowd.read_line(patience)) << crowd.errors();
    EXPECT_TRUE(both(fast, slow, &Told::until_held));
    crowd.write_line("close");
    ASSERT_TRUE(crowd.read_line(patience)) << crowd.errors();
    EXPECT_TRUE(both(fast, slow, &Told::until_closed));
    for (Told* told : {&fast, &slow}) {
        const Finished finished = told->stop();
        EXPECT_EQ(finished.code, 0) << finished.err;
        const json counted = totals(finished.err);
        // That nothing is lost show the stories below. What is counted as lost includes runs of a program
        // that the kernel skipped, were they about sockets of somebody else.
        EXPECT_EQ(counted.at("entered"), connections) << finished.err;
        EXPECT_EQ(counted.at("closed"), connections) << finished.err;
        EXPECT_EQ(counted.at("reconciled"), 0) << finished.err;
    }
    const auto& quick = fast.stories();
    const auto& thorough = slow.stories();
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
    EXPECT_GE(causes.size(), 3U) << "the crowd was to be mixed: " << json(causes);
}

}  // namespace runtime
