// SPDX-License-Identifier: BSD-2-Clause
// The rules of a timeline: kept by what is right, and every breach of them found.
#include "timeline/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What check() says of the incident after a change to it.
template <typename Change>
std::vector<std::string> after(Change&& change) {
    Timeline t = incident();
    change(t);
    return check(t);
}

TEST(TimelineCheck, RightOnesPass) {
    EXPECT_THAT(check(Timeline{}), IsEmpty());
    EXPECT_THAT(check(incident()), IsEmpty());
    for (const std::string& name : hostile_names()) EXPECT_THAT(check(hostile(name)), IsEmpty());
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed)
        EXPECT_THAT(check(random_timeline(seed)), IsEmpty()) << seed;
}

TEST(TimelineCheck, SlicesOfAThreadFillItsTime) {
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[0].slices[1].begin_ns -= 1; }),
                ElementsAre("slices of thread 4188 overlap at 5001999999999"));
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[0].slices[1].begin_ns += 1; }),
                ElementsAre("thread 4188 has a gap at 5002000000000"));
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[0].slices.pop_back(); }),
                ElementsAre("the slices of thread 4188 end at 5009000000000 instead of 5010000000000"));
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[1].slices[0].end_ns = kFrom + kSecond; }),
                ElementsAre(HasSubstr("no length"), HasSubstr("gap")));
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[1].from_ns = kFrom - 1; }),
                ElementsAre(HasSubstr("outside the window"), HasSubstr("gap")));
}

TEST(TimelineCheck, AWaitClassIsOfWhoWaits) {
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[0].slices[2].wait_class = StringId::kNone; }),
                ElementsAre(HasSubstr("is missing")));
    EXPECT_THAT(after([](Timeline& t) { t.processes[0].threads[0].slices[0].wait_class = t.hostname; }),
                ElementsAre(HasSubstr("is wrong")));
}

TEST(TimelineCheck, TheHoldIsAsLongAsItWasHeld) {
    const std::string wrong = "the phase of hold 4026531840:73012 is not what was held";
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].held_ns = *t.holds[0].held_ns + 1; }), ElementsAre(wrong));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].since_ns = kFrom; }), ElementsAre(wrong));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].phases[1].is_hold = false; }),
                ElementsAre(HasSubstr("has 0 phases that are the hold")));
    EXPECT_THAT(after([](Timeline& t) { t.holds[1].phases.push_back(t.holds[1].phases[0]); }),
                ElementsAre(HasSubstr("has 2 phases that are the hold")));
    EXPECT_THAT(after([](Timeline& t) {
                    t.holds[1].held_ns.reset();
                    t.holds[1].phases.clear();
                }),
                IsEmpty());
}

TEST(TimelineCheck, PhasesNest) {
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].phases[3].end_ns += 1; }),
                ElementsAre(HasSubstr("overlap"), HasSubstr("overlap")));
    EXPECT_THAT(after([](Timeline& t) { std::swap(t.holds[0].phases[1], t.holds[0].phases[2]); }),
                ElementsAre(HasSubstr("not in order"), HasSubstr("overlap")));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].phases[4].end_ns = kTo + 1; }),
                ElementsAre(HasSubstr("past the window")));
}

TEST(TimelineCheck, DeedsAreWhileItWasHeld) {
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].first_touch->at_ns = kFrom; }),
                ElementsAre(HasSubstr("before its FIN")));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].closed->at_ns = kFrom + kSecond; }),
                ElementsAre(HasSubstr("first touched after its close")));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].closed->at_ns = kTo + 1; }),
                ElementsAre(HasSubstr("after the window")));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].closed->where.thread = 2; }),
                ElementsAre(HasSubstr("a thread that is not there")));
    EXPECT_THAT(after([](Timeline& t) { t.holds[0].open = true; }),
                ElementsAre(HasSubstr("and yet was closed")));
}

TEST(TimelineCheck, CountersAndLossesAreInOrder) {
    EXPECT_THAT(after([](Timeline& t) { t.counters[0].samples[1].at_ns = kTo + 1; }),
                ElementsAre(HasSubstr("leaves the window"), HasSubstr("runs backwards")));
    EXPECT_THAT(after([](Timeline& t) { t.counters[2].process = 1; }), ElementsAre(HasSubstr("not there")));
    EXPECT_THAT(after([](Timeline& t) { t.losses[0].at_ns = 0; }),
                ElementsAre(HasSubstr("outside the window")));
}

TEST(TimelineCheck, IdsPointAtSomething) {
    const StringId nowhere{9999};
    EXPECT_THAT(after([&](Timeline& t) { t.processes[0].comm = nowhere; }), ElementsAre(HasSubstr("a text")));
    EXPECT_THAT(after([&](Timeline& t) { t.holds[0].diagnosis.evidence[0].text = nowhere; }),
                ElementsAre(HasSubstr("a text")));
    EXPECT_THAT(after([&](Timeline& t) { t.holds[0].stack = StackId{99}; }),
                ElementsAre(HasSubstr("a stack")));
    EXPECT_THAT(after([&](Timeline& t) { t.holds[0].owner = 1; }), ElementsAre(HasSubstr("an owner")));
}

TEST(TimelineCheck, SaysNoMoreThanAsked) {
    Timeline t = incident();
    for (Slice& slice : t.processes[0].threads[0].slices) slice.begin_ns = slice.end_ns = 0;
    EXPECT_EQ(check(t, 2).size(), 2U);
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) check(broken(seed));
}

TEST(TimelineStrings, TheSameTextIsOneId) {
    StringTable table;
    const StringId a = table.add("a");
    EXPECT_EQ(table.add("a"), a);
    EXPECT_NE(table.add(""), StringId::kNone);
    EXPECT_EQ(table[a], "a");
    EXPECT_EQ(table[StringId::kNone], "");
    EXPECT_EQ(table[StringId{77}], "");
    StringTable moved = std::move(table);
    EXPECT_EQ(moved.add("a"), a);
    EXPECT_EQ(moved[a], "a");
}

TEST(TimelineStrings, TheSameStackIsOneId) {
    StackTable table;
    const Frame outer{StringId{1}, {}, {}, false};
    const Frame inner{StringId{1}, {}, 5, false};
    const StackId stack = table.add(std::vector{outer, inner});
    EXPECT_EQ(table.add(std::vector{outer, inner}), stack);
    EXPECT_NE(table.add(std::vector{inner, outer}), stack);
    EXPECT_EQ(table.add({}), StackId::kNone);
    EXPECT_EQ(table.frames().size(), 2U);
    EXPECT_THAT(table.frames_of(stack), ElementsAre(0, 1));
    EXPECT_THAT(table.frames_of(StackId{99}), IsEmpty());
}

}  // namespace
}  // namespace waitclose::timeline
