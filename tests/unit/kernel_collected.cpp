// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/collected.h"

#include <cstring>

#include <gtest/gtest.h>

#include "kernel/sampling.h"
#include "kernel/stack_records.h"

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kFrom = 1000;
constexpr std::uint64_t kTo = 2000;

wc_actor actor(std::uint32_t tid) {
    wc_actor actor{};
    actor.start_ns = 5;
    actor.tgid = 10;
    actor.tid = tid;
    std::memcpy(actor.comm, "worker", 7);
    return actor;
}

wc_stretch stretch(std::uint32_t tid, std::uint64_t left, std::uint64_t on, std::uint64_t stack) {
    wc_stretch record{};
    record.header = {WC_KIND_STRETCH, sizeof(record)};
    record.thread = actor(tid);
    record.left_ns = left;
    record.on_ns = on;
    record.how = WC_OFF_CPU_ASLEEP;
    record.sequence = 1;
    record.syscall = ~0U;
    record.stack = stack;
    return record;
}

std::vector<std::byte> stack(std::uint64_t id, std::uint32_t bytes) {
    wc_stack record{};
    const std::size_t size = offsetof(wc_stack, bytes) + (bytes + 7) / 8 * 8;
    record.header = {WC_KIND_STACK, static_cast<wc_u32>(size)};
    record.id = id;
    record.tgid = 10;
    record.has_registers = 1;
    record.registers.pc = id;
    record.byte_count = bytes;
    std::vector<std::byte> raw(size);
    std::memcpy(raw.data(), &record, size);
    return raw;
}

Collected::Ending ending(std::uint32_t threads = 100) {
    return {.from_ns = kFrom, .to_ns = kTo, .max_threads = threads, .watched = {}};
}

TEST(Collected, ASleepRefersToItsStack) {
    Collected collected(1 << 20);
    const auto raw = stack(77, 40);
    collected.add(raw.data(), raw.size());
    const wc_stretch record = stretch(11, 1100, 1200, 77);
    collected.add(&record, sizeof(record));
    const model::Activity activity = collected.join(ending());
    const auto stacks = collected.take_stacks();
    ASSERT_EQ(activity.threads.size(), 1U);
    EXPECT_EQ(activity.threads[0].comm, "worker");
    const model::Interval& blocked = activity.threads[0].intervals.at(1);
    ASSERT_EQ(blocked.doing, model::Doing::kBlocked);
    const model::Sleep& sleep = activity.sleeps.at(blocked.sleep);
    EXPECT_FALSE(sleep.syscall);
    ASSERT_EQ(sleep.stack, 0U);
    EXPECT_EQ(stacks[0].registers->pc, 77U);
    EXPECT_EQ(stacks[0].bytes.size(), 40U);
}

TEST(Collected, AStackThatWasNotReceivedIsNone) {
    Collected collected(1 << 20);
    const wc_stretch record = stretch(11, 1100, 1200, 77);
    collected.add(&record, sizeof(record));
    EXPECT_EQ(collected.join(ending()).sleeps.at(0).stack, model::kNowhere);
}

TEST(Collected, RecordsThatAreTooShortAreLeftOut) {
    Collected collected(1 << 20);
    const wc_stretch record = stretch(11, 1100, 1200, 77);
    for (std::size_t size = 0; size < sizeof(record); ++size) collected.add(&record, size);
    auto raw = stack(77, 40);
    for (std::size_t size = 0; size < offsetof(wc_stack, bytes); ++size) collected.add(raw.data(), size);
    EXPECT_TRUE(collected.join(ending()).threads.empty());
    EXPECT_TRUE(collected.take_stacks().empty());
}

TEST(Collected, AStackThatClaimsMoreThanItHasIsCut) {
    auto raw = stack(77, 40);
    auto& record = *reinterpret_cast<wc_stack*>(raw.data());
    record.byte_count = ~0U;
    record.kernel_depth = ~0U;
    const auto found = stack_of(record, raw.size());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->bytes.size(), 40U);
    EXPECT_TRUE(found->kernel_addresses.empty()) << "they end with the first that is 0";
    record.header.size = static_cast<wc_u32>(raw.size() + 8);
    EXPECT_FALSE(stack_of(record, raw.size()));
}

TEST(Collected, MemoryOfStacksIsBounded) {
    Collected collected(64);
    for (std::uint64_t id = 1; id <= 3; ++id) {
        const auto raw = stack(id, 40);
        collected.add(raw.data(), raw.size());
    }
    EXPECT_EQ(collected.cut(), 2U);
    const auto stacks = collected.take_stacks();
    ASSERT_EQ(stacks.size(), 3U);
    EXPECT_EQ(stacks[0].bytes.size(), 40U);
    EXPECT_TRUE(stacks[1].bytes.empty());
}

TEST(Collected, OfTooManyThreadsThoseThatDidMostStay) {
    Collected collected(1 << 20);
    for (std::uint32_t tid = 1; tid <= 5; ++tid)
        for (std::uint32_t i = 0; i < tid; ++i) {
            wc_stretch record = stretch(tid, 1100 + 100 * i, 1150 + 100 * i, 0);
            record.sequence = i + 1;
            collected.add(&record, sizeof(record));
        }
    const auto activity = collected.join(ending(2));
    ASSERT_EQ(activity.threads.size(), 2U);
    EXPECT_EQ(activity.threads[0].tid, 4U);
    EXPECT_EQ(activity.threads[1].tid, 5U);
    EXPECT_EQ(collected.left_out(), 3U);
}

TEST(Collected, AThreadOfAnotherPidNamespaceHasNoName) {
    Collected collected(1 << 20);
    const wc_stretch record = stretch(0, 1100, 1200, 0);
    collected.add(&record, sizeof(record));
    EXPECT_TRUE(collected.join(ending()).threads.empty());
    EXPECT_EQ(collected.dropped(), 1U);
}

TEST(Sampling, ListsOfCpus) {
    EXPECT_EQ(parse_cpus("0-2,5"), (std::vector{0, 1, 2, 5}));
    EXPECT_EQ(parse_cpus("7"), std::vector{7});
    for (const char* bad : {"", "x", "1-", "3-1", "0-99999999", "1,,2", "-1"})
        EXPECT_TRUE(parse_cpus(bad).empty()) << bad;
}

}  // namespace
}  // namespace waitclose::kernel
