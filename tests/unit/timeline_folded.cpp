// SPDX-License-Identifier: BSD-2-Clause
// Folded stacks, line by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "timeline/held_time.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;

const Options kByCount{Weight::kCount, {}};

/// Stack and weight of every line, as flamegraph.pl splits it: at the last space.
std::vector<std::pair<std::string, std::uint64_t>> lines_of(const std::string& text) {
    std::vector<std::pair<std::string, std::uint64_t>> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const std::size_t space = line.rfind(' ');
        lines.emplace_back(line.substr(0, space), std::stoull(line.substr(space + 1)));
    }
    return lines;
}

TEST(TimelineFolded, HeldMilliseconds) {
    EXPECT_EQ(written(incident(), write_folded),
              "orders;handler-blocked;worker;lock;main;handle_request;libc.so.6+0x9f3;futex_wait_[k] 8000\n"
              "owner not known;(not known);(not known);(not known) 70000\n");
}

TEST(TimelineFolded, WhatNobodyIsBlamedForStandsUnderNoThread) {
    Timeline t = incident();
    t.holds[0].diagnosis.cause = t.strings.add("unknown");
    t.holds[0].shares = {{t.holds[0].wait_class, t.holds[0].stack, *t.holds[0].held_ns}};
    EXPECT_TRUE(written(t, write_folded).starts_with("orders;unknown;(not known);(not known) 8000\n"))
        << written(t, write_folded);
}

TEST(TimelineFolded, Count) {
    EXPECT_EQ(written(incident(), write_folded, kByCount),
              "orders;handler-blocked;worker;lock;main;handle_request;libc.so.6+0x9f3;futex_wait_[k] 1\n"
              "owner not known;(not known);(not known);(not known) 1\n");
}

TEST(TimelineFolded, WhatLooksTheSameIsAddedUp) {
    Timeline t = incident();
    t.holds.push_back(t.holds[0]);
    t.holds.back().held_ns = 400'000;
    t.holds.push_back(t.holds[0]);
    t.holds.back().held_ns.reset();
    // The same functions at another address.
    std::vector<Frame> frames;
    for (const std::uint32_t index : t.stacks.frames_of(t.holds[0].stack))
        frames.push_back(t.stacks.frames()[index]);
    frames[0].offset = 0x1f8;
    t.holds.push_back(t.holds[0]);
    t.holds.back().stack = t.stacks.add(frames);
    EXPECT_EQ(held_time(t).size(), 3U);
    const auto by_time = lines_of(written(t, write_folded));
    ASSERT_EQ(by_time.size(), 2U);
    EXPECT_EQ(by_time[0].second, 16'000U);
    EXPECT_EQ(lines_of(written(t, write_folded, kByCount))[0].second, 4U);
}

TEST(TimelineFolded, NothingThatWasHeldDisappears) {
    Timeline t = incident();
    t.holds[0].held_ns = 1;
    t.holds[1].held_ns = 0;
    const auto lines = lines_of(written(t, write_folded));
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].second, 1U);
    EXPECT_EQ(written(Timeline{}, write_folded), "");
}

TEST(TimelineFolded, HostileNamesAreText) {
    for (const std::string& name : hostile_names()) {
        const std::string text = written(hostile(name), write_folded);
        EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char byte) {
            return byte == '\n' || static_cast<unsigned char>(byte) >= 0x20;
        })) << name;
        for (const auto& [stack, weight] : lines_of(text)) {
            // process, cause, thread, wait class and two frames
            EXPECT_EQ(std::count(stack.begin(), stack.end(), ';'), 5) << stack;
        }
    }
    EXPECT_THAT(written(hostile("a;b\nc"), write_folded), ::testing::HasSubstr(";a\\x3bb\\nc;"));
}

TEST(TimelineFolded, SumsAreWhatWasHeld) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = random_timeline(seed);
        std::uint64_t held_ns = 0;
        for (const Hold& hold : t.holds) held_ns += hold.held_ns.value_or(0);
        std::uint64_t by_time = 0;
        std::uint64_t by_count = 0;
        const auto lines = lines_of(written(t, write_folded));
        for (const auto& line : lines) by_time += line.second;
        for (const auto& line : lines_of(written(t, write_folded, kByCount))) by_count += line.second;
        EXPECT_NEAR(static_cast<double>(by_time), static_cast<double>(held_ns) / 1e6,
                    static_cast<double>(lines.size()));
        EXPECT_EQ(by_count, t.holds.size());
    }
}

}  // namespace
}  // namespace waitclose::timeline
