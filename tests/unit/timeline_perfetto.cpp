// SPDX-License-Identifier: BSD-2-Clause
// Perfetto's bytes, read back by field number and held against the model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "output/escape.h"
#include "timeline_fixture.h"
#include "timeline_perfetto_reader.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ReadTrace trace_of(const Timeline& timeline) {
    return ReadTrace(written(timeline, write_perfetto));
}

/// "1 running", "2": type and name.
std::vector<std::string> told(const std::vector<ReadEvent>& events) {
    std::vector<std::string> lines;
    for (const ReadEvent& event : events) {
        lines.push_back(std::to_string(event.type) + (event.name.empty() ? "" : " " + event.name));
    }
    return lines;
}

TEST(TimelinePerfetto, ClocksAndMachine) {
    const ReadTrace trace = trace_of(incident());
    EXPECT_THAT(trace.wrong, IsEmpty());
    EXPECT_EQ(trace.clocks.at(6), kFrom);
    EXPECT_EQ(trace.clocks.at(1), static_cast<std::uint64_t>(kWallOffset) + kFrom);
    EXPECT_EQ(trace.release, "6.18.44");
    Timeline without = incident();
    without.window.wall_offset_ns.reset();
    EXPECT_FALSE(trace_of(without).clocks.contains(1));
}

TEST(TimelinePerfetto, ProcessesHaveTheirThreadsAndSocketsBeneath) {
    const ReadTrace trace = trace_of(incident());
    std::uint64_t process = 0;
    for (const auto& [uuid, track] : trace.tracks) {
        if (track.process_name == "orders") process = uuid;
    }
    ASSERT_NE(process, 0U);
    EXPECT_EQ(trace.tracks.at(process).pid, 4121);
    EXPECT_EQ(trace.tracks.at(process).cmdline, "/usr/bin/orders");
    EXPECT_THAT(trace.tracks.at(process).labels, ElementsAre("/system.slice/orders.service"));
    const ReadTrack& worker = trace.tracks.at(trace.track("worker"));
    EXPECT_EQ(worker.parent, process);
    EXPECT_EQ(worker.pid, 4121);
    EXPECT_EQ(worker.tid, 4188);
    const ReadTrack& socket = trace.tracks.at(trace.track("10.0.0.7:8080 ← 10.2.3.4:51234"));
    EXPECT_EQ(socket.parent, process);
    EXPECT_EQ(socket.merge, 2);
    EXPECT_EQ(trace.tracks.at(trace.track("[2001:db8::1]:443 ↔ [2001:db8::2]:60000")).parent,
              trace.track("owner not known"));
}

TEST(TimelinePerfetto, AThreadIsSlicesWithTheirStacks) {
    const ReadTrace trace = trace_of(incident());
    const auto events = trace.on(trace.track("worker"));
    EXPECT_THAT(told(events), ElementsAre("1 running", "2", "1 waiting for a CPU", "2", "1 blocked: lock",
                                          "2", "1 running", "2", "3 first touch", "3 close"));
    EXPECT_EQ(events[4].at, kFrom + 2 * kSecond + 7);
    EXPECT_EQ(events[5].at, kFrom + 9 * kSecond);
    EXPECT_EQ(events[4].category, "thread");
    EXPECT_THAT(events[4].annotations.at("detail"), ElementsAre("mutex 0x7f held by tid 4190"));
    EXPECT_THAT(events[4].stack,
                ElementsAre("main @ /usr/bin/orders+496", "handle_request @ /usr/bin/orders+672",
                            "libc.so.6+0x9f3 @ libc.so.6+2547", "futex_wait_[k] (kernel)"));
    EXPECT_THAT(events[2].stack, IsEmpty());
}

TEST(TimelinePerfetto, AFrameWithoutAddressHasItsModuleInItsName) {
    Timeline t = incident();
    const StringId lib = t.strings.add("libx.so");
    t.processes[0].threads[0].slices[0].stack =
        t.stacks.add(std::vector{Frame{t.strings.add("f"), lib, {}, false}, Frame{{}, lib, {}, false}});
    const ReadTrace trace = trace_of(t);
    EXPECT_THAT(trace.on(trace.track("worker"))[0].stack, ElementsAre("f (libx.so)", "libx.so"));
}

TEST(TimelinePerfetto, AHoldIsNestedSlicesWithTheEvidence) {
    const ReadTrace trace = trace_of(incident());
    const auto events = trace.on(trace.track("10.0.0.7:8080 ← 10.2.3.4:51234"));
    EXPECT_THAT(told(events),
                ElementsAre("1 ESTABLISHED", "2", "1 CLOSE_WAIT: handler-blocked", "1 FIN not read", "2",
                            "1 end-of-file read", "2", "2", "1 LAST_ACK", "2"));
    const auto& about = events[2].annotations;
    EXPECT_THAT(about.at("cause"), ElementsAre("handler-blocked"));
    EXPECT_THAT(about.at("held_ns"), ElementsAre("8000000500"));
    EXPECT_THAT(about.at("open"), ElementsAre("false"));
    EXPECT_THAT(about.at("contributing"), ElementsAre("peer-timeout"));
    EXPECT_THAT(about.at("culprit"), ElementsAre("worker [4188]"));
    EXPECT_THAT(about.at("because"), ElementsAre("worker [4188] waits for lock: mutex 0x7f held by tid 4190",
                                                 "auditor [4190] waits for disk: fdatasync(fd 12)"));
    EXPECT_THAT(about.at("evidence"),
                ElementsAre("eof_read = true: its FIN was read", "count = 3: three", "name = n"));
    EXPECT_THAT(events[0].annotations, IsEmpty());
}

