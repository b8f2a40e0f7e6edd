// SPDX-License-Identifier: BSD-2-Clause
#include "system/thread_facts.h"

#include <array>

#include <gtest/gtest.h>

namespace waitclose::system {
namespace {

std::optional<std::uint32_t> owner(std::array<std::uint32_t, 3> words) {
    return mutex_owner(words);
}

TEST(MutexOwner, StandsBehindALockWordWithWaiters) {
    EXPECT_EQ(owner({2, 1, 4190}), 4190U);
}

TEST(MutexOwner, IsUnknownWhereTheWordsAreNotThoseOfSuchAMutex) {
    EXPECT_FALSE(owner({1, 1, 4190})) << "locked, but nobody waits";
    EXPECT_FALSE(owner({0, 0, 0}));
    EXPECT_FALSE(owner({2, 0, 0})) << "just being unlocked";
    EXPECT_FALSE(owner({0xffffffff, 1, 4190}));
}

}  // namespace
}  // namespace waitclose::system
