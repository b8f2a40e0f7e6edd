// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/stretches.h"

#include <random>

#include <gtest/gtest.h>

namespace waitclose::kernel {
namespace {

using model::Doing;
using model::kNowhere;

constexpr std::uint64_t kFrom = 1'000'000'000;
constexpr std::uint64_t kTo = 2'000'000'000;

Track track_of(std::vector<Stretch> stretches) {
    Track track;
    track.from_ns = kFrom;
    track.to_ns = kTo;
    track.stretches = std::move(stretches);
    return track;
}

Stretch asleep(std::uint32_t sequence, std::uint64_t left, std::uint64_t woken, std::uint64_t on) {
    return {left, woken, on, sequence, WC_OFF_CPU_ASLEEP, 7, 3};
}

/// Without gap or overlap, from the begin of the track to the end of the course.
void expect_whole(const Track& track, const Course& course) {
    std::uint64_t at = track.from_ns;
    for (const model::Interval& interval : course.intervals) {
        EXPECT_EQ(interval.begin_ns, at);
        EXPECT_GT(interval.end_ns, interval.begin_ns);
        at = interval.end_ns;
    }
    EXPECT_EQ(at, course.to_ns);
    EXPECT_TRUE(course.ended || course.to_ns == track.to_ns);
}

TEST(Stretches, SleepIsSplitWhereSomebodyEndedIt) {
    const Track track = track_of({asleep(1, kFrom + 100, kFrom + 300, kFrom + 350)});
    const Course course = course_of(track, {});
    expect_whole(track, course);
    ASSERT_EQ(course.intervals.size(), 4U);
    EXPECT_EQ(course.intervals[0].doing, Doing::kRunning) << "it ran when it was first followed";
    EXPECT_EQ(course.intervals[1].doing, Doing::kBlocked);
    EXPECT_EQ(course.intervals[1].end_ns, kFrom + 300);
    EXPECT_EQ(course.intervals[1].sleep, 7U);
    EXPECT_EQ(course.intervals[1].waker, 3U);
    EXPECT_EQ(course.intervals[2].doing, Doing::kRunnable);
    EXPECT_EQ(course.intervals[2].waker, kNowhere);
    EXPECT_EQ(course.intervals[3].doing, Doing::kRunning);
    EXPECT_EQ(course.intervals[3].end_ns, kTo);
}

TEST(Stretches, APreemptedThreadOnlyWaitsForACpu) {
    Stretch preempted = asleep(1, kFrom + 100, kFrom + 50, kFrom + 200);
    preempted.how = WC_OFF_CPU_RUNNABLE;
    const Course course = course_of(track_of({preempted}), {});
    EXPECT_EQ(course.intervals[1].doing, Doing::kRunnable);
}

TEST(Stretches, WokenWhileItLeavesIsNoSleep) {
    const Course course = course_of(track_of({asleep(1, kFrom + 5000, kFrom + 4000, kFrom + 6000)}), {});
    ASSERT_EQ(course.intervals.size(), 3U);
    EXPECT_EQ(course.intervals[1].doing, Doing::kRunnable);
}

TEST(Stretches, AnOldWakeupIsOfAnEarlierSleep) {
    const Track track = track_of({asleep(1, kFrom + 50'000'000, kFrom + 1, kFrom + 60'000'000)});
    const Course course = course_of(track, {});
    EXPECT_EQ(course.intervals[1].doing, Doing::kBlocked);
    EXPECT_EQ(course.intervals[1].end_ns, kFrom + 60'000'000);
    EXPECT_EQ(course.intervals[1].waker, kNowhere);
}

TEST(Stretches, ALostRecordLeavesAGapThatIsNotKnown) {
    const Track track = track_of({asleep(1, kFrom + 100, kFrom + 200, kFrom + 200),
                                  asleep(3, kFrom + 900, kFrom + 950, kFrom + 1000)});
    const Course course = course_of(track, {});
    expect_whole(track, course);
    EXPECT_EQ(course.intervals[2].doing, Doing::kUnknown);
    EXPECT_EQ(course.intervals[2].begin_ns, kFrom + 200);
    EXPECT_EQ(course.intervals[2].end_ns, kFrom + 900);
}

TEST(Stretches, WhoSleptAllTheWhileSleepsAsItDidAtFirst) {
    Track track = track_of({});
    track.first = {Doing::kBlocked, 5};
    const Course course = course_of(track, {});
    expect_whole(track, course);
    ASSERT_EQ(course.intervals.size(), 1U);
    EXPECT_EQ(course.intervals[0].doing, Doing::kBlocked);
    EXPECT_EQ(course.intervals[0].sleep, 5U);
}

TEST(Stretches, WithoutARecordNothingIsKnownWhereThreadsAreMissing) {
    Track track = track_of({});
    track.first = {Doing::kBlocked, 5};
    Watched incomplete;
    incomplete.complete = false;
    EXPECT_EQ(course_of(track, incomplete).intervals[0].doing, Doing::kUnknown);
    Watched classic;
    classic.arrivals = false;
    EXPECT_EQ(course_of(track, classic).intervals[0].doing, Doing::kUnknown);
}

TEST(Stretches, WhoSleptAtFirstIsWokenLater) {
    Track track = track_of({asleep(1, 0, kFrom + 400, kFrom + 500)});
    track.first = {Doing::kBlocked, 5};
    const Course course = course_of(track, {});
    expect_whole(track, course);
    ASSERT_EQ(course.intervals.size(), 3U);
    EXPECT_EQ(course.intervals[0].sleep, 5U);
    EXPECT_EQ(course.intervals[0].waker, 3U);
    EXPECT_EQ(course.intervals[1].doing, Doing::kRunnable);
}

TEST(Stretches, WhoGetsACpuAndWasNotWokenWasAwake) {
    Track track = track_of({asleep(1, 0, 0, kFrom + 500)});
    track.first = {Doing::kRunning, kNowhere};  // the look came when it had its CPU
    EXPECT_EQ(course_of(track, {}).intervals[0].doing, Doing::kRunnable);
    Watched deaf;
    deaf.wakeups = false;
    EXPECT_EQ(course_of(track, deaf).intervals[0].doing, Doing::kUnknown);
}

TEST(Stretches, AStretchThatIsStillOpenReachesToTheEnd) {
    Track track = track_of({asleep(1, kFrom + 100, kFrom + 200, kFrom + 200)});
    track.open = asleep(1, kFrom + 700, 0, 0);
    const Course course = course_of(track, {});
    expect_whole(track, course);
    EXPECT_EQ(course.intervals.back().doing, Doing::kBlocked);
    EXPECT_EQ(course.intervals.back().begin_ns, kFrom + 700);
    EXPECT_EQ(course.intervals.back().waker, kNowhere);
}

TEST(Stretches, WhoFellAsleepJustBeforeItWasFollowedSleepsFromThenOn) {
    Track track = track_of({});
    track.open = asleep(0, kFrom - 50, 0, 0);
    const Course course = course_of(track, {});
    expect_whole(track, course);
    ASSERT_EQ(course.intervals.size(), 1U);
    EXPECT_EQ(course.intervals[0].doing, Doing::kBlocked);
    EXPECT_EQ(course.intervals[0].sleep, 7U);
}

TEST(Stretches, AThreadThatDiesEndsThere) {
    const Stretch dead{kFrom + 500, 0, 0, 1, WC_OFF_CPU_DEAD, kNowhere, kNowhere};
    const Track track = track_of({dead});
    const Course course = course_of(track, {});
    expect_whole(track, course);
    EXPECT_TRUE(course.ended);
    EXPECT_EQ(course.to_ns, kFrom + 500);
}

TEST(Stretches, AThreadBornMeanwhileWaitsForItsFirstCpu) {
    Track track = track_of({asleep(1, 0, 0, kFrom + 100)});
    track.born_meanwhile = true;
    const Course course = course_of(track, {});
    EXPECT_EQ(course.intervals[0].doing, Doing::kRunnable);
    EXPECT_EQ(course.intervals[1].doing, Doing::kRunning);
}

TEST(Stretches, WhatWasMissedIsNotKnown) {
    Stretch later = asleep(2, kFrom + 700, kFrom + 800, kFrom + 800);
    later.missed = true;
    const Track track = track_of({asleep(1, kFrom + 100, kFrom + 200, kFrom + 200), later});
    const Course course = course_of(track, {});
    expect_whole(track, course);
    ASSERT_EQ(course.intervals.size(), 5U);
    EXPECT_EQ(course.intervals[2].doing, Doing::kUnknown);
    EXPECT_EQ(course.intervals[2].end_ns, kFrom + 700);
    EXPECT_EQ(course.intervals[3].doing, Doing::kBlocked);
}

TEST(Stretches, AfterAPauseOnlyWhoWasNotSwitchedIsKnown) {
    Watched watched;
    watched.paused = true;
    Track track = track_of({asleep(1, kFrom + 100, kFrom + 200, kFrom + 200)});
    track.open = asleep(1, kFrom + 300, 0, 0);
    track.open->switches = 12;
    for (const std::optional<std::uint64_t> at_end : {std::optional<std::uint64_t>(12), {13}, {}}) {
        track.switches_at_end = at_end;
        const Course course = course_of(track, watched);
        expect_whole(track, course);
        EXPECT_EQ(course.intervals.back().doing, at_end == 12U ? Doing::kBlocked : Doing::kUnknown);
    }
}

TEST(Stretches, WhoSleptThroughAllPausesSleepsAsItDidAtFirst) {
    Watched watched;
    watched.paused = true;
    Track track = track_of({});
    track.first = {Doing::kBlocked, 5, 40};
    EXPECT_EQ(course_of(track, watched).intervals[0].doing, Doing::kUnknown);
    track.switches_at_end = 40;
    EXPECT_EQ(course_of(track, watched).intervals[0].doing, Doing::kBlocked);
    track.stretches = {asleep(1, 0, kFrom + 400, kFrom + 500)};
    track.stretches[0].missed = true;
    track.stretches[0].switches = 41;
    EXPECT_EQ(course_of(track, watched).intervals[0].doing, Doing::kUnknown);
}

TEST(Stretches, AnyRecordsSumToTheWindow) {
    std::mt19937_64 random(7);
    const auto moment = [&] { return random() % 5 ? kFrom - 1000 + random() % (kTo - kFrom + 2000) : 0; };
    for (int round = 0; round < 20'000; ++round) {
        Track track = track_of({});
        const std::size_t count = random() % 6;
        for (std::size_t i = 0; i < count; ++i)
            track.stretches.push_back({moment(), moment(), moment(), static_cast<std::uint32_t>(random() % 8),
                                       static_cast<std::uint32_t>(random() % 4), 1, 2, random() % 4,
                                       random() % 2 == 0});
        if (random() % 2) track.open = Stretch{moment(), moment(), moment(), 1, 1, 1, 2};
        if (random() % 2) track.switches_at_end = random() % 4;
        track.first.doing = static_cast<Doing>(random() % 4);
        const Watched watched{random() % 2 == 0, random() % 2 == 0, random() % 2 == 0, random() % 3 == 0};
        const Course course = course_of(track, watched);
        expect_whole(track, course);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace waitclose::kernel
