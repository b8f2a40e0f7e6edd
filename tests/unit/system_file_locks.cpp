// SPDX-License-Identifier: BSD-2-Clause
#include "system/file_locks.h"

#include <gtest/gtest.h>

namespace waitclose::system {
namespace {

constexpr const char* kLocks =
    "1: FLOCK  ADVISORY  WRITE 100 fd:01:5678 0 EOF\n"
    "1: -> FLOCK  ADVISORY  WRITE 200 fd:01:5678 0 EOF\n"
    "1:  -> FLOCK  ADVISORY  WRITE 300 fd:01:5678 0 EOF\n"
    "2: POSIX  ADVISORY  READ  400 00:1f:99 128 255\n"
    "2: -> POSIX  ADVISORY  WRITE 200 00:1f:99 128 128\n"
    "3: OFDLCK ADVISORY  WRITE -1 fd:01:777 0 EOF\n"
    "3: -> OFDLCK ADVISORY  WRITE -1 fd:01:777 0 EOF\n"
    "3: -> POSIX  ADVISORY  WRITE 500 fd:01:777 0 EOF\n";

TEST(LockHolder, IsTheOneWithoutAnArrow) {
    EXPECT_EQ(lock_holder_in(kLocks, 200, 5678), 100U);
    EXPECT_EQ(lock_holder_in(kLocks, 300, 5678), 100U);
    EXPECT_EQ(lock_holder_in(kLocks, 200, 99), 400U);
}

TEST(LockHolder, IsUnknownWhereTheTableDoesNotTell) {
    EXPECT_FALSE(lock_holder_in(kLocks, 100, 5678)) << "it does not wait";
    EXPECT_FALSE(lock_holder_in(kLocks, 200, 1));
    EXPECT_FALSE(lock_holder_in(kLocks, 500, 777)) << "a lock of an open file, of no process";
    EXPECT_FALSE(lock_holder_in("", 1, 1));
    EXPECT_FALSE(lock_holder_in("1:\n-> -> ->\n1: -> FLOCK ADVISORY WRITE\n9: x\n", 1, 1));
}

TEST(LockHolder, TwoHoldersAreNobody) {
    const std::string twice = std::string(kLocks) +
                              "4: POSIX  ADVISORY  WRITE 600 fd:01:5678 0 EOF\n"
                              "4: -> POSIX  ADVISORY  WRITE 200 fd:01:5678 0 EOF\n";
    EXPECT_FALSE(lock_holder_in(twice, 200, 5678));
}

}  // namespace
}  // namespace waitclose::system
