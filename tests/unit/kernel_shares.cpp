// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/shares.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <gtest/gtest.h>

#include "diagnose/shares.h"

namespace waitclose::kernel {
namespace {

using diagnose::WaitClass;
using model::Thread;
using model::ThreadTime;

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kFrom = 10'000 * kMs;
constexpr std::uint64_t kTo = 12'000 * kMs;
constexpr std::uint64_t kBorn = 5'000 * kMs;

/// Thread 8 at a look: asleep in a system call, or running when there is none.
ThreadLook look(std::uint64_t at_ns, std::uint64_t cpu_ms, std::uint64_t delay_ms,
                std::optional<std::uint32_t> syscall, std::uint64_t switches) {
    Thread thread;
    thread.tid = 8;
    thread.start_ns = kBorn;
    thread.state = syscall ? model::RunState::kSleeping : model::RunState::kRunning;
    thread.syscall = syscall;
    thread.read_ns = at_ns;
    thread.on_cpu_ns = cpu_ms * kMs;
    thread.run_delay_ns = delay_ms * kMs;
    thread.switches = switches;
    return {7, thread};
}

wc_run_times times(std::uint64_t at_ms, std::uint64_t cpu_ms, std::uint64_t delay_ms) {
    return {at_ms * kMs, cpu_ms * kMs, delay_ms * kMs};
}

wc_sleep sleep_in(std::uint32_t syscall, std::uint32_t mode = 0) {
    return {syscall, mode, 0, 0};
}

wc_switched switched(const wc_run_times& first, const wc_run_times& last, wc_off_cpu how,
                     std::uint32_t syscall) {
    wc_switched thread{};
    thread.key = {kBorn, 1008, 0};
    thread.tgid = 7;
    thread.tid = 8;
    thread.first = first;
    thread.last = last;
    thread.off_cpu = how;
    thread.sleep = sleep_in(syscall);
    return thread;
}

ThreadTime only(const std::vector<ThreadTime>& threads) {
    EXPECT_EQ(threads.size(), 1U);
    return threads.empty() ? ThreadTime{} : threads.front();
}

std::uint64_t sum_of(const ThreadTime& time) {
    std::uint64_t sum = time.on_cpu_ns + time.waiting_ns + time.unaccounted_ns;
    for (const model::Slept& slept : time.slept) sum += slept.ns;
    return sum;
}

TEST(Shares, OfOneThatSleptAllTheTime) {
    const auto asleep = look(kFrom, 1, 1, SYS_clock_nanosleep, 5);
    const auto time =
        only(shares(std::vector{asleep}, {}, std::vector{look(kTo, 1, 1, SYS_clock_nanosleep, 5)}, kFrom));
    EXPECT_EQ(sum_of(time), time.length_ns());
    EXPECT_DOUBLE_EQ(diagnose::shares_of(time).slept.at(WaitClass::kSleep), 1);
}

TEST(Shares, OfOneThatRanAllTheTime) {
    auto first = look(kFrom, 100, 0, {}, 5);
    auto last = look(kTo, 2090, 0, {}, 5);  // the counter lags behind by a tick
    last.thread.has_cpu = true;
    const auto time = only(shares(std::vector{first}, {}, std::vector{last}, kFrom));
    EXPECT_DOUBLE_EQ(diagnose::shares_of(time).on_cpu, 1);
    last.thread.has_cpu = false;
    const auto queued = only(shares(std::vector{first}, {}, std::vector{last}, kFrom));
    EXPECT_EQ(queued.waiting_ns, 10 * kMs) << "the wait that goes on is counted when it ends";
    last.thread.has_cpu.reset();
    EXPECT_EQ(only(shares(std::vector{first}, {}, std::vector{last}, kFrom)).unaccounted_ns, 10 * kMs);
}

TEST(Shares, SeveralSleepsAddUp) {
    Switches between;
    // Asleep in read until 10.5 s, ran 100 ms; then sleeps of both kinds; the last began at 11.8 s.
    auto seen = switched(times(10'600, 200, 0), times(11'800, 300, 100), WC_OFF_CPU_ASLEEP, SYS_futex);
    seen.unaccounted_ns = 50 * kMs;
    between.threads = {seen};
    between.slept = {{{seen.key, sleep_in(SYS_futex)}, 550 * kMs},
                     {{seen.key, sleep_in(SYS_read, S_IFIFO)}, 400 * kMs},
                     {{{kBorn, 1009, 0}, sleep_in(SYS_wait4)}, 1}};
    const auto time = only(shares(std::vector{look(kFrom, 100, 0, SYS_read, 5)}, between,
                                  std::vector{look(kTo, 300, 100, SYS_futex, 9)}, kFrom));
    EXPECT_EQ(sum_of(time), 2'000 * kMs);
    const auto parts = diagnose::shares_of(time);
    EXPECT_DOUBLE_EQ(parts.on_cpu, 0.1);
    EXPECT_DOUBLE_EQ(parts.waiting, 0.05);
    EXPECT_DOUBLE_EQ(parts.slept.at(WaitClass::kLock), 0.375);
    EXPECT_DOUBLE_EQ(parts.slept.at(WaitClass::kPipe), 0.2);
    EXPECT_DOUBLE_EQ(parts.slept.at(WaitClass::kOther), 0.25) << "the first read, of a file not looked at";
    EXPECT_DOUBLE_EQ(parts.unaccounted, 0.025);
}

TEST(Shares, OfOneThatDiedHaveTheirOwnLength) {
    Switches between;
    between.threads = {switched(times(10'300, 120, 0), times(10'500, 170, 0), WC_OFF_CPU_DEAD, ~0U)};
    between.threads[0].unaccounted_ns = 150 * kMs;
    const auto time = only(shares(std::vector{look(kFrom, 100, 0, {}, 5)}, between, {}, kFrom));
    EXPECT_TRUE(time.ended);
    EXPECT_EQ(time.pid, 7U);
    EXPECT_EQ(time.length_ns(), 500 * kMs);
    EXPECT_EQ(sum_of(time), time.length_ns());
}

TEST(Shares, OfOneThatWasBornBeginWithIt) {
    auto last = look(kTo, 30, 10, SYS_futex, 1);
    last.thread.start_ns = kTo - 100 * kMs;
    const auto time = only(shares({}, {}, std::vector{last}, kFrom));
    EXPECT_EQ(time.length_ns(), 100 * kMs);
    EXPECT_EQ(time.on_cpu_ns, 30 * kMs);
    EXPECT_EQ(sum_of(time), time.length_ns());
    EXPECT_DOUBLE_EQ(diagnose::shares_of(time).unsorted, 0.6) << "nobody saw in what it slept";
}

TEST(Shares, NothingIsSaidOfAStranger) {
    EXPECT_TRUE(shares({}, {}, std::vector{look(kTo, 30, 10, SYS_futex, 1)}, kFrom).empty())
        << "older than the window, and its process was not looked at when that began";
    Switches between;
    between.threads = {switched(times(10'300, 0, 0), times(10'500, 0, 0), WC_OFF_CPU_DEAD, ~0U)};
    EXPECT_TRUE(shares({}, between, {}, kFrom).empty());
}

TEST(Shares, WithoutTracedSwitchesSleepsHaveNoName) {
    const auto time = only(shares(std::vector{look(kFrom, 100, 0, SYS_read, 5)}, {},
                                  std::vector{look(kTo, 300, 100, SYS_futex, 9)}, kFrom));
    EXPECT_EQ(sum_of(time), time.length_ns());
    EXPECT_DOUBLE_EQ(diagnose::shares_of(time).unsorted, 0.85);
}

TEST(Shares, CountersThatRunAheadAddNoTime) {
    const auto time = only(
        shares(std::vector{look(kFrom, 100, 0, {}, 5)}, {}, std::vector{look(kTo, 2110, 300, {}, 9)}, kFrom));
    EXPECT_EQ(sum_of(time), time.length_ns());
    EXPECT_EQ(time.waiting_ns, 0U);
}

}  // namespace
}  // namespace waitclose::kernel
