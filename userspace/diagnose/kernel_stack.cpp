// SPDX-License-Identifier: BSD-2-Clause
// Names are those of 5.10 to 7.2: where a function was renamed, both stand here.
#include "diagnose/kernel_stack.h"

#include <algorithm>

namespace waitclose::diagnose {
namespace {

using Stack = std::span<const std::string>;
/// Function names; one that ends in '*' stands for all that begin so.
using Names = std::span<const std::string_view>;

bool matches(std::string_view name, std::string_view pattern) {
    if (!name.empty() && name.front() != pattern.front()) return false;
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

bool is_one_of(std::string_view name, Names names) {
    return std::ranges::any_of(names, [&](std::string_view pattern) { return matches(name, pattern); });
}

/// The innermost function of these; empty when there is none.
std::string_view first_of(Stack stack, Names names) {
    const auto found =
        std::ranges::find_if(stack, [&](const std::string& name) { return is_one_of(name, names); });
    return found == stack.end() ? std::string_view{} : *found;
}

// ---- functions that say nothing ----

constexpr std::string_view kWaiting[]{
    "__schedule*",
    "schedule*",
    "preempt_schedule*",
    "io_schedule*",
    "__switch_*",
    "wait_for_completi*",
    "__wait_for_common",
    "do_wait_for_comm*",
    "wait_woken",
    "bit_wait*",
    "__wait_on_bit*",
    "out_of_line_wait*",
    "__mutex_lock*",
    "mutex_lock*",
    "__down*",
    "down",
    "down_*",
    "rwsem_*",
    "__rwsem_*",
    "rt_mutex_*",
    "__rt_mutex_*",
    "rt_spin_lock*",
    "ww_mutex_*",
    "msleep*",
    "usleep_*",
    "do_nanosleep",
    "rwbase_*",
    "slowlock*",
    "do_wait_intr*",
};

constexpr std::string_view kEntry[]{
    "entry_*",    "do_syscall_*",  "x64_sys_call",  "__x64_sys_*",    "__do_sys_*",
    "__se_sys_*", "__arm64_sys_*", "ksys_*",        "invoke_sys*",    "do_el0_*",
    "el0*",       "asm_*",         "ret_from_*",    "vfs_read",       "vfs_write",
    "vfs_readv",  "vfs_writev",    "do_iter_*",     "do_readv",       "do_writev",
    "new_sync_*", "irqentry_*",    "exit_to_user*", "syscall_exit_*", "syscall_return*",
};

// ---- memory ----

constexpr std::string_view kReclaim[]{
    "try_to_free_*",      "do_try_to_free_*",     "shrink_node*",      "shrink_lruvec",    "shrink_slab*",
    "shrink_inactive_*",  "shrink_folio_list",    "shrink_page_list",  "shrink_zone*",     "shrink_one",
    "shrink_many",        "reclaim_throttle",     "throttle_direct_*", "mem_cgroup_oom*",  "out_of_memory",
    "mem_cgroup_handle*", "__mem_cgroup_handle*", "try_charge*",       "charge_memcg",     "compact_zone*",
    "try_to_compact_*",   "__alloc_pages_slow*",  "__alloc_pages_di*", "congestion_wait*", "reclaim_high*",
    "pagefault_out_of_*",
};

constexpr std::string_view kFault[]{
    "exc_page_fault",  "do_user_addr_fault", "__do_page_fault", "do_page_fault", "handle_mm_fault",
    "__handle_mm_fa*", "faultin_page*",      "do_mem_abort",    "el0_da",        "el0_ia",
    "el1_abort",       "do_translation_fa*",
};

constexpr std::string_view kSwap[]{"do_swap_page", "swap_readahead*", "swapin_*", "swap_read*",
                                   "read_swap_*"};

/// Served by a file: read in for the first time, or about to be written.
constexpr std::string_view kMappedFile[]{
    "filemap_fault",   "filemap_map_*", "__do_fault",      "do_page_mkwrite",
    "do_shared_fault", "do_read_fault", "do_cow_fault",    "dax_iomap_f*",
    "do_fault_around", "fault_dirty_*", "wp_page_shared*",
};

constexpr std::string_view kServedByProgram[]{"handle_userfault"};
constexpr std::string_view kMoving[]{"migration_entry_*", "do_numa_page", "do_huge_pmd_*"};

StackStory memory_story(Stack stack) {
    if (const auto frame = first_of(stack, kReclaim); !frame.empty())
        return {WaitClass::kMemory, frame, "memory reclaim"};
    const auto fault = first_of(stack, kFault);
    if (fault.empty()) return {};
    if (const auto frame = first_of(stack, kServedByProgram); !frame.empty())
        return {WaitClass::kMemory, frame, "page fault that a program has to serve"};
    if (const auto frame = first_of(stack, kSwap); !frame.empty())
        return {WaitClass::kMemory, frame, "page fault on swapped-out memory"};
    if (const auto frame = first_of(stack, kMappedFile); !frame.empty())
        return {WaitClass::kMemory, frame, "page fault on a mapped file"};
    if (const auto frame = first_of(stack, kMoving); !frame.empty())
        return {WaitClass::kMemory, frame, "page fault on memory that is being moved"};
    return {WaitClass::kMemory, fault, "page fault"};
}

// ---- disks, local and remote ----

/// A server of a file system in user space waits for its next request here, not for a disk.
constexpr std::string_view kFileServer[]{"fuse_dev_*", "autofs_dev_*"};

constexpr std::string_view kFileSystem[]{
    "ext4_*",      "__ext4_*",  "ext2_*",  "jbd2_*",    "__jbd2_*",    "xfs_*",      "xlog_*",
    "btrfs_*",     "__btrfs_*", "f2fs_*",  "__f2fs_*",  "bch2_*",      "zfs_*",      "zpl_*",
    "zil_*",       "gfs2_*",    "ocfs2_*", "nfs_*",     "nfs3_*",      "nfs4_*",     "__nfs*",
    "fuse_*",      "__fuse_*",  "cifs_*",  "smb2_*",    "SMB2_*",      "ceph_*",     "v9fs_*",
    "p9_client_*", "afs_*",     "ovl_*",   "erofs_*",   "squashfs_*",  "fat_*",      "ntfs_*",
    "ntfs3_*",     "isofs_*",   "udf_*",   "hfsplus_*", "virtio_fs_*", "orangefs_*",
};

constexpr std::string_view kBlockLayer[]{
    "folio_wait_*",
    "wait_on_page_*",
    "__folio_lock*",
    "__lock_page*",
    "__wait_on_buffer",
    "wait_on_buffer",
    "__lock_buffer",
    "__bread*",
    "submit_bio_wait",
    "blk_mq_get_tag",
    "blk_*",
    "__blk_*",
    "rq_qos_wait",
    "wbt_wait*",
    "blkdev_*",
    "__blkdev_*",
    "iomap_*",
    "__iomap_*",
    "dio_*",
    "__blockdev_dir*",
    "do_blockdev_dir*",
    "balance_dirty_*",
    "wb_wait_for_*",
    "sync_inodes_sb",
    "__filemap_fdata*",
    "filemap_fdata*",
    "filemap_write_*",
    "file_write_and_*",
    "filemap_read_*",
    "filemap_get_pages",
    "filemap_update_*",
    "truncate_inode_*",
    "truncate_pagecache*",
    "inode_wait_for_*",
    "__wait_on_freeing*",
    "rpc_wait_*",
    "__rpc_*",
    "request_wait_answer",
    "md_*",
    "dm_*",
    "mempool_alloc*",
    "bio_alloc*",
    "io_schedule*",
    "vfs_fsync*",
    "do_fsync",
    "iterate_supers",
    "sync_filesystem",
};

/// A write to a file system that is frozen (fsfreeze, an LVM snapshot) sleeps before the file system's own
/// code.
constexpr std::string_view kFreezable[]{
    "__sb_start_write", "sb_start_write", "mnt_want_write*", "vfs_write",    "vfs_writev",
    "do_iter_write*",   "vfs_iter_write", "vfs_fallocate",   "do_sendfile",  "do_ftruncate",
    "do_sys_ftruncate", "do_truncate",    "do_sys_truncate", "vfs_truncate", "ksys_write",
    "do_writev",        "ksys_pwrite64",  "vfs_iocb_iter_w*"};

constexpr std::string_view kPerCpuLock[]{"percpu_rwsem_wait", "__percpu_down_read", "percpu_down_read*"};
constexpr std::string_view kControlGroups[]{"cgroup_*", "kernfs_*"};

StackStory disk_story(Stack stack) {
    if (const auto frame = first_of(stack, kPerCpuLock);
        !frame.empty() && !first_of(stack, kFreezable).empty() && first_of(stack, kControlGroups).empty())
        return {WaitClass::kDisk, frame, "its file system is frozen"};
    if (const auto frame = first_of(stack, kFileSystem); !frame.empty()) return {WaitClass::kDisk, frame, ""};
    if (const auto frame = first_of(stack, kBlockLayer); !frame.empty()) return {WaitClass::kDisk, frame, ""};
    return {};
}

// ---- everything else ----

constexpr std::string_view kLock[]{
    "futex_*",        "__futex_*",    "do_futex",      "flock_lock_*",    "locks_lock_*",  "posix_lock_*",
    "do_lock_file_*", "fcntl_setlk*", "__break_lease", "__do_semtimedop", "do_semtimedop",
};

constexpr std::string_view kPipe[]{
    "pipe_*",        "anon_pipe_*",        "fifo_*",      "wait_for_partner*", "wait_for_space",
    "unix_stream_*", "unix_dgram_sendmsg", "ipipe_prep*", "opipe_prep*",       "splice_from_pipe*",
};

/// The next piece of work, whatever it is: events, connections, requests, signals, completions.
constexpr std::string_view kWork[]{
    "ep_poll*",      "do_epoll_*",  "do_poll*",         "do_sys_poll", "poll_schedule_*", "do_select",
    "core_sys_sel*", "fuse_dev_*",  "inet_csk_accept*", "unix_accept", "autofs_dev_*",    "inotify_read",
    "fanotify_read", "timerfd_*",   "eventfd_*",        "signalfd_*",  "do_sigtimedwai*", "sigsuspend",
    "io_cqring_*",   "read_events", "do_io_getevents",
};

constexpr std::string_view kRemote[]{
    "tcp_*",         "__tcp_*",         "sk_stream_wait_*", "sk_wait_data", "inet_wait_for_*",
    "inet_stream_*", "__inet_stream_*", "tls_sw_*",         "inet_recvmsg", "inet_sendmsg",
};

constexpr std::string_view kSleep[]{"hrtimer_nanosle*", "common_nsleep*"};
constexpr std::string_view kChild[]{"do_wait", "do_wait4", "kernel_wait*", "wait_for_vfork_*"};

struct Rule {
    WaitClass what;
    Names names;
};

constexpr Rule kRules[]{
    {WaitClass::kLock, kLock},         {WaitClass::kPipe, kPipe},   {WaitClass::kEventLoop, kWork},
    {WaitClass::kDownstream, kRemote}, {WaitClass::kSleep, kSleep}, {WaitClass::kChild, kChild},
};

/// Not a wait for something: the thread is being kept from running, or it is about to end.
constexpr std::string_view kKept[]{"__refrigerator", "ptrace_*",     "do_signal_stop", "do_jobctl_trap",
                                   "get_signal",     "do_exit",      "do_group_exit",  "exit_mm",
                                   "coredump_*",     "vfs_coredump", "do_coredump",    "do_freezer_trap",
                                   "cgroup_*"};

/// What another has to do first: no program waits for its next piece of work there.
constexpr std::string_view kBlocked[]{"unix_wait_for_peer", "request_key*", "wait_for_key_*",
                                      "d_alloc_parallel"};

StackStory story_by_rules(Stack stack) {
    for (const std::string& name : stack)
        for (const Rule& rule : kRules)
            if (is_one_of(name, rule.names)) return {rule.what, name, ""};
    return {};
}

StackStory unknown_story(Stack stack) {
    const auto telling = std::ranges::find_if(stack, [](const std::string& name) {
        return !name.empty() && !is_one_of(name, kWaiting) && !is_one_of(name, kEntry);
    });
    if (telling == stack.end()) return {};
    return {std::nullopt, *telling, "", is_one_of(*telling, kBlocked), !first_of(stack, kKept).empty()};
}

}  // namespace

StackStory story_of(Stack stack) {
    if (const auto story = memory_story(stack); story.what) return story;
    const bool serves_files = !first_of(stack, kFileServer).empty();
    if (const auto story = disk_story(stack); story.what && !serves_files) return story;
    // Called for the sake of a pipe or a lock, it is still the other one's turn.
    if (const auto story = unknown_story(stack); story.blocked) return story;
    if (const auto story = story_by_rules(stack); story.what) return story;
    return unknown_story(stack);
}

}  // namespace waitclose::diagnose