TEST(TimelinePerfetto, FlowsGoFromFinToTouchToClose) {
    Timeline t = incident();
    const auto flows = [&t] {
        const ReadTrace trace = trace_of(t);
        std::vector<std::string> found;
        for (const ReadEvent& event : trace.events) {
            for (const std::uint64_t flow : event.flows)
                found.push_back(event.name + " →" + std::to_string(flow));
            for (const std::uint64_t flow : event.ending_flows)
                found.push_back(event.name + " ." + std::to_string(flow));
        }
        return found;
    };
    EXPECT_THAT(flows(), ElementsAre("CLOSE_WAIT: handler-blocked →1", "first touch →1", "close .1"));
    t.holds[0].closed->where = {};  // by a thread that has no track
    EXPECT_THAT(flows(), ElementsAre("CLOSE_WAIT: handler-blocked →1", "first touch .1"));
    t.holds[0].first_touch.reset();
    EXPECT_THAT(flows(), IsEmpty());
}

TEST(TimelinePerfetto, CountersAndLosses) {
    const ReadTrace trace = trace_of(incident());
    const std::uint64_t pressure = trace.track("disk pressure (%)");
    EXPECT_TRUE(trace.tracks.at(pressure).counter);
    const auto samples = trace.on(pressure);
    ASSERT_EQ(samples.size(), 2U);
    EXPECT_EQ(samples[1].type, 4);
    EXPECT_EQ(samples[1].value, 12.5);
    EXPECT_EQ(trace.tracks.at(trace.tracks.at(trace.track("fds used")).parent).pid, 4121);
    const auto losses = trace.on(trace.track("waitclose: losses"));
    EXPECT_THAT(told(losses), ElementsAre("3 lost: ring"));
    EXPECT_THAT(losses[0].annotations.at("count"), ElementsAre("3"));
}

TEST(TimelinePerfetto, HostileNamesAreText) {
    for (const std::string& name : hostile_names()) {
        const ReadTrace trace = trace_of(hostile(name));
        EXPECT_THAT(trace.wrong, IsEmpty());
        EXPECT_NE(trace.track(output::printable(name)), 0U) << name;
        const std::string bytes = written(hostile(name), write_perfetto);
        EXPECT_EQ(bytes.find("\x1b]"), std::string::npos);
        EXPECT_EQ(bytes.find("\xff\xfe"), std::string::npos);
    }
}

/// Every end is of a slice that was begun, in the order of time. The lengths of the slices, and the sum of
/// the outermost.
struct Nesting {
    std::vector<std::uint64_t> lengths;
    std::uint64_t outermost = 0;
};
Nesting expect_nested(const std::vector<ReadEvent>& events) {
    Nesting found;
    std::vector<std::uint64_t> open;
    std::uint64_t at = 0;
    for (const ReadEvent& event : events) {
        if (event.type == 1) open.push_back(event.at);
        if (event.type == 1 || event.type == 2) {
            EXPECT_GE(event.at, at);
            at = event.at;
        }
        if (event.type != 2) continue;
        if (open.empty()) {
            ADD_FAILURE() << "an end without a beginning";
            break;
        }
        found.lengths.push_back(event.at - open.back());
        open.pop_back();
        if (open.empty()) found.outermost += found.lengths.back();
    }
    EXPECT_TRUE(open.empty());
    return found;
}

TEST(TimelinePerfetto, SlicesNestAndSumToTheThread) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = random_timeline(seed);
        const ReadTrace trace = trace_of(t);
        ASSERT_THAT(trace.wrong, IsEmpty()) << seed;
        // Tracks are numbered: losses, processes, threads, holds.
        std::uint64_t track = 2 + t.processes.size();
        for (const Process& process : t.processes) {
            for (const Thread& thread : process.threads) {
                EXPECT_EQ(trace.tracks.at(track).tid, static_cast<std::int32_t>(thread.tid));
                EXPECT_EQ(expect_nested(trace.on(track++)).outermost, thread.to_ns - thread.from_ns);
            }
        }
        for (const Hold& hold : t.holds) {
            const auto lengths = expect_nested(trace.on(track++)).lengths;
            if (hold.phases.empty() || !hold.tenures.empty()) continue;
            EXPECT_EQ(lengths.size(), hold.phases.size());
            EXPECT_NE(std::find(lengths.begin(), lengths.end(), *hold.held_ns), lengths.end());
        }
    }
}

TEST(TimelinePerfetto, BrokenTimelinesAreStillTraces) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed)
        EXPECT_THAT(trace_of(broken(seed)).wrong, IsEmpty()) << seed;
}

}  // namespace
}  // namespace waitclose::timeline
