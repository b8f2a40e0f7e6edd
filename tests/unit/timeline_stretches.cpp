// SPDX-License-Identifier: BSD-2-Clause
// A thread in no more pieces than wanted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "timeline/stretches.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;

/// One slice a unit of time: what the thread waits for, as a letter.
Thread doing(std::string_view letters) {
    Thread thread{1, {}, 100, 100 + letters.size(), {}};
    for (const char letter : letters) {
        const std::uint64_t at = 100 + thread.slices.size();
        Slice slice{at, at + 1, Activity::kBlocked, StringId{static_cast<unsigned char>(letter)}, {}, {}};
        thread.slices.push_back(slice);
    }
    return thread;
}

std::string told(const std::vector<Stretch>& stretches) {
    std::string text;
    for (const auto& [slice, filled] : stretches) {
        text += std::string(slice.end_ns - slice.begin_ns, static_cast<char>(slice.wait_class)) + "|";
    }
    return text;
}

TEST(TimelineStretches, FewStayAsTheyAre) {
    EXPECT_EQ(told(stretches(doing("abab"), 4)), "a|b|a|b|");
}

TEST(TimelineStretches, ManyAreWhatFillsMostOfEachPart) {
    EXPECT_EQ(told(stretches(doing("aabbbaccc"), 3)), "aaa|bbb|ccc|");
    EXPECT_EQ(told(stretches(doing("aaabbbbaaaab"), 3)), "aaaa|bbbb|aaaa|");
    EXPECT_EQ(told(stretches(doing("aaabaaabaaab"), 3)), "aaaaaaaaaaaa|");
}

TEST(TimelineStretches, SayHowMuchOfATimeTheyFill) {
    const auto made = stretches(doing("aaabaaabbbbb"), 3);
    ASSERT_EQ(told(made), "aaaaaaaa|bbbb|");
    EXPECT_EQ(made[0].filled_ns, 6U);
    EXPECT_EQ(made[1].filled_ns, 4U);
    for (const auto& [slice, filled] : stretches(doing("abab"), 4)) EXPECT_EQ(filled, 1U);
}

TEST(TimelineStretches, TheTimeStaysTheSameAndThePiecesFew) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        for (const Process& process : random_timeline(seed).processes) {
            for (const Thread& thread : process.threads) {
                for (const std::size_t most : {1U, 2U, 5U}) {
                    const std::vector<Stretch> made = stretches(thread, most);
                    EXPECT_LE(made.size(), most);
                    std::uint64_t at = thread.from_ns;
                    for (const auto& [slice, filled] : made) {
                        EXPECT_EQ(slice.begin_ns, at);
                        EXPECT_GT(slice.end_ns, slice.begin_ns);
                        EXPECT_GT(filled, 0U);
                        EXPECT_LE(filled, slice.end_ns - slice.begin_ns);
                        at = slice.end_ns;
                    }
                    EXPECT_EQ(at, made.empty() ? thread.from_ns : thread.to_ns);
                }
            }
        }
    }
}

TEST(TimelineStretches, NonsenseIsPutInOrder) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        for (const Process& process : broken(seed).processes) {
            for (const Thread& thread : process.threads) {
                for (const std::size_t most : {0U, 1U, 3U, 100U}) {
                    const std::vector<Stretch> made = stretches(thread, most);
                    EXPECT_LE(made.size(), most);
                    std::uint64_t at = 0;
                    for (const auto& [slice, filled] : made) {
                        EXPECT_GE(slice.begin_ns, at);
                        EXPECT_GT(slice.end_ns, slice.begin_ns);
                        EXPECT_GT(filled, 0U);
                        EXPECT_LE(filled, slice.end_ns - slice.begin_ns);
                        at = slice.end_ns;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace waitclose::timeline
