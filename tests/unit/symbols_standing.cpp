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
    put(bytes, 600, 1);
    EXPECT_FALSE(is_same_above(standing, stack_with(bytes), kSp + 64));
    EXPECT_TRUE(is_same_above(standing, stack_with(bytes), kSp + 608)) << "what differs lies further in";
}

}  // namespace
}  // namespace waitclose::symbols
