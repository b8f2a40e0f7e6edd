// SPDX-License-Identifier: BSD-2-Clause
// Trace events, read back and held against the model.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "output/json.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using nlohmann::json;

json trace_of(const Timeline& timeline) {
    return json::parse(written(timeline, write_chrome));
}

std::vector<json> events_of(const json& trace, const std::string& phase) {
    std::vector<json> events;
    for (const json& event : trace["traceEvents"]) {
        if (event["ph"] == phase) events.push_back(event);
    }
    return events;
}

/// From the origin of the file, in nanoseconds.
std::uint64_t ns(const json& microseconds) {
    return static_cast<std::uint64_t>(std::llround(microseconds.get<double>() * 1000));
}

constexpr std::uint64_t kOrigin = kFrom - 60 * kSecond;  // the older hold's beginning

TEST(TimelineChrome, ThreadsAreBeginningsAndEnds) {
    const json trace = trace_of(incident());
    EXPECT_EQ(trace["displayTimeUnit"], "ns");
    EXPECT_EQ(trace["otherData"]["zero_is"], "2026-11-20T19:59:00.000000000Z");
    std::vector<json> worker;
    for (const json& event : trace["traceEvents"]) {
        if (event["tid"] == 4188 && (event["ph"] == "B" || event["ph"] == "E")) worker.push_back(event);
    }
    ASSERT_EQ(worker.size(), 8U);
    EXPECT_EQ(worker[0]["name"], "running");
    EXPECT_EQ(worker[2]["name"], "waiting for a CPU");
    EXPECT_EQ(worker[3]["ts"], worker[4]["ts"]);
    EXPECT_EQ(worker[4]["name"], "blocked: lock");
    EXPECT_EQ(worker[4]["pid"], 4121);
    EXPECT_EQ(ns(worker[4]["ts"]), kFrom + 2 * kSecond + 7 - kOrigin);
    EXPECT_EQ(worker[4]["args"]["detail"], "mutex 0x7f held by tid 4190");
    EXPECT_EQ(worker[5]["args"], worker[4]["args"]);
    // The stack, from the innermost outwards.
    std::vector<std::string> names;
    for (json id = std::to_string(worker[4]["sf"].get<int>()); !id.is_null();) {
        const json& frame = trace["stackFrames"][id.get<std::string>()];
        names.push_back(frame["name"]);
        id = frame.contains("parent") ? frame["parent"] : json(nullptr);
    }
    EXPECT_EQ(names,
              (std::vector<std::string>{"futex_wait_[k]", "libc.so.6+0x9f3", "handle_request", "main"}));
}

TEST(TimelineChrome, MetadataNamesWhatIsShown) {
    std::map<std::string, std::vector<json>> names;
    for (const json& event : events_of(trace_of(incident()), "M")) {
        const json& args = event["args"];
        names[event["name"]].push_back(args.contains("name") ? args["name"] : args["labels"]);
    }
    EXPECT_EQ(names["process_name"], (std::vector<json>{"orders", "owner not known", "machine"}));
    EXPECT_EQ(names["process_labels"], (std::vector<json>{"/system.slice/orders.service"}));
    EXPECT_EQ(names["thread_name"], (std::vector<json>{"worker", "auditor", "FIN received", "FIN received"}));
}

/// Readers merge what has the same ids.
TEST(TimelineChrome, IdsThatWereGivenAgainHaveTracksOfTheirOwn) {
    Timeline timeline = incident();
    Process again = timeline.processes[0];
    again.comm = timeline.strings.add("second");
    again.threads.resize(1);
    again.threads.push_back(again.threads[0]);  // the same tid, later
    again.threads[1].comm = timeline.strings.add("heir");
    const std::uint32_t tid = again.threads[0].tid;
    timeline.holds[0].owner = static_cast<std::uint32_t>(timeline.processes.size());
    timeline.holds[0].first_touch.reset();
    timeline.holds[0].closed.reset();
    timeline.processes.push_back(again);
    const json trace = trace_of(timeline);
    std::map<std::string, json> processes;
    std::map<std::string, json> threads;
    std::size_t named = 0;
    for (const json& event : events_of(trace, "M")) {
        if (event["name"] == "process_name") processes[event["args"]["name"]] = event["pid"];
        if (event["name"] != "thread_name") continue;
        threads[event["args"]["name"]] = json::array({event["pid"], event["tid"]});
        ++named;
    }
    ASSERT_TRUE(processes.contains("orders") && processes.contains("second (4121, given again)"))
        << json(processes).dump();
    const json second = processes["second (4121, given again)"];
    EXPECT_EQ(processes["orders"], 4121);
    EXPECT_GT(second, 1U << 22) << "no process can have that id";
    const std::string heir = "heir (" + std::to_string(tid) + ", given again)";
    ASSERT_TRUE(threads.contains(heir)) << json(threads).dump();
    EXPECT_EQ(threads[heir][0], second);
    EXPECT_NE(threads[heir][1], tid);
    std::set<std::pair<json, json>> tracks;
    for (const json& event : events_of(trace, "M"))
        if (event["name"] == "thread_name") tracks.emplace(event["pid"], event["tid"]);
    EXPECT_EQ(tracks.size(), named) << "each has its own";
    const json hold = events_of(trace, "b")[0];
    EXPECT_EQ(hold["pid"], second) << hold.dump();
}

