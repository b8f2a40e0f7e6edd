// SPDX-License-Identifier: BSD-2-Clause
#include "model/scope.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "model/selection.h"

namespace waitclose::model {
namespace {

using Found = std::vector<std::uint32_t>;

/// Process 0 holds socket 0 and reads from a connection that process 2 answers; process 1 holds socket 1.
Census census() {
    Census all;
    all.taken_ns = 10'000;
    all.processes.resize(3);
    for (std::uint32_t i = 0; i < 3; ++i) {
        all.processes[i].pid = 100 + i;
        all.processes[i].first_thread = i;
        all.processes[i].thread_count = 1;
    }
    all.threads.resize(3);
    Thread& reader = all.threads[0];
    reader.state = RunState::kSleeping;
    reader.syscall = SYS_read;
    reader.file.emplace();
    reader.file->kind = FileKind::kTcp;
    reader.file->other_end = 77;
    Answer answer;
    answer.question = {Question::Kind::kFile, 77};
    answer.pid = 102;
    answer.process = 2;
    all.answers.push_back(answer);
    all.holders = {{0, 5, false}, {1, 6, false}};
    all.sockets.resize(2);
    for (std::uint32_t i = 0; i < 2; ++i) {
        all.sockets[i].cookie = i + 1;
        all.sockets[i].netns = 9;
        all.sockets[i].first_holder = i;
        all.sockets[i].holder_count = 1;
    }
    return all;
}

TEST(Scope, OwnersThenThoseTheyWaitFor) {
    EXPECT_EQ(processes_in_scope(census(), {0}, 10), (Found{0, 2}));
    EXPECT_EQ(processes_in_scope(census(), {0, 1}, 10), (Found{0, 1, 2}));
    EXPECT_EQ(processes_in_scope(census(), {1}, 10), (Found{1}));
    EXPECT_EQ(processes_in_scope(census(), {}, 10), Found{});
}

TEST(Scope, TheOwnerOfALockOfAnotherProcess) {
    Census all = census();
    for (std::uint32_t i = 0; i < 3; ++i) all.threads[i].tid = 100 + i;
    all.threads[1].lock_owner_tid = 102;
    EXPECT_EQ(processes_in_scope(all, {1}, 10), (Found{1, 2}));
    all.threads[1].foreign_ids = true;
    EXPECT_EQ(processes_in_scope(all, {1}, 10), (Found{1}));
}

TEST(Scope, IsBounded) {
    EXPECT_EQ(processes_in_scope(census(), {0, 1}, 2), (Found{0, 1}));
}

TEST(Selection, OneHoldAndNoOther) {
    Selection selection;
    selection.hold = SocketKey{9, 2};
    EXPECT_EQ(select(census(), selection), Found{1});
    EXPECT_TRUE(selection.by_holder());
    selection.hold = SocketKey{8, 2};
    EXPECT_EQ(select(census(), selection), Found{});
}

}  // namespace
}  // namespace waitclose::model
