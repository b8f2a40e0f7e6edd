// SPDX-License-Identifier: BSD-2-Clause
// Lanes from a capture's intervals, and held time divided by what the culprit did.
#include <array>
#include <map>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "capture_fixture.h"
#include "timeline/held_time.h"
#include "timeline_fixture.h"

namespace waitclose::replay {
namespace {

using namespace testing;
using model::Doing;
using timeline::Activity;

std::uint64_t sum_of(const timeline::Hold& hold) {
    return std::accumulate(hold.shares.begin(), hold.shares.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const timeline::Share& share) { return sum + share.ns; });
}

const timeline::Thread& lane_of(const Incident& incident, std::uint32_t tid) {
    for (const auto& process : incident.timeline.processes)
        for (const auto& thread : process.threads)
            if (thread.tid == tid) return thread;
    static const timeline::Thread kNone;
    ADD_FAILURE() << "no lane of " << tid;
    return kNone;
}

/// A second of this and that: fdatasync, a moment without a CPU, computing, a lock, and the disk again.
Told mixed() {
    Told told = disk();
    model::Thread lock = asleep(4123, SYS_futex, 0x7000);
    told.activity.stacks.push_back({kernel("futex_wait_queue"), own("wait_for_quota"), own("main")});
    told.activity.stacks.push_back({own("spin_parse"), own("main")});
    told.activity.stacks.push_back({own("format"), own("main")});
    told.activity.sleeps.push_back({lock.syscall, lock.arguments, std::nullopt, false, 1});
    told.activity.wakers = {deed(77, 78, 1, model::Operation::kNone).actor};
    model::ThreadActivity& thread = told.activity.threads[0];
    thread.intervals.clear();
    then(thread, Doing::kBlocked, kCaptured + kSec, 0, 0);
    then(thread, Doing::kRunnable, kCaptured + kSec + 7);
    then(thread, Doing::kRunning, kCaptured + 2 * kSec);
    then(thread, Doing::kBlocked, kCaptured + 3 * kSec, 1);
    then(thread, Doing::kUnknown, kCaptured + 3 * kSec + 11);
    then(thread, Doing::kBlocked, kTaken, 0);
    thread.samples = {{kCaptured + kSec + 100 * kMs, 2},
                      {kCaptured + kSec + 200 * kMs, 2},
                      {kCaptured + kSec + 900 * kMs, 3}};
    told.census.threads[1].asleep_since_ns = kFin - kMs;
    return told;
}

TEST(ReplayActivity, LanesAreItsIntervals) {
    const Incident incident = played(mixed());
    EXPECT_EQ(complaints(incident), "");
    const auto& lane = lane_of(incident, 4123);
    std::array<std::uint64_t, 4> sums{};
    bool woken = false;
    for (const auto& slice : lane.slices) {
        const std::uint64_t begin = std::max(slice.begin_ns, kCaptured);
        const std::uint64_t end = std::min(slice.end_ns, kTaken);
        if (begin < end) sums.at(static_cast<std::size_t>(slice.activity)) += end - begin;
        woken |= incident.timeline.text(slice.waker) == "was78 (pid 77, tid 78)";
    }
    EXPECT_TRUE(woken);
    EXPECT_EQ(sums[static_cast<std::size_t>(Activity::kRunning)], kSec - 7);
    EXPECT_EQ(sums[static_cast<std::size_t>(Activity::kRunnable)], 7U);
    EXPECT_EQ(sums[static_cast<std::size_t>(Activity::kBlocked)], 4 * kSec - 11);
    EXPECT_EQ(sums[static_cast<std::size_t>(Activity::kUnknown)], 11U);
}

TEST(ReplayActivity, ARunIsDividedAmongItsSamples) {
    const Incident incident = played(mixed());
    std::map<std::string, std::uint64_t> ran;
    for (const auto& slice : lane_of(incident, 4123).slices) {
        if (slice.activity != Activity::kRunning) continue;
        const auto frames = incident.timeline.stacks.frames_of(slice.stack);
        ASSERT_FALSE(frames.empty());
        ran[std::string(incident.timeline.text(incident.timeline.stacks.frames()[frames.back()].function))] +=
            slice.end_ns - slice.begin_ns;
    }
    EXPECT_EQ(ran["spin_parse"], 550 * kMs - 7);
    EXPECT_EQ(ran["format"], 450 * kMs);
}

TEST(ReplayActivity, HeldTimeIsDividedExactly) {
    const Incident incident = played(mixed());
    const timeline::Hold& hold = incident.timeline.holds.at(0);
    ASSERT_FALSE(hold.shares.empty());
    EXPECT_EQ(sum_of(hold), hold.held_ns);
    std::map<std::string, std::uint64_t> by;
    for (const auto& share : hold.shares) by[std::string(incident.timeline.text(share.doing))] += share.ns;
    // Asleep since before the FIN until a second into the capture, and from 3 s on until the recording ended.
    EXPECT_EQ(by["disk"], (kCaptured + kSec - kFin) + 2 * kSec - 11);
    EXPECT_EQ(by["not watched"], *hold.held_ns - (kTaken - kFin) + 11);
    EXPECT_EQ(by["lock"], kSec);
    EXPECT_EQ(by["running"], kSec - 7);
    EXPECT_EQ(by["waiting for a CPU"], 7U);
    std::uint64_t parse = 0;
    for (const auto& share : hold.shares) {
        const auto frames = incident.timeline.stacks.frames_of(share.stack);
        if (incident.timeline.text(share.doing) != "running" || frames.empty()) continue;
        const auto& leaf = incident.timeline.stacks.frames()[frames.back()];
        if (incident.timeline.text(leaf.function) == "spin_parse") parse = share.ns;
    }
    EXPECT_NEAR(static_cast<double>(parse), static_cast<double>(kSec) * 2 / 3, 10) << "two of three samples";
}

TEST(ReplayActivity, TheWidestLeafIsTheReason) {
    const Incident incident = played(disk());
    const std::string folded = timeline::testing::written(incident.timeline, timeline::write_folded, {});
    EXPECT_NE(folded.find("orders;handler-blocked;worker-3;disk;main;handle;write_audit_log;fdatasync;"
                          "ext4_sync_file_[k];io_schedule_[k] 22"),
              std::string::npos)
        << folded;
    EXPECT_EQ(incident.timeline.holds.at(0).shares.size(), 2U) << "and the second nobody watched";
}

TEST(ReplayActivity, TheProbeThatSawTheSwitchIsNoReason) {
    Told told = disk();
    model::Stack& stack = told.activity.stacks[0];
    stack.insert(stack.begin(),
                 {kernel("bpf_prog_52336cd1_on_switch"), kernel("bpf_trace_run4"),
                  kernel("__traceiter_sched_switch"), kernel("__schedule"), kernel("schedule")});
    const Incident incident = played(std::move(told));
    const std::string folded = timeline::testing::written(incident.timeline, timeline::write_folded, {});
    EXPECT_NE(folded.find("ext4_sync_file_[k];io_schedule_[k];schedule_[k] 22"), std::string::npos) << folded;
    EXPECT_EQ(folded.find("bpf_"), std::string::npos) << folded;
}

TEST(ReplayActivity, WhatBeganBeforeAndIsNotThatSleepWasNotWatched) {
    Told told = disk();
    told.activity.threads[0].intervals.clear();
    then(told.activity.threads[0], Doing::kRunning, kCaptured + kSec);
    then(told.activity.threads[0], Doing::kBlocked, kTaken, 0);
    const Incident incident = played(std::move(told));
    const timeline::Hold& hold = incident.timeline.holds.at(0);
    EXPECT_EQ(sum_of(hold), hold.held_ns);
    std::uint64_t unwatched = 0;
    for (const auto& share : hold.shares)
        if (incident.timeline.text(share.doing) == "not watched") unwatched += share.ns;
    EXPECT_GE(unwatched, kCaptured - kFin);
}

TEST(ReplayActivity, ATimelineStaysWholeWhateverTheIntervals) {
    for (std::uint64_t seed = 1; seed < 60; ++seed) {
        Told told = disk();
        std::uint64_t random = seed * 0x9e3779b97f4a7c15ULL;
        const auto next = [&](std::uint64_t below) {
            random ^= random >> 29;
            random *= 0xbf58476d1ce4e5b9ULL;
            return (random >> 20) % below;
        };
        model::ThreadActivity& thread = told.activity.threads[0];
        thread.intervals.clear();
        thread.from_ns = kCaptured - kSec + next(2 * kSec);
        thread.to_ns = thread.from_ns + next(6 * kSec);
        thread.ended = next(2) == 1;
        std::uint64_t at = thread.from_ns;
        while (at < thread.to_ns) {
            const std::uint64_t end = std::min(thread.to_ns, at + 1 + next(kSec));
            thread.intervals.push_back({at, end, static_cast<Doing>(next(4)),
                                        static_cast<std::uint32_t>(next(3)),
                                        static_cast<std::uint32_t>(next(2))});
            at = end;
        }
        for (std::uint64_t i = 0; i < next(20); ++i)
            thread.samples.push_back({kCaptured + i * 250 * kMs, static_cast<std::uint32_t>(next(3))});
        const Incident incident = played(std::move(told));
        EXPECT_EQ(complaints(incident), "") << seed;
    }
}

}  // namespace
}  // namespace waitclose::replay
