// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/standing.h"

#include <cstring>

#include <gtest/gtest.h>

namespace waitclose::symbols {
namespace {

constexpr std::uint64_t kSp = 0x7f0000001000;
constexpr std::size_t kSize = 2048;

model::RawStack stack_with(const std::vector<std::byte>& bytes) {
    model::RawStack raw;
    raw.registers.emplace();
    raw.registers->sp = kSp;
    raw.bytes = bytes;
    return raw;
}

void put(std::vector<std::byte>& bytes, std::size_t at, std::uint64_t word) {
    ASSERT_LE(at + sizeof word, bytes.size());
    std::memcpy(bytes.data() + at, &word, sizeof word);
}

TEST(Standing, OneWordThatDiffersMakesItAnotherStack) {
    std::vector<std::byte> bytes(kSize);
    const Standing standing{kSp, 0, bytes};
    EXPECT_TRUE(is_same_within(standing, stack_with(bytes), kSp + 64, UINT64_MAX));
    put(bytes, 600, 1);
    const model::RawStack raw = stack_with(bytes);
    EXPECT_FALSE(is_same_within(standing, raw, kSp + 64, UINT64_MAX));
    EXPECT_FALSE(is_same_within(standing, raw, kSp + 64, kSp + 601));
    EXPECT_TRUE(is_same_within(standing, raw, kSp + 64, kSp + 600)) << "what differs lies further out";
    EXPECT_TRUE(is_same_within(standing, raw, kSp + 608, UINT64_MAX)) << "what differs lies further in";
}

TEST(Standing, TooLittleProvesNothing) {
    const std::vector<std::byte> bytes(kSize);
    const Standing standing{kSp, 0, bytes};
    const model::RawStack raw = stack_with(bytes);
    EXPECT_FALSE(is_same_within(standing, raw, kSp, kSp + 127));
    EXPECT_FALSE(is_same_within(standing, raw, kSp + 64, kSp));
    EXPECT_FALSE(is_same_within(standing, raw, kSp + kSize - 127, UINT64_MAX));
    EXPECT_FALSE(is_same_within(standing, raw, kSp - 8, UINT64_MAX));
    EXPECT_FALSE(is_same_within(standing, raw, kSp + kSize, UINT64_MAX));
    for (std::size_t size = 0; size < 64; ++size)
        EXPECT_FALSE(is_same_within(standing, stack_with(std::vector<std::byte>(size)), kSp, UINT64_MAX));
}

#if defined(__x86_64__)
TEST(Standing, WhatTheCLibraryKeepsAboveIsNotTheThreads) {
    constexpr std::size_t kBlock = 1472;
    std::vector<std::byte> bytes(kBlock + 1024);
    put(bytes, kBlock, kSp + kBlock);
    put(bytes, kBlock + 16, kSp + kBlock);
    const Standing standing{kSp, 0, bytes};
    put(bytes, kBlock + 704, 1);
    EXPECT_TRUE(is_same(standing, stack_with(bytes)));
    EXPECT_TRUE(is_same_within(standing, stack_with(bytes), kSp, UINT64_MAX));
    EXPECT_FALSE(is_same_within(standing, stack_with(bytes), kSp + kBlock + 64, UINT64_MAX));
    put(bytes, kBlock - 8, 1);
    EXPECT_FALSE(is_same(standing, stack_with(bytes)));
    EXPECT_FALSE(is_same_within(standing, stack_with(bytes), kSp, UINT64_MAX));
}
#endif

}  // namespace
}  // namespace waitclose::symbols
