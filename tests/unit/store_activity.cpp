// SPDX-License-Identifier: BSD-2-Clause
// What a capture saw, written and read again; older recordings, and files that lie.
#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "capture_fixture.h"
#include "store_fixture.h"

namespace waitclose::store {
namespace {

using namespace replay::testing;

class Hearer : public Listener {
public:
    void activity(model::Activity& told) override {
        ++times;
        activity_ = std::move(told);
    }
    int times = 0;
    model::Activity activity_;
};

std::string words_of(const model::Activity& activity, std::uint32_t stack) {
    if (stack >= activity.stacks.size()) return "-";
    std::string text;
    for (const model::Frame& frame : activity.stacks[stack])
        text += fmt::format("{}|{}|{}|{}|{};", frame.function, frame.module,
                            frame.offset ? std::to_string(*frame.offset) : "none", frame.kernel, frame.own);
    return text;
}

/// All it says, with what indices point at instead of indices.
std::vector<std::string> lines_of(const model::Activity& activity) {
    std::vector<std::string> lines{fmt::format("{} {} {} {}", activity.from_ns, activity.to_ns,
                                               activity.sample_period_ns, activity.lost)};
    for (const std::string& lack : activity.lacks) lines.push_back(lack);
    Identities identities;
    for (const model::ThreadActivity& thread : activity.threads) {
        lines.push_back(line_of(identities, "thread", thread) + words_of(activity, thread.resting_stack));
        for (const model::Interval& interval : thread.intervals) {
            std::string line = line_of(identities, "interval", interval);
            if (interval.sleep < activity.sleeps.size()) {
                const model::Sleep& sleep = activity.sleeps[interval.sleep];
                line += line_of(identities, "sleep", sleep) + words_of(activity, sleep.stack);
            }
            if (interval.waker < activity.wakers.size()) line += activity.wakers[interval.waker].comm_text();
            lines.push_back(line);
        }
        for (const model::CpuSample& sample : thread.samples)
            lines.push_back(fmt::format("{} {}", sample.at_ns, words_of(activity, sample.stack)));
    }
    return lines;
}

/// Something in every field.
model::Activity full_activity() {
    Capture capture;
    const auto one = capture.stack({kernel("io_schedule"), own("f\xff"), own("", 0xffffffffffffffff)});
    const auto other = capture.stack({own("main")});
    model::Thread asleep_one = asleep(9, SYS_read, ~std::uint64_t{0}, 2, 3);
    asleep_one.file = model::FileFact{model::FileKind::kRegular, "/a\nb", 7, "r", 0, 1};
    asleep_one.in_iowait = true;
    const auto sleep = capture.sleep(asleep_one, one);
    model::Thread fault = asleep(9, 0);
    fault.syscall.reset();
    const auto nowhere = capture.sleep(fault, model::kNowhere);
    const auto waker = capture.waker(5, 6);
    model::ThreadActivity& thread = capture.thread(4121, asleep_one);
    then(thread, model::Doing::kBlocked, kCaptured + 10, sleep, waker);
    then(thread, model::Doing::kRunnable, kCaptured + 11);
    then(thread, model::Doing::kRunning, kCaptured + 20);
    then(thread, model::Doing::kUnknown, kCaptured + 30);
    then(thread, model::Doing::kBlocked, kTaken, nowhere);
    thread.samples = {{kCaptured + 15, other}, {kCaptured + 16, model::kNowhere}};
    thread.resting_stack = other;
    thread.comm = "\x1b]0;x";
    model::ThreadActivity& ended = capture.thread(4122, running(10));
    ended.ended = true;
    ended.to_ns = kCaptured + 5;
    capture.activity.lacks = {"No samples.", "", "\xff"};
    capture.activity.lost = 12;
    return std::move(capture.activity);
}

void make(const std::string& path, model::Activity& activity, std::uint64_t max_bytes = 1 << 30) {
    auto writer = Writer::create({.path = path, .max_bytes = max_bytes, .selection = {}}).value();
    About about;
    about.program = "waitclose test";
    writer->about(about);
    replay::testing::Told told = disk();
    writer->look_begins(kTaken - kMs);
    writer->look(told.census);
    writer->activity(activity);
    EXPECT_TRUE(writer->keep_up(kTaken));
    EXPECT_TRUE(writer->finish(Ending::kDuration, kTaken));
}

void change(const std::string& path, const std::string& sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &connection), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(connection);
    sqlite3_close(connection);
}

TEST(StoreActivity, ComesBackAsItWas) {
    Directory directory;
    model::Activity activity = full_activity();
    make(directory.file("a.db"), activity);
    Hearer hearer;
    ASSERT_TRUE(play(directory.file("a.db"), hearer));
    EXPECT_EQ(hearer.times, 1);
    EXPECT_EQ(difference(lines_of(activity), lines_of(hearer.activity_)), "");
    EXPECT_EQ(lines_of(activity).size(), 1 + 3 + 1 + 5 + 2 + 1U);
}

TEST(StoreActivity, StacksOfThreadsAndOfOpeningsComeBack) {
    Directory directory;
    replay::testing::Told told = disk();
    model::give_stacks(told.census, told.activity);
    touches(told.census.sockets[0]).opened_at = told.census.threads[1].user_stack;
    Listener expected;
    expected.look(told.census);
    auto writer = Writer::create({.path = directory.file("a.db"), .selection = {}}).value();
    writer->about({});
    writer->look_begins(1);
    writer->look(told.census);
    ASSERT_TRUE(writer->finish(Ending::kAsked, kTaken));
    const auto found = played(directory.file("a.db"));
    ASSERT_GT(found.size(), expected.lines.size());
    EXPECT_TRUE(std::ranges::any_of(found, [](const std::string& line) {
        return line.find("user_stack='fdatasync'") != std::string::npos;
    }));
    EXPECT_TRUE(std::ranges::any_of(found, [](const std::string& line) {
        return line.find("opened_at='fdatasync'") != std::string::npos;
    }));
}

TEST(StoreActivity, ARecordingOfAnEarlierBuildIsPlayedWithoutIt) {
    Directory directory;
    const std::string path = directory.file("a.db");
    model::Activity activity = full_activity();
    make(path, activity);
    change(path,
           "PRAGMA journal_mode = DELETE; DROP VIEW activity_list; DROP VIEW because_list; "
           "DROP TABLE activities; DROP TABLE activity_lacks; DROP TABLE activity_threads; "
           "DROP TABLE activity_sleeps; DROP TABLE activity_intervals; DROP TABLE activity_samples; "
           "DROP TABLE call_stacks; DROP TABLE call_frames; ALTER TABLE threads DROP COLUMN user_stack; "
           "ALTER TABLE sockets DROP COLUMN opened_at; ALTER TABLE listeners DROP COLUMN opened_at; "
           "ALTER TABLE because DROP COLUMN function");
    Hearer hearer;
    ASSERT_TRUE(play(path, hearer));
    EXPECT_EQ(hearer.times, 0);
    EXPECT_GT(hearer.lines.size(), 3U);
}

TEST(StoreActivity, WhatLiesIsDamagedAndNeverACrash) {
    const std::vector<std::string> lies{
        "UPDATE activity_intervals SET sleep = 99",
        "UPDATE activity_intervals SET owner = 99",
        "UPDATE activity_intervals SET owner = -1",
        "UPDATE activity_intervals SET end_ns = begin_ns - 1",
        "UPDATE activity_intervals SET begin_ns = -5",
        "UPDATE activity_intervals SET end_ns = 9223372036854775807",
        "UPDATE activity_intervals SET doing = 'flying'",
        "UPDATE activity_intervals SET waker = 999 WHERE waker IS NOT NULL",
        "UPDATE activity_samples SET stack = 12345",
        "UPDATE activity_samples SET owner = 77",
        "UPDATE activity_sleeps SET stack = 'x'",
        "UPDATE activity_sleeps SET in_iowait = 7",
        "UPDATE activity_threads SET from_ns = to_ns + 1",
        "UPDATE activity_threads SET stack = -1",
        "UPDATE activities SET to_ns = from_ns - 1",
        "INSERT INTO activities SELECT * FROM activities",
        "UPDATE call_stacks SET frames = 1000000",
        "UPDATE call_stacks SET frames = -1",
        "UPDATE call_stacks SET frames = frames + 1",
        "UPDATE call_frames SET function = 99999",
        "UPDATE call_frames SET kernel = 5",
        "UPDATE call_frames SET offset = 'x'",
        "UPDATE threads SET user_stack = 4711",
        "DROP VIEW activity_list; DROP TABLE activity_sleeps",
        "DROP TABLE call_frames",
    };
    for (const std::string& lie : lies) {
        SCOPED_TRACE(lie);
        Directory directory;
        const std::string path = directory.file("a.db");
        model::Activity activity = full_activity();
        make(path, activity);
        change(path,
               "PRAGMA journal_mode = DELETE; DROP VIEW activity_list; CREATE VIEW activity_list AS "
               "SELECT 1; " +
                   lie);
        Hearer hearer;
        const auto result = play(path, hearer);
        ASSERT_FALSE(result);
        EXPECT_NE(result.error().what.find("is damaged"), std::string::npos) << result.error().what;
        EXPECT_EQ(hearer.times, 0);
    }
}

TEST(StoreActivity, WhatHasNoRoomIsLeftOutAndSaid) {
    Directory directory;
    Capture capture;
    const auto stack = capture.stack({own("main")});
    const auto sleep = capture.sleep(asleep(1, SYS_read), stack);
    for (std::uint32_t tid = 1; tid <= 3; ++tid) {
        model::ThreadActivity& thread = capture.thread(4121, asleep(tid, SYS_read));
        const std::uint64_t count = tid == 2 ? 50'000 : 100;
        for (std::uint64_t i = 1; i < count; ++i)
            then(thread, i % 2 ? model::Doing::kBlocked : model::Doing::kRunning, kCaptured + i, sleep);
        then(thread, model::Doing::kBlocked, kTaken, sleep);
    }
    make(directory.file("a.db"), capture.activity, 2 << 20);
    Hearer hearer;
    ASSERT_TRUE(play(directory.file("a.db"), hearer));
    ASSERT_EQ(hearer.activity_.threads.size(), 3U);
    EXPECT_EQ(hearer.activity_.threads[0].intervals.size(), 100U);
    EXPECT_EQ(hearer.activity_.threads[1].intervals.size(), 0U);
    EXPECT_EQ(hearer.activity_.threads[2].intervals.size(), 100U);
    ASSERT_EQ(hearer.activity_.lacks.size(), 1U);
    EXPECT_NE(hearer.activity_.lacks[0].find("What 1 of 3 threads did had no room"), std::string::npos);
}

}  // namespace
}  // namespace waitclose::store