TEST(TimelineChrome, AHoldIsAnAsyncEventWithItsPhases) {
    const json trace = trace_of(incident());
    std::vector<std::string> told;
    for (const json& event : trace["traceEvents"]) {
        if (event.value("id", json()) != "hold-1") continue;
        told.push_back(event["ph"].get<std::string>() + " " + event["name"].get<std::string>());
    }
    EXPECT_EQ(told, (std::vector<std::string>{
                        "b 10.0.0.7:8080 ← 10.2.3.4:51234", "b ESTABLISHED", "e ESTABLISHED",
                        "b CLOSE_WAIT: handler-blocked", "b FIN not read", "e FIN not read",
                        "b end-of-file read", "e end-of-file read", "e CLOSE_WAIT: handler-blocked",
                        "b LAST_ACK", "e LAST_ACK", "e 10.0.0.7:8080 ← 10.2.3.4:51234"}));
    const json args = events_of(trace, "b")[0]["args"];
    EXPECT_EQ(args["cause"], "handler-blocked");
    EXPECT_EQ(args["held_ns"], 8'000'000'500);
    EXPECT_EQ(args["contributing"], json::array({"peer-timeout"}));
    EXPECT_EQ(args["culprit"], "worker [4188]");
    EXPECT_EQ(args["evidence"], (json{"eof_read = true: its FIN was read", "count = 3: three", "name = n"}));
    EXPECT_EQ(args["because"][1], "auditor [4190] waits for disk: fdatasync(fd 12)");
}

TEST(TimelineChrome, FlowsGoFromFinToTouchToClose) {
    const json trace = trace_of(incident());
    const auto at = [&](const std::string& phase) { return events_of(trace, phase).at(0); };
    EXPECT_EQ(ns(at("s")["ts"]), kFrom + kSecond - kOrigin);
    EXPECT_EQ(ns(at("t")["ts"]), kFrom + 2 * kSecond - kOrigin);
    EXPECT_EQ(ns(at("f")["ts"]), kFrom + 9 * kSecond + 400 - kOrigin);
    EXPECT_EQ(at("f")["tid"], 4188);
    EXPECT_EQ(at("f")["bp"], "e");
    for (const char* phase : {"s", "t", "f"}) {
        EXPECT_EQ(at(phase)["id"], 1);
        EXPECT_EQ(at(phase)["cat"], "hold");
        EXPECT_EQ(events_of(trace, phase).size(), 1U);
    }
}

TEST(TimelineChrome, CountersAndLosses) {
    const json trace = trace_of(incident());
    const auto counters = events_of(trace, "C");
    ASSERT_EQ(counters.size(), 6U);
    EXPECT_EQ(counters[1]["name"], "holds open");
    EXPECT_EQ(counters[1]["args"]["value"], 2);
    EXPECT_EQ(counters[3]["name"], "disk pressure (%)");
    EXPECT_EQ(counters[5]["pid"], 4121);
    const json loss = events_of(trace, "i").back();
    EXPECT_EQ(loss["name"], "lost: ring");
    EXPECT_EQ(loss["s"], "g");
    EXPECT_EQ(loss["args"]["count"], 3);
}

TEST(TimelineChrome, HostileNamesAreText) {
    for (const std::string& name : hostile_names()) {
        const json trace = trace_of(hostile(name));
        if (name.find('\xff') != std::string::npos) continue;
        EXPECT_EQ(events_of(trace, "M")[0]["args"]["name"], json::parse(output::dump(name)));
    }
}

/// Asynchronous events of one id: every end is of what began last, in the order of time; the hold's length is
/// held_ns.
void expect_nested(const json& trace, const Timeline& t) {
    std::map<std::string, std::vector<json>> open;
    std::map<std::string, std::uint64_t> last;
    std::map<std::string, std::vector<std::uint64_t>> lengths;
    for (const json& event : trace["traceEvents"]) {
        if (event["ph"] != "b" && event["ph"] != "e") continue;
        const std::string id = event["id"];
        ASSERT_GE(ns(event["ts"]), last[id]);
        last[id] = ns(event["ts"]);
        if (event["ph"] == "b") {
            open[id].push_back(event);
            continue;
        }
        ASSERT_FALSE(open[id].empty());
        EXPECT_EQ(open[id].back()["name"], event["name"]);
        lengths[id].push_back(ns(event["ts"]) - ns(open[id].back()["ts"]));
        open[id].pop_back();
    }
    for (const auto& [id, events] : open) EXPECT_TRUE(events.empty());
    for (std::size_t i = 0; i < t.holds.size(); ++i) {
        if (t.holds[i].phases.empty() || !t.holds[i].tenures.empty()) continue;
        const auto& found = lengths["hold-" + std::to_string(i + 1)];
        EXPECT_NE(std::find(found.begin(), found.end(), *t.holds[i].held_ns), found.end());
    }
}

TEST(TimelineChrome, SlicesDoNotOverlapAndSumToTheThread) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = random_timeline(seed);
        const json trace = trace_of(t);
        const auto begins = events_of(trace, "B");
        const auto ends = events_of(trace, "E");
        ASSERT_EQ(begins.size(), ends.size());
        std::size_t next = 0;
        for (const Process& process : t.processes) {
            for (const Thread& thread : process.threads) {
                std::uint64_t sum = 0;
                for (std::size_t i = 0; i < thread.slices.size(); ++i, ++next) {
                    ASSERT_EQ(begins[next]["tid"], thread.tid);
                    ASSERT_EQ(ends[next]["tid"], thread.tid);
                    // As doubles: exactly the same.
                    if (i > 0) {
                        EXPECT_EQ(ends[next - 1]["ts"], begins[next]["ts"]);
                    }
                    sum += ns(ends[next]["ts"]) - ns(begins[next]["ts"]);
                }
                EXPECT_EQ(sum, thread.to_ns - thread.from_ns);
            }
        }
        EXPECT_EQ(next, begins.size());
        expect_nested(trace, t);
    }
}

}  // namespace
}  // namespace waitclose::timeline
