// SPDX-License-Identifier: BSD-2-Clause
// What threads did, from looks: what is exact, what can be worked out, and what stays unknown.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "replay_fixture.h"

namespace waitclose::replay {
namespace {

using namespace testing;

constexpr std::uint64_t kLook = kBegun + 10 * kSec;  // the first one

/// The thread at one look, with what the scheduler has counted until then.
struct At {
    std::uint64_t read_ns;
    std::optional<std::uint64_t> asleep_since_ns;
    std::uint64_t on_cpu_ns = 0;
    std::uint64_t run_delay_ns = 0;
    std::uint64_t switches = 0;
    std::uint32_t call = SYS_futex;
};

model::Thread thread_of(const At& at) {
    model::Thread thread = at.asleep_since_ns ? asleep(4188, at.call, 5) : running(4188);
    thread.asleep_since_ns = at.asleep_since_ns;
    thread.read_ns = at.read_ns;
    thread.on_cpu_ns = at.on_cpu_ns;
    thread.run_delay_ns = at.run_delay_ns;
    thread.switches = at.switches;
    return thread;
}

Incident seen(const std::vector<At>& looks) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kBegun + kSec));
    for (const At& at : looks) {
        Builder builder;
        builder.census.taken_ns = at.read_ns;
        const auto process = builder.process(4121, {thread_of(at)});
        socket_of(builder, 100, {{process, 57}}).held_since_ns = kBegun + kSec;
        look(replay, std::move(builder.census));
    }
    return replay.finish();
}

/// "0-2 blocked: lock", one a slice, in seconds since the first look; the last one, which nobody saw, left
/// out.
std::vector<std::string> slices_of(const Incident& incident) {
    EXPECT_EQ(complaints(incident), "");
    static const std::vector<std::string> names{"unknown", "running", "runnable", "blocked"};
    std::vector<std::string> found;
    const timeline::Timeline& timeline = incident.timeline;
    const auto seconds = [](std::uint64_t ns) {
        return (static_cast<double>(ns) - static_cast<double>(kLook)) / static_cast<double>(kSec);
    };
    for (const auto& slice : timeline.processes.at(0).threads.at(0).slices) {
        found.push_back(fmt::format("{:g}-{:g} {}", seconds(slice.begin_ns), seconds(slice.end_ns),
                                    names.at(static_cast<std::size_t>(slice.activity))));
        if (slice.activity == timeline::Activity::kBlocked)
            found.back() += fmt::format(": {}", timeline.text(slice.wait_class));
        else if (slice.detail != timeline::StringId::kNone)
            found.back() += fmt::format(": {}", timeline.text(slice.detail));
    }
    EXPECT_EQ(timeline.processes[0].threads[0].slices.back().end_ns, timeline.window.to_ns);
    found.pop_back();
    return found;
}

using Slices = std::vector<std::string>;

TEST(ReplayThreads, OneSleepIsOneSliceHoweverOftenItIsSeen) {
    const At at{kLook, kLook - 4 * kSec};
    EXPECT_EQ(
        slices_of(seen({at, {kLook + kSec, at.asleep_since_ns}, {kLook + 2 * kSec, at.asleep_since_ns}})),
        (Slices{"-10--4 unknown", "-4-2 blocked: lock"}));
}

TEST(ReplayThreads, ASleepOlderThanTheRecordingFillsIt) {
    EXPECT_EQ(slices_of(seen({{kLook, kBegun - kSec}})), (Slices{"-10-0 blocked: lock"}));
}

