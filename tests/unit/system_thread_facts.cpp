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
    EXPECT_FALSE(owner({2, 2, 0})) << "a rwlock whose writer waits for readers";
    EXPECT_FALSE(owner({3, 1, 0})) << "a rwlock whose readers wait for a writer";
}

TEST(MutexOwner, StandsInTheLockWordOfARobustOne) {
    EXPECT_EQ(owner({0x80000000U | 4190, 1, 4190}), 4190U);
    EXPECT_FALSE(owner({0x80000000U | 4190, 1, 4191})) << "changing hands";
    EXPECT_FALSE(owner({4190, 1, 4190})) << "nobody waits";
}

TEST(InnermostId, IsTheLastOfItsLine) {
    EXPECT_EQ(innermost_id("Name:\tx\nNSpid:\t4190\t12\t7\nNSpgid:\t1\n"), 7U);
    EXPECT_EQ(innermost_id("Name:\tx\nNSpid:\t4190\n"), 4190U);
    EXPECT_EQ(innermost_id("Name:\tx\n"), 0U);
    EXPECT_EQ(innermost_id("Name:\tx\nNSpid:"), 0U);
}

}  // namespace
}  // namespace waitclose::system
