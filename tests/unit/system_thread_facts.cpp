// SPDX-License-Identifier: BSD-2-Clause
#include "system/thread_facts.h"

#include <array>

#include <gtest/gtest.h>

namespace waitclose::system {
namespace {

constexpr std::uint32_t kRecursive = 1, kRobust = 16, kElision = 256;

std::optional<std::uint32_t> owner(const MutexWords& words) {
    return mutex_owner(words);
}

TEST(MutexOwner, StandsBehindALockWordWithWaiters) {
    EXPECT_EQ(owner({2, 0, 4190, 1, 0}), 4190U);
    EXPECT_EQ(owner({2, 3, 4190, 2, kRecursive}), 4190U);
    EXPECT_EQ(owner({2, 0, 4190, 1, 3 | kElision}), 4190U) << "an adaptive one";
}

TEST(MutexOwner, IsNoNumberBehindAFutexThatIsNoMutex) {
    EXPECT_FALSE(owner({2, 0, 4190, 0, 0})) << "nobody uses it";
    EXPECT_FALSE(owner({2, 12345, 4190, 1, 0})) << "only a recursive one counts";
    EXPECT_FALSE(owner({2, 0, 4190, 1, 77000})) << "no such kind";
    EXPECT_FALSE(owner({2, 0, 4190, 1, kRecursive})) << "locked no times";
}

TEST(MutexOwner, IsUnknownWhereTheWordsAreNotThoseOfSuchAMutex) {
    EXPECT_FALSE(owner({1, 0, 4190, 1, 0})) << "locked, but nobody waits";
    EXPECT_FALSE(owner({}));
    EXPECT_FALSE(owner({2, 0, 0, 1, 0})) << "just being unlocked";
    EXPECT_FALSE(owner({0xffffffff, 0, 4190, 1, 0}));
    EXPECT_FALSE(owner({2, 2, 0, 1, 0})) << "a rwlock whose writer waits for readers";
    EXPECT_FALSE(owner({3, 1, 0, 1, 0})) << "a rwlock whose readers wait for a writer";
}

TEST(MutexOwner, StandsInTheLockWordOfARobustOne) {
    EXPECT_EQ(owner({0x80000000U | 4190, 1, 4190, 1, kRobust}), 4190U);
    EXPECT_FALSE(owner({0x80000000U | 4190, 1, 4191, 1, kRobust})) << "changing hands";
    EXPECT_FALSE(owner({4190, 1, 4190, 1, kRobust})) << "nobody waits";
}

TEST(InnermostId, IsTheLastOfItsLine) {
    EXPECT_EQ(innermost_id("Name:\tx\nNSpid:\t4190\t12\t7\nNSpgid:\t1\n"), 7U);
    EXPECT_EQ(innermost_id("Name:\tx\nNSpid:\t4190\n"), 4190U);
    EXPECT_EQ(innermost_id("Name:\tx\n"), 0U);
    EXPECT_EQ(innermost_id("Name:\tx\nNSpid:"), 0U);
}

}  // namespace
}  // namespace waitclose::system
