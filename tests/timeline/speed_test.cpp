// SPDX-License-Identifier: BSD-2-Clause
// A million events in every format, and as a page, in little memory; and what that costs (two seconds, where
// scripts/bench measures it).
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <set>

#include "million.h"
#include "process.h"
#include "spent.h"
#include "timeline/check.h"
#include "timeline/format.h"
#include "timeline/html_report.h"

namespace waitclose::timeline {
namespace {

constexpr long kMostKilobytes = 32 * 1024;

using spent::cpu_seconds;
using spent::optimised;
using spent::used;

/// Writes one file and prints a row about it. With `unbounded` it may take as long as it likes.
void measure(const std::string& what, std::string_view name, bool unbounded,
             const std::function<void(output::Sink&)>& write) {
    const runtime::TemporaryDirectory directory;
    const std::string path = directory.path() + "/out";
    const double begun = cpu_seconds();
    const long before = used().ru_maxrss;
    auto sink = output::Sink::open(path);
    ASSERT_TRUE(sink);
    write(*sink);
    ASSERT_TRUE(sink->finish());
    const double seconds = cpu_seconds() - begun;
    const long kilobytes = used().ru_maxrss - before;
    struct stat file {};
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    spent::tell_cost(
        fmt::format("{} as {}", what, name), seconds,
        fmt::format("{:.1f} MB written, {} KB of memory", static_cast<double>(file.st_size) / 1e6, kilobytes),
        !unbounded);
    EXPECT_LT(kilobytes, kMostKilobytes) << name;
}

/// Writes the timeline in every format. Those in `unbounded` may take as long as they like.
void write_all(const Timeline& timeline, const char* what, const std::set<std::string_view>& unbounded) {
    for (const Format& format : formats()) {
        measure(what, format.name, unbounded.contains(format.name),
                [&](output::Sink& sink) { format.write(timeline, {}, sink); });
    }
    measure(what, "html", false, [&](output::Sink& sink) { write_html(timeline, {}, {}, sink); });
}

TEST(TimelineSpeed, AMillionEvents) {
    if (!optimised()) GTEST_SKIP() << "this build is not optimised";
    const Timeline timeline = testing::million_events();
    ASSERT_TRUE(check(timeline).empty());
    write_all(timeline, "a million events", {});
}

/// Each of these is an object of a kilobyte, or a dozen events: what it costs is printed, and only memory is
/// bounded.
TEST(TimelineSpeed, AMillionHoldsLong) {
    if (!optimised()) GTEST_SKIP() << "this build is not optimised";
    const Timeline timeline = testing::million_holds();
    ASSERT_TRUE(check(timeline).empty());
    write_all(timeline, "a million holds", {"perfetto", "chrome"});
}

}  // namespace
}  // namespace waitclose::timeline
