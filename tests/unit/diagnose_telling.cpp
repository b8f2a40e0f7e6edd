// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/telling.h"

#include <gtest/gtest.h>

namespace waitclose::diagnose {
namespace {

TEST(Telling, WhatWasNeverDoneHadNotBeenDoneByThen) {
    EXPECT_EQ(past_of("thread a read end-of-file 9 s ago and never closed fd 5"),
              "thread a read end-of-file 9 s ago and by then had not closed fd 5");
    EXPECT_EQ(past_of("thread a read end-of-file 9 s ago, and nobody has closed fd 5 since"),
              "thread a read end-of-file 9 s ago, and nobody had closed fd 5 by then");
    EXPECT_EQ(past_of("in the accept queue of port 80"), "in the accept queue of port 80");
}

TEST(Telling, ANameThatReadsLikeItIsLeftAlone) {
    EXPECT_EQ(past_of("thread x never closed y read end-of-file 9 s ago and never closed fd 5"),
              "thread x never closed y read end-of-file 9 s ago and by then had not closed fd 5");
}

TEST(Telling, OnlyAClaimMayBeAPerhaps) {
    EXPECT_TRUE(is_perhaps(Cause::kEofIgnored, Confidence::kPossible));
    EXPECT_FALSE(is_perhaps(Cause::kEofIgnored, Confidence::kLikely));
    EXPECT_FALSE(is_perhaps(Cause::kUnknown, Confidence::kPossible));
}

}  // namespace
}  // namespace waitclose::diagnose
