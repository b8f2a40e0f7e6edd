// SPDX-License-Identifier: BSD-2-Clause
// A million events in every format, and as a page: within two seconds, and in little memory.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <functional>
#include <set>

#include "million.h"
#include "process.h"
#include "timeline/check.h"
#include "timeline/format.h"
#include "timeline/html_report.h"

namespace waitclose::timeline {
namespace {

constexpr double kMostSeconds = 2.0;
constexpr long kMostKilobytes = 32 * 1024;

struct Used {
    double seconds;  // of a CPU, in user space and in the kernel
    long kilobytes;  // at most, so far
};

Used used() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss};
}

/// Writes one file and prints a row about it. With `unbounded` it may take longer.
void measure(const std::string& what, std::string_view name, bool unbounded,
             const std::function<void(output::Sink&)>& write) {
    const runtime::TemporaryDirectory directory;
    const std::string path = directory.path() + "/out";
    const Used before = used();
    auto sink = output::Sink::open(path);
    ASSERT_TRUE(sink);
    write(*sink);
    ASSERT_TRUE(sink->finish());
    const Used after = used();
    struct stat file {};
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    const double seconds = after.seconds - before.seconds;
    const long kilobytes = after.kilobytes - before.kilobytes;
    fmt::print("{}: {:<10} {:5.2f} s of a CPU, {:7.1f} MB written, {} KB of memory\n", what, name, seconds,
               static_cast<double>(file.st_size) / 1e6, kilobytes);
    EXPECT_LT(kilobytes, kMostKilobytes) << name;
    if (!unbounded) {
        EXPECT_LE(seconds, kMostSeconds) << name;
    }
}

/// Writes the timeline in every format. Those in `unbounded` may take longer.
void write_all(const Timeline& timeline, const char* what, const std::set<std::string_view>& unbounded) {
    for (const Format& format : formats()) {
        measure(what, format.name, unbounded.contains(format.name),
                [&](output::Sink& sink) { format.write(timeline, {}, sink); });
    }
    measure(what, "html", false, [&](output::Sink& sink) { write_html(timeline, {}, {}, sink); });
}

bool optimised() {
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
    return true;
#else
    return false;
#endif
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
