// SPDX-License-Identifier: BSD-2-Clause
// The catalogue, the system calls, and the words.
#include <gtest/gtest.h>

#include <set>

#include "diagnose/catalogue.h"
#include "diagnose/text.h"
#include "diagnose_builder.h"
#include "model/syscalls.h"

namespace waitclose::test {
namespace {

using namespace diagnose;

TEST(Catalogue, EveryCauseHasAnIdAMeaningAndAdvice) {
    std::set<std::string_view> ids;
    for (int i = 0; i < kCauseCount; ++i) {
        const auto cause = static_cast<Cause>(i);
        ids.insert(id_of(cause));
        EXPECT_FALSE(meaning_of(cause).empty()) << id_of(cause);
        EXPECT_FALSE(advice_of(cause).empty()) << id_of(cause);
        EXPECT_EQ(advice_of(cause).back(), '.') << id_of(cause);
    }
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(kCauseCount));
}

TEST(Catalogue, TheIdsAreThoseOfTheContract) {
    const char* ids[] = {"never-accepted", "fd-limit",      "eof-ignored",     "spin-on-eof",
                         "idle-in-pool",   "abandoned",     "unwatched-event", "handler-blocked",
                         "deadlock",       "handler-busy",  "cpu-starved",     "stopped",
                         "gc-pause",       "inherited-fd",  "duplicate-fd",    "in-flight-fd",
                         "half-open",      "kernel-socket", "exiting",         "unknown"};
    for (int i = 0; i < kCauseCount; ++i) EXPECT_EQ(id_of(static_cast<Cause>(i)), ids[i]);
    EXPECT_EQ(id_of(Confidence::kProven), "proven");
    EXPECT_EQ(id_of(Confidence::kPossible), "possible");
    EXPECT_EQ(id_of(Basis::kReadEof), "read-eof");
    EXPECT_EQ(id_of(Basis::kBlockedOnIt), "blocked-on-it");
    EXPECT_EQ(id_of(Basis::kProcess), "process");
}

TEST(Syscalls, TellTheWaitForWorkFromTheRest) {
    EXPECT_TRUE(waits_for_work(SYS_accept4));
    EXPECT_TRUE(waits_for_work(SYS_epoll_pwait));
    EXPECT_TRUE(waits_for_work(SYS_ppoll));
    EXPECT_TRUE(waits_for_work(SYS_pselect6));
    EXPECT_FALSE(waits_for_work(SYS_futex));
    EXPECT_FALSE(waits_for_work(SYS_recvfrom));
    EXPECT_FALSE(waits_for_work(999'999));
    EXPECT_TRUE(watches_descriptors(SYS_epoll_pwait));
    EXPECT_FALSE(watches_descriptors(SYS_accept));
    EXPECT_EQ(syscall_text(SYS_fdatasync), "fdatasync");
    EXPECT_EQ(syscall_text(999'999), "system call 999999");
}

TEST(Syscalls, KnowTheDescriptorACallActsOn) {
    EXPECT_EQ(uses_of(asleep(1, SYS_write, 57))[0].fd, 57);
    EXPECT_EQ(uses_of(asleep(1, SYS_write, 57))[0].access, Access::kWrite);
    EXPECT_EQ(uses_of(asleep(1, SYS_recvmsg, 57))[0].access, Access::kRead);
    EXPECT_EQ(uses_of(asleep(1, SYS_futex, 57))[0].fd, -1);
    EXPECT_EQ(uses_of(asleep(1, SYS_close, 57))[0].fd, -1);
    EXPECT_EQ(uses_of(running(1))[0].fd, -1);
    // The upper half of the register means nothing.
    EXPECT_EQ(uses_of(asleep(1, SYS_read, 0xdeadbeef'00000039))[0].fd, 57);
    const auto splice = uses_of(asleep(1, SYS_splice, 5, 0, 57));
    EXPECT_EQ(splice[0].fd, 5);
    EXPECT_EQ(splice[1].fd, 57);
    EXPECT_EQ(splice[1].access, Access::kWrite);
}

TEST(Text, DurationsNeverSayMoreThanHasGoneBy) {
    EXPECT_EQ(duration_text(0), "0 ms");
    EXPECT_EQ(duration_text(250 * kMs), "250 ms");
    EXPECT_EQ(duration_text(1'899 * kMs), "1.8 s");
    EXPECT_EQ(duration_text(9'999 * kMs), "9.9 s");
    EXPECT_EQ(duration_text(59'999 * kMs), "59 s");
    EXPECT_EQ(duration_text(725 * kSec), "12 min 5 s");
    EXPECT_EQ(duration_text((3 * 60 + 12) * 60 * kSec), "3 h 12 min");
    EXPECT_EQ(duration_text(24 * 3600 * kSec), "1 d");
}

TEST(Text, SaysWhatAThreadDoes) {
    EXPECT_EQ(activity_text(running(1)), "runs");
    EXPECT_EQ(activity_text(asleep(1, SYS_futex)), "sleeps in futex");
    EXPECT_EQ(activity_text(asleep(1, SYS_fdatasync, 12)), "sleeps in fdatasync on fd 12");
    EXPECT_EQ(activity_text(in_state(1, model::RunState::kTraced, 991)), "is stopped (traced by 991)");
}

}  // namespace
}  // namespace waitclose::test
