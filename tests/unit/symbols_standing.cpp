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
    std::memcpy(bytes.data() + at, &word, sizeof word);
}

TEST(Standing, OneWordThatDiffersMakesItAnotherStack) {
    std::vector<std::byte> bytes(kSize);
    const Standing standing{kSp, 0, bytes};
    EXPECT_TRUE(is_same_above(standing, stack_with(bytes), kSp + 64));
    put(bytes, 1600, 1);
    EXPECT_FALSE(is_same_above(standing, stack_with(bytes), kSp + 64));
    EXPECT_TRUE(is_same_above(standing, stack_with(bytes), kSp + 1608)) << "what differs lies further in";
}

TEST(Standing, TheControlBlockAboveTheStackIsNoPartOfIt) {
    std::vector<std::byte> bytes(kSize);
    put(bytes, 1024, kSp + 1024);
    put(bytes, 1040, kSp + 1024);
    const Standing standing{kSp, 0, bytes};
    put(bytes, 1600, 1);
    EXPECT_TRUE(is_same_above(standing, stack_with(bytes), kSp + 64));
    EXPECT_FALSE(is_same_above(standing, stack_with(bytes), kSp + 1000)) << "too little is left to compare";
    put(bytes, 512, 1);
    EXPECT_FALSE(is_same_above(standing, stack_with(bytes), kSp + 64));
}

}  // namespace
}  // namespace waitclose::symbols