TEST(ReplayThreads, NearlyAllOnACpuIsRunning) {
    EXPECT_EQ(slices_of(seen({{kLook, {}, kSec, 0, 5}, {kLook + 2 * kSec, {}, kSec + 1'950 * kMs, 0, 9}})),
              (Slices{"-10-0 unknown", "0-2 running"}));
}

TEST(ReplayThreads, NearlyAllWaitingForACpuIsRunnable) {
    EXPECT_EQ(slices_of(seen({{kLook, {}, kSec, kSec, 5}, {kLook + 2 * kSec, {}, kSec, 3 * kSec, 9}})),
              (Slices{"-10-0 unknown", "0-2 runnable"}));
}

TEST(ReplayThreads, AMixtureStaysUnknownWithItsSumsInWords) {
    EXPECT_EQ(slices_of(seen({{kLook, kLook - kSec, 0, 0, 5},
                              {kLook + 2 * kSec, kLook + kSec, 12 * kMs, kMs, 9, SYS_clock_nanosleep}})),
              (Slices{"-10--1 unknown", "-1-0 blocked: lock",
                      "0-1 unknown: ran 12 ms, waited for a CPU 1.00 ms, slept the rest, in pieces",
                      "1-2 blocked: sleep"}));
    EXPECT_EQ(slices_of(seen({{kLook, {}, 0, 0, 5}, {kLook + 2 * kSec, {}, kSec, kSec, 9}})),
              (Slices{"-10-0 unknown", "0-2 unknown: ran 1.0 s, waited for a CPU 1.0 s, in pieces"}));
}

// It slept on until it was woken, waited for a CPU, and ran until it fell asleep: one switch tells it all.
TEST(ReplayThreads, WhoWokeOnceIsKnownThroughout) {
    EXPECT_EQ(
        slices_of(seen({{kLook, kLook - kSec, 0, 0, 5},
                        {kLook + 4 * kSec, kLook + 3 * kSec, kSec, 500 * kMs, 6, SYS_clock_nanosleep}})),
        (Slices{"-10--1 unknown", "-1-1.5 blocked: lock", "1.5-2 runnable", "2-3 running",
                "3-4 blocked: sleep"}));
    EXPECT_EQ(slices_of(seen({{kLook, kLook - kSec, 0, 0, 5}, {kLook + 4 * kSec, {}, 3 * kSec, 0, 5}})),
              (Slices{"-10--1 unknown", "-1-1 blocked: lock", "1-4 running"}));
}

TEST(ReplayThreads, CountersThatRunBackwardsSayNothing) {
    const Slices found =
        slices_of(seen({{kLook, {}, 9 * kSec, 9 * kSec, 50}, {kLook + 2 * kSec, {}, kSec, kSec, 9}}));
    EXPECT_EQ(found[1], "0-2 unknown: ran 0 ms, slept the rest, in pieces");
}

TEST(ReplayThreads, ClocksThatRunBackwardsChangeNothing) {
    EXPECT_EQ(slices_of(seen({{kLook, kLook - kSec}, {kLook - 5 * kSec, kLook - 6 * kSec}})),
              (Slices{"-10--1 unknown", "-1-0 blocked: lock"}));
}

TEST(ReplayThreads, WhoeverExitedHasAnEnd) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kBegun + kSec));
    for (const bool gone : {false, true}) {
        Builder builder;
        builder.census.taken_ns = gone ? kLook + 2 * kSec : kLook;
        std::vector<model::Thread> threads{asleep(4121, SYS_futex)};
        if (!gone) threads.push_back(thread_of({kLook, kLook - kSec}));
        const auto process = builder.process(4121, threads);
        socket_of(builder, 100, {{process, 57}});
        if (gone) {
            model::ThreadTime time;
            time.pid = 4121;
            time.tid = 4188;
            time.start_ns = kBooted;
            time.ended = true;
            time.from_ns = kLook;
            time.to_ns = kLook + kSec;
            builder.census.window.emplace();
            builder.census.window->threads.push_back(time);
        }
        look(replay, std::move(builder.census));
    }
    const Incident incident = replay.finish();
    EXPECT_EQ(complaints(incident), "");
    const auto& threads = incident.timeline.processes.at(0).threads;
    ASSERT_EQ(threads.size(), 2U);
    EXPECT_EQ(threads[1].to_ns, kLook + kSec);
    EXPECT_EQ(threads[0].to_ns, incident.timeline.window.to_ns);
}

TEST(ReplayThreads, WhoIsNotSeenAnyMoreEndsWhenItWasSeenLast) {
    Replay replay({});
    replay.about(about());
    replay.on(entered(100, kBegun + kSec));
    for (const bool gone : {false, true}) {
        Builder builder;
        builder.census.taken_ns = gone ? kLook + 2 * kSec : kLook;
        std::vector<model::Thread> threads{asleep(4121, SYS_futex)};
        if (!gone) threads.push_back(thread_of({kLook, kLook - kSec}));
        const auto process = builder.process(4121, threads);
        socket_of(builder, 100, {{process, 57}});
        look(replay, std::move(builder.census));
    }
    const Incident incident = replay.finish();
    EXPECT_EQ(complaints(incident), "");
    const auto& threads = incident.timeline.processes.at(0).threads;
    ASSERT_EQ(threads.size(), 2U);
    EXPECT_EQ(threads[1].to_ns, kLook);
    EXPECT_EQ(threads[0].to_ns, incident.timeline.window.to_ns);
}

TEST(ReplayThreads, KernelStacksAreKeptFromTheOutside) {
    Replay replay({});
    replay.about(about());
    Builder builder;
    builder.census.taken_ns = kLook;
    model::Thread thread = thread_of({kLook, kLook - kSec});
    thread.kernel_stack = std::make_shared<const std::vector<std::string>>(
        std::vector<std::string>{"futex_wait", "", "do_syscall_64"});
    const auto process = builder.process(4188, {thread});
    model::Socket& socket = socket_of(builder, 100, {{process, 57}});
    read_eof(socket, deed(4188, 4188, kFin, model::Operation::kRead));
    look(replay, std::move(builder.census));
    const Incident incident = replay.finish();
    const auto& timeline = incident.timeline;
    const auto& slices = timeline.processes.at(0).threads.at(0).slices;
    const auto frames = timeline.stacks.frames_of(slices.at(1).stack);
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(timeline.text(timeline.stacks.frames()[frames[0]].function), "do_syscall_64");
    EXPECT_EQ(timeline.stacks.frames()[frames[1]].function, timeline::StringId::kNone);
    EXPECT_EQ(timeline.holds.at(0).stack, slices.at(1).stack);
    EXPECT_EQ(timeline.text(timeline.holds[0].wait_class), "lock");
}

}  // namespace
}  // namespace waitclose::replay
