// SPDX-License-Identifier: BSD-2-Clause
// A recording of a million events, from its file to every format: what is in it, and what that costs (two
// seconds, where scripts/bench measures it).
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "process.h"
#include "replay/replay.h"
#include "replay_fixture.h"
#include "report/json.h"
#include "report/text.h"
#include "spent.h"
#include "store/writer.h"
#include "timeline/check.h"
#include "timeline/format.h"

namespace waitclose::replay {
namespace {

using namespace testing;
using namespace spent;

constexpr std::uint64_t kLong = 5'000;
constexpr std::uint64_t kLooks = 20;
constexpr std::uint64_t kBrief =
    450'000;  // two events each; the looks see the others a hundred thousand times

/// A server of 200 threads that leaks, on which others come and go.
model::Census busy(std::uint64_t taken_ns, std::uint64_t number) {
    Builder builder;
    builder.census.taken_ns = taken_ns;
    std::vector<model::Thread> threads{in_accept(4121)};
    for (std::uint32_t tid = 4122; tid < 4321; ++tid) {
        model::Thread thread = tid % 2 ? asleep(tid, SYS_futex, tid) : asleep(tid, SYS_read, tid);
        thread.read_ns = taken_ns;
        thread.asleep_since_ns = taken_ns - tid * 1000;
        thread.on_cpu_ns = number * tid * 1000;
        thread.switches = number * 7;
        threads.push_back(thread);
    }
    const auto process = builder.process(4121, std::move(threads));
    for (std::uint64_t i = 0; i < kLong; ++i) {
        model::Socket& socket = socket_of(builder, 1 + i, {{process, static_cast<std::int32_t>(10 + i)}});
        socket.remote.port = static_cast<std::uint16_t>(i);
        read_eof(socket, deed(4121, 4121 + static_cast<std::uint32_t>(i % 200), kBegun + 2 * kSec,
                              model::Operation::kRead));
        socket.held_since_ns = kBegun + i;
    }
    return std::move(builder.census);
}

void record(const std::string& path) {
    store::WriterSettings settings;
    settings.path = path;
    settings.max_bytes = std::uint64_t{4} << 30;
    auto writer = store::Writer::create(settings);
    ASSERT_TRUE(writer);
    store::Writer& out = **writer;
    out.about(about());
    for (std::uint64_t i = 0; i < kLong; ++i) out.on(entered(1 + i, kBegun + i));
    for (std::uint64_t number = 0; number < kLooks; ++number) {
        const std::uint64_t from_ns = kBegun + (3 + number) * kSec;
        for (std::uint64_t i = 0; i < kBrief / kLooks; ++i) {
            const std::uint64_t cookie = 1'000'000 + number * kBrief + i;
            out.on(entered(cookie, from_ns + i * 1000));
            out.on(left(cookie, from_ns + i * 1000 + 20'000, 4121, 4121));
        }
        out.look_begins(from_ns + 900 * kMs);
        model::Census census = busy(from_ns + 910 * kMs, number + 1);
        out.look(census);
        out.keep_up(census.taken_ns);
    }
    ASSERT_TRUE(out.finish(store::Ending::kAsked, kBegun + 40 * kSec));
}

Incident replayed(const std::string& path) {
    Wanted wanted;
    wanted.selection.min_held_ns = 250 * kMs;
    Replay replay(std::move(wanted));
    EXPECT_TRUE(store::play(path, replay));
    return replay.finish();
}

TEST(RecordingSpeed, AMillionEventsFromTheFileToEveryFormat) {
    if (!optimised()) GTEST_SKIP() << "this build is not optimised";
    const runtime::TemporaryDirectory directory;
    const std::string path = directory.path() + "/incident.db";
    const double begun = cpu_seconds();
    record(path);
    struct stat file {};
    ::stat(path.c_str(), &file);
    tell_cost("a million events, recorded", cpu_seconds() - begun,
              fmt::format("{:.1f} MB written", static_cast<double>(file.st_size) / 1e6), false);
    for (const timeline::Format& format : timeline::formats()) {
        const double before = cpu_seconds();
        const Incident incident = replayed(path);
        const double between = cpu_seconds();
        auto sink = output::Sink::open(directory.path() + "/out");
        ASSERT_TRUE(sink);
        format.write(incident.timeline, {}, *sink);
        ASSERT_TRUE(sink->finish());
        const double after = cpu_seconds();
        tell_cost(fmt::format("a million events, read and written as {}", format.name), after - before,
                  fmt::format("{:.2f} s of it reading", between - before));
        EXPECT_EQ(incident.holds.size(), kLong);
        EXPECT_EQ(incident.brief.holds, kBrief);
    }
    const Incident incident = replayed(path);
    EXPECT_EQ(complaints(incident), "");
    EXPECT_EQ(incident.groups.size(), 1U);
    fmt::print("{} MB of memory at most\n", used().ru_maxrss / 1024);
}

/// In the order of watch: 250,000 healthy connections, or 20,000 holds that many looks see.
TEST(RecordingSpeed, BriefHoldsAndLongOnes) {
    if (!optimised()) GTEST_SKIP() << "this build is not optimised";
    double before = cpu_seconds();
    {
        Wanted wanted;
        wanted.selection.min_held_ns = 250 * kMs;
        Replay replay(std::move(wanted));
        replay.about(about());
        for (std::uint64_t i = 0; i < 250'000; ++i) {
            replay.on(entered(i, kBegun + i * 1000));
            replay.on(left(i, kBegun + i * 1000 + 20'000, 4121, 4121));
        }
        EXPECT_EQ(replay.finish().brief.holds, 250'000U);
    }
    tell_cost("250,000 brief holds, replayed", cpu_seconds() - before, "none of them told of");
    before = cpu_seconds();
    {
        Replay replay({});
        replay.about(about());
        for (std::uint64_t number = 1; number <= kLooks; ++number) {
            model::Census census = busy(kBegun + (3 + number) * kSec, number);
            look(replay, std::move(census));
        }
        const Incident incident = replay.finish();
        EXPECT_EQ(incident.holds.size(), kLong);
    }
    tell_cost("5,000 holds at 20 looks, replayed", cpu_seconds() - before, "all of them told of");
}

}  // namespace
}  // namespace waitclose::replay
