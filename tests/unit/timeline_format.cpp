// SPDX-License-Identifier: BSD-2-Clause
// What all writers have in common.
#include "timeline/format.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;

TEST(TimelineFormat, FoundByName) {
    ASSERT_EQ(formats().size(), 5U);
    for (const Format& format : formats()) EXPECT_EQ(find_format(format.name), &format);
    EXPECT_EQ(find_format("pprof"), nullptr);
}

TEST(TimelineFormat, TheSameTimelineIsTheSameFile) {
    for (const Format& format : formats())
        EXPECT_EQ(written(incident(), format.write), written(incident(), format.write));
}

TEST(TimelineFormat, NothingGivesAFileToo) {
    for (const Format& format : formats()) {
        if (format.name != "folded" && format.name != "ndjson") {
            EXPECT_NE(written(Timeline{}, format.write), "");
        }
    }
}

TEST(TimelineFormat, ABrokenTimelineIsWrittenAllTheSame) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = broken(seed);
        for (const Format& format : formats()) written(t, format.write);
    }
}

TEST(TimelineFormat, ProgressRunsToTheEnd) {
    for (const Format& format : formats()) {
        std::uint64_t last = 0;
        std::uint64_t told = 0;
        Options options;
        options.progress = [&](std::uint64_t done, std::uint64_t total) {
            EXPECT_GE(done, last);
            EXPECT_LE(done, total);
            last = done;
            ++told;
        };
        written(incident(), format.write, options);
        EXPECT_GT(told, 0U) << format.name;
    }
}

TEST(TimelineFormat, AFullDiskIsToldByTheSink) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0) GTEST_SKIP() << "no /dev/full here";
    for (const Format& format : formats()) {
        output::Sink sink = output::Sink::to_descriptor(full, "full");
        format.write(incident(), {}, sink);
        EXPECT_FALSE(sink.finish()) << format.name;
    }
    ::close(full);
}

}  // namespace
}  // namespace waitclose::timeline
