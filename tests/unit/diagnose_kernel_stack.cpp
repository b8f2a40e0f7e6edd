// SPDX-License-Identifier: BSD-2-Clause
// Stacks as /proc/PID/stack shows them, from the kernels named; the scheduler's own functions are added where
// the census sees them.
#include "diagnose/kernel_stack.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "diagnose_builder.h"

#include "diagnose/text.h"
#include "diagnose/wait.h"

namespace waitclose::test {
namespace {

using diagnose::WaitClass;
using model::FileKind;
using model::RunState;
using model::Thread;
using Stack = std::vector<std::string>;

constexpr int kNoClass = -1;

int class_in(const Stack& stack) {
    const auto story = diagnose::story_of(stack);
    return story.what ? static_cast<int>(*story.what) : kNoClass;
}

int is(WaitClass what) {
    return static_cast<int>(what);
}

std::string frame_in(const Stack& stack) {
    return std::string(diagnose::story_of(stack).frame);
}

const Stack kFrozen{"__schedule", "schedule",   "percpu_rwsem_wait", "__percpu_down_read",
                    "vfs_write",  "ksys_write", "do_syscall_64",     "entry_SYSCALL_64_after_hwframe"};
const Stack kFrozenBefore515{"percpu_rwsem_wait",
                             "__percpu_down_read",
                             "__sb_start_write",
                             "vfs_write",
                             "ksys_write",
                             "do_syscall_64",
                             "entry_SYSCALL_64_after_hwframe"};
const Stack kFuse{"request_wait_answer", "__fuse_simple_request",
                  "fuse_perform_write",  "fuse_file_write_iter",
                  "vfs_write",           "ksys_write",
                  "do_syscall_64",       "entry_SYSCALL_64_after_hwframe"};
const Stack kFsync{
    "__schedule",     "schedule",        "jbd2_log_wait_commit", "ext4_fsync_journal",
    "ext4_sync_file", "__x64_sys_fsync", "do_syscall_64",        "entry_SYSCALL_64_after_hwframe"};
const Stack kWriteback{"io_schedule",
                       "folio_wait_bit_common",
                       "folio_wait_writeback",
                       "__filemap_fdatawait_range",
                       "file_write_and_wait_range",
                       "ext4_sync_file",
                       "do_fsync",
                       "__x64_sys_fdatasync"};
const Stack kDirty{"schedule_timeout",      "io_schedule_timeout",
                   "balance_dirty_pages",   "balance_dirty_pages_ratelimited_flags",
                   "generic_perform_write", "vfs_write"};
const Stack kNfs{"rpc_wait_bit_killable",   "__wait_on_bit",     "__rpc_execute",         "rpc_run_task",
                 "nfs4_call_sync_sequence", "nfs4_proc_getattr", "__nfs_revalidate_inode"};
const Stack kUserfault{"handle_userfault", "__handle_mm_fault", "handle_mm_fault", "exc_page_fault",
                       "asm_exc_page_fault"};
const Stack kFaultInRead{"handle_userfault",   "__handle_mm_fault", "handle_mm_fault",   "exc_page_fault",
                         "asm_exc_page_fault", "_copy_to_iter",     "copy_page_to_iter", "anon_pipe_read",
                         "vfs_read",           "ksys_read",         "do_syscall_64"};
const Stack kFaultOnFile{"folio_wait_bit_common", "filemap_fault",   "__do_fault",    "do_fault",
                         "__handle_mm_fault",     "handle_mm_fault", "exc_page_fault"};
const Stack kFaultOnFile510{"io_schedule", "__lock_page_killable", "filemap_fault",      "ext4_filemap_fault",
                            "__do_fault",  "handle_mm_fault",      "do_user_addr_fault", "exc_page_fault"};
const Stack kSwapIn{"io_schedule",       "folio_wait_bit_common", "__folio_lock_or_retry", "do_swap_page",
                    "__handle_mm_fault", "handle_mm_fault",       "do_user_addr_fault",    "exc_page_fault"};
const Stack kReclaim{"schedule_timeout",
                     "io_schedule_timeout",
                     "reclaim_throttle",
                     "shrink_node",
                     "do_try_to_free_pages",
                     "try_to_free_pages",
                     "__alloc_pages_slowpath",
                     "ext4_da_write_begin",
                     "generic_perform_write",
                     "ext4_buffered_write_iter",
                     "vfs_write"};
const Stack kOverHigh{"schedule_timeout_killable", "mem_cgroup_handle_over_high", "exit_to_user_mode_prepare",
                      "syscall_exit_to_user_mode"};
const Stack kFlock{"locks_lock_inode_wait", "__do_sys_flock", "do_syscall_64"};
const Stack kFifo{"wait_for_partner", "fifo_open",   "do_dentry_open",
                  "vfs_open",         "path_openat", "do_sys_openat2"};
const Stack kFull{"unix_wait_for_peer", "unix_stream_connect", "__sys_connect", "__x64_sys_connect"};
const Stack kRequests{"fuse_dev_do_read", "fuse_dev_read", "vfs_read", "ksys_read", "do_syscall_64"};
const Stack kRing{"io_cqring_wait", "__do_sys_io_uring_enter", "do_syscall_64"};

TEST(StoryOf, Disks) {
    for (const Stack& stack : {kFrozen, kFrozenBefore515, kFuse, kFsync, kWriteback, kDirty, kNfs})
        EXPECT_EQ(class_in(stack), is(WaitClass::kDisk)) << stack.front();
    EXPECT_EQ(diagnose::story_of(kFrozen).words, "its file system is frozen");
    EXPECT_EQ(frame_in(kFsync), "jbd2_log_wait_commit");
    EXPECT_EQ(frame_in(kWriteback), "ext4_sync_file") << "says more than io_schedule";
    EXPECT_EQ(frame_in(kNfs), "nfs4_call_sync_sequence");
}

TEST(StoryOf, Memory) {
    for (const Stack& stack :
         {kUserfault, kFaultInRead, kFaultOnFile, kFaultOnFile510, kSwapIn, kReclaim, kOverHigh})
        EXPECT_EQ(class_in(stack), is(WaitClass::kMemory)) << stack.front();
    EXPECT_EQ(diagnose::story_of(kFaultOnFile510).words, "page fault on a mapped file");
    EXPECT_EQ(diagnose::story_of(kSwapIn).words, "page fault on swapped-out memory");
    EXPECT_EQ(diagnose::story_of(kReclaim).words, "memory reclaim");
    EXPECT_EQ(diagnose::story_of({{"down_read", "do_user_addr_fault", "exc_page_fault"}}).words,
              "page fault");
}

TEST(StoryOf, LocksPipesAndWork) {
    EXPECT_EQ(class_in(kFlock), is(WaitClass::kLock));
    EXPECT_EQ(class_in({"do_semtimedop", "__x64_sys_semop"}), is(WaitClass::kLock));
    EXPECT_EQ(class_in(kFifo), is(WaitClass::kPipe));
    EXPECT_EQ(class_in({"unix_stream_data_wait", "unix_stream_read_generic"}), is(WaitClass::kPipe));
    EXPECT_EQ(class_in({"wait_woken", "sk_wait_data", "tcp_recvmsg_locked"}), is(WaitClass::kDownstream));
    EXPECT_EQ(class_in({"hrtimer_nanosleep", "common_nsleep"}), is(WaitClass::kSleep));
    EXPECT_EQ(class_in({"do_wait", "kernel_wait4"}), is(WaitClass::kChild));
    EXPECT_EQ(class_in(kRing), is(WaitClass::kEventLoop));
    EXPECT_EQ(class_in(kRequests), is(WaitClass::kEventLoop)) << "a FUSE server between two requests";
}

TEST(StoryOf, NamesWhatItDoesNotKnow) {
    EXPECT_EQ(class_in(kFull), kNoClass);
    EXPECT_EQ(frame_in(kFull), "unix_wait_for_peer");
    EXPECT_TRUE(diagnose::story_of(kFull).blocked);
    const Stack driver{"__schedule", "schedule", "", "nv_wait_for_gpu", "nv_ioctl", "__x64_sys_ioctl"};
    EXPECT_EQ(frame_in(driver), "nv_wait_for_gpu");
    EXPECT_FALSE(diagnose::story_of(driver).blocked);
    EXPECT_TRUE(diagnose::story_of({{"__refrigerator", "get_signal"}}).kept);
    EXPECT_TRUE(diagnose::story_of({{"schedule", "coredump_task_exit", "do_exit"}}).kept);
}

TEST(StoryOf, NothingFromNothing) {
    EXPECT_EQ(frame_in({}), "");
    EXPECT_EQ(frame_in({"", ""}), "");
    EXPECT_EQ(frame_in({"__schedule", "schedule", "vfs_read", "do_syscall_64"}), "");
    EXPECT_EQ(class_in({"percpu_rwsem_wait", "percpu_down_write", "cgroup_procs_write",
                        "kernfs_fop_write_iter", "vfs_write"}),
              kNoClass)
        << "not every such lock freezes a file system";
}

Thread stuck(Thread thread, const Stack& stack, RunState state = RunState::kSleeping) {
    thread.kernel_stack = std::make_shared<const Stack>(stack);
    thread.state = state;
    return thread;
}

Thread outside_calls(const Stack& stack) {
    Thread thread = stuck(asleep(8, 0), stack);
    thread.syscall.reset();
    return thread;
}

Thread on_file(std::uint32_t number, FileKind kind, const std::string& name = "") {
    Thread thread = asleep(8, number, 12);
    thread.file = model::FileFact{kind, name, 77, ""};
    return thread;
}

TEST(WaitInTheKernel, AFaultInNoCallIsMemoryAndNotRunning) {
    const auto wait = diagnose::wait_of(outside_calls(kUserfault));
    EXPECT_EQ(wait.what, WaitClass::kMemory);
    EXPECT_EQ(wait.detail, "page fault that a program has to serve (handle_userfault)");
    EXPECT_EQ(diagnose::activity_text(outside_calls(kFaultOnFile)),
              "sleeps in a page fault on a mapped file (filemap_fault)");
    Thread nameless = outside_calls({});
    nameless.kernel_stack.reset();
    EXPECT_EQ(diagnose::wait_of(nameless).what, WaitClass::kOther);
    EXPECT_FALSE(diagnose::wait_of(nameless).blocked) << "nothing shows what it is";
}

TEST(WaitInTheKernel, MemoryComesBeforeTheFileOfTheCall) {
    EXPECT_EQ(diagnose::wait_of(stuck(on_file(SYS_read, FileKind::kPipe), kFaultInRead)).what,
              WaitClass::kMemory);
    const auto reclaim =
        diagnose::wait_of(stuck(on_file(SYS_write, FileKind::kRegular, "/var/log/a"), kReclaim));
    EXPECT_EQ(reclaim.what, WaitClass::kMemory);
    EXPECT_EQ(reclaim.detail, "write(fd 12, /var/log/a): memory reclaim (reclaim_throttle)");
}

TEST(WaitInTheKernel, DisksAreNamedByFileOrFunction) {
    EXPECT_EQ(diagnose::wait_of(stuck(on_file(SYS_write, FileKind::kRegular, "/mnt/a"), kFrozen)).detail,
              "write(fd 12, /mnt/a), its file system is frozen");
    EXPECT_EQ(diagnose::wait_of(stuck(asleep(8, SYS_newfstatat, 1), kNfs, RunState::kDiskSleep)).detail,
              "newfstatat in nfs4_call_sync_sequence");
}

TEST(WaitInTheKernel, ARegularFileThatIsNoDisk) {
    const Stack trace{"wait_on_pipe", "tracing_wait_pipe", "tracing_read_pipe", "vfs_read"};
    const auto wait = diagnose::wait_of(stuck(on_file(SYS_read, FileKind::kRegular), trace));
    EXPECT_EQ(wait.what, WaitClass::kOther) << "/sys/kernel/tracing/trace_pipe";
    EXPECT_FALSE(wait.blocked);
    EXPECT_EQ(
        diagnose::wait_of(stuck(on_file(SYS_read, FileKind::kRegular), trace, RunState::kDiskSleep)).what,
        WaitClass::kDisk);
}

TEST(WaitInTheKernel, CompletionsAreWorkWhateverTheSchedulerCounts) {
    Thread ring = stuck(asleep(8, SYS_io_uring_enter, 5), kRing);
    ring.in_iowait = true;
    EXPECT_EQ(diagnose::wait_of(ring).what, WaitClass::kEventLoop);
}

TEST(WaitInTheKernel, OtherIsBlockedWhenUninterruptibleOrKnown) {
    const Stack driver{"nv_wait_for_gpu", "nv_ioctl", "__x64_sys_ioctl"};
    Thread thread = asleep(8, SYS_ioctl, 12);
    EXPECT_FALSE(diagnose::wait_of(stuck(thread, driver)).blocked) << "may be how it waits for work";
    EXPECT_TRUE(diagnose::wait_of(stuck(thread, driver, RunState::kDiskSleep)).blocked);
    EXPECT_EQ(diagnose::wait_of(stuck(thread, driver)).detail, "ioctl(fd 12) in nv_wait_for_gpu");
    EXPECT_FALSE(
        diagnose::wait_of(stuck(thread, {"schedule", "__refrigerator", "get_signal"}, RunState::kDiskSleep))
            .blocked);
    EXPECT_TRUE(diagnose::wait_of(stuck(asleep(8, SYS_connect, 12), kFull)).blocked);
}

TEST(WaitInTheKernel, ASpawnWaitsForItsChild) {
    EXPECT_EQ(diagnose::wait_of(asleep(8, SYS_clone, 0x4111)).what, WaitClass::kChild);
    EXPECT_EQ(diagnose::wait_of(asleep(8, SYS_clone, 0x11)).what, WaitClass::kOther);
}

TEST(WaitInTheKernel, FileLocksAndTheirHolder) {
    Thread thread = stuck(on_file(SYS_flock, FileKind::kRegular, "/run/app.lock"), kFlock);
    EXPECT_EQ(diagnose::wait_of(thread).what, WaitClass::kLock) << "a lock on a file is no wait for its disk";
    thread.lock_holder = model::LockHolder{99, "auditor"};
    EXPECT_EQ(diagnose::wait_of(thread).detail, "flock(fd 12, /run/app.lock) held by auditor (pid 99)");
    EXPECT_EQ(diagnose::wait_of(asleep(8, SYS_fcntl, 12, F_SETLKW)).what, WaitClass::kLock);
    EXPECT_EQ(diagnose::wait_of(asleep(8, SYS_fcntl, 12, F_GETFL)).what, WaitClass::kOther);
}

TEST(WaitInTheKernel, AStoppedThreadWaitsForNothing) {
    EXPECT_EQ(diagnose::wait_of(in_state(8, RunState::kTraced)).what, WaitClass::kOther);
    EXPECT_FALSE(diagnose::wait_of(in_state(8, RunState::kFrozen)).blocked);
}

/// A handler that read the request at 980 s and sleeps since `asleep_ns`; the FIN came at 990 s.
diagnose::Diagnosis handled_by(Thread handler, std::uint64_t asleep_ns = 980 * kSec) {
    handler.asleep_since_ns = asleep_ns;
    Builder scene;
    scene.process(7, {in_accept(7), std::move(handler)});
    touches(scene.socket({{0}})).last = deed(7, 8, asleep_ns, model::Operation::kRead);
    return scene.diagnose();
}

TEST(HandlerStuck, InMemoryIsMeasured) {
    const auto diagnosis = handled_by(outside_calls(kSwapIn));
    EXPECT_EQ(gist(diagnosis), "handler-blocked likely 7/8 last-touch");
    EXPECT_EQ(diagnosis.because.at(0).waits_for, "memory");
    ASSERT_TRUE(fact(diagnosis, "kernel_function"));
    EXPECT_TRUE(says(diagnosis, "(census: kernel stack, do_swap_page)"));
}

TEST(HandlerStuck, ByASymbolIsInferred) {
    EXPECT_EQ(gist(handled_by(stuck(asleep(8, SYS_connect, 12), kFull))),
              "handler-blocked likely 7/8 last-touch");
    const Stack driver{"nv_wait_for_gpu", "nv_ioctl", "__x64_sys_ioctl"};
    EXPECT_NE(handled_by(stuck(asleep(8, SYS_ioctl, 12), driver)).cause, diagnose::Cause::kHandlerBlocked);
}

TEST(HandlerStuck, AFileLockMayBeTheTurnToAccept) {
    const Thread waiting = stuck(on_file(SYS_flock, FileKind::kRegular), kFlock);
    EXPECT_EQ(gist(handled_by(waiting)), "handler-blocked likely 7/8 last-touch");
    EXPECT_NE(handled_by(waiting, 995 * kSec).cause, diagnose::Cause::kHandlerBlocked)
        << "since after the FIN";
    EXPECT_EQ(handled_by(stuck(asleep(8, SYS_fsync, 12), kFsync), 995 * kSec).cause,
              diagnose::Cause::kHandlerBlocked);
}

TEST(HandlerStuck, WaitingForWorkInsideTheKernelIsNoBlock) {
    for (const Stack& stack : {kRing, kRequests})
        EXPECT_NE(handled_by(stuck(on_file(SYS_read, FileKind::kDevice), stack)).cause,
                  diagnose::Cause::kHandlerBlocked);
    EXPECT_NE(handled_by(asleep(8, SYS_semop, 1)).cause, diagnose::Cause::kHandlerBlocked)
        << "a semaphore may count pieces of work";
}

}  // namespace
}  // namespace waitclose::test
