// SPDX-License-Identifier: BSD-2-Clause
#include "system/thread_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>

#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "model/syscalls.h"
#include "system/file_locks.h"
#include "system/files.h"
#include "system/process_memory.h"

namespace waitclose::system {
namespace {

/// The state of glibc's lock word when a thread waits (nptl/lowlevellock.h).
constexpr std::uint32_t kLockedWithWaiters = 2;

bool waits_for_mutex(const model::Thread& thread) {
    if (thread.syscall != static_cast<std::uint32_t>(SYS_futex)) return false;
    const auto command = static_cast<std::uint32_t>(thread.arguments[1]) & FUTEX_CMD_MASK;
    const auto expected = static_cast<std::uint32_t>(thread.arguments[2]);
    const bool robust = (expected & FUTEX_WAITERS) != 0;
    return (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) &&
           (expected == kLockedWithWaiters || robust);
}

bool waits_for_priority_inheritance(const model::Thread& thread) {
    if (thread.syscall != static_cast<std::uint32_t>(SYS_futex)) return false;
    const auto command = static_cast<std::uint32_t>(thread.arguments[1]) & FUTEX_CMD_MASK;
    constexpr std::uint32_t kLockPi2 = 13;  // since 5.14
    return command == FUTEX_LOCK_PI || command == kLockPi2;
}

std::optional<MutexWords> words_at(std::uint32_t pid, std::uint64_t address) {
    MutexWords words;
    if (!read_memory(pid, address, std::as_writable_bytes(std::span(&words, 1)))) return std::nullopt;
    return words;
}

/// The thread's id in the innermost PID namespace it lives in, which is the one it knows itself by.
std::uint32_t own_id_of(std::uint32_t pid, std::uint32_t tid) {
    const auto status = read_file(fmt::format("/proc/{}/task/{}/status", pid, tid), 16384);
    return status ? innermost_id(*status) : 0;
}

/// Whom the threads of one process wait for; what that takes is read when first asked for, and once.
class LockOwners {
public:
    LockOwners(const model::Process& process, std::span<const model::Thread> threads)
        : process_(process), threads_(threads) {}

    /// The thread that holds the mutex; nothing where that cannot be told.
    std::optional<std::uint32_t> of_mutex(const model::Thread& thread) {
        const bool inherits = waits_for_priority_inheritance(thread);
        if ((!inherits && !waits_for_mutex(thread)) || !may_read_memory()) return std::nullopt;
        const auto words = words_at(process_.pid, thread.arguments[0]);
        if (!words) return std::nullopt;
        const auto owner = inherits ? std::optional(words->lock & FUTEX_TID_MASK) : mutex_owner(*words);
        return owner && *owner != 0 ? thread_known_as(*owner) : std::nullopt;
    }

    /// The process that holds the lock on the file.
    std::optional<model::LockHolder> of_file(const model::Thread& thread) {
        if (!model::waits_for_file_lock(thread) || !thread.file) return std::nullopt;
        const auto [known, is_new] = files_.try_emplace(thread.file->inode);
        if (is_new)
            known->second = find_lock_holder(process_.pid, static_cast<std::uint32_t>(thread.arguments[0]));
        return known->second;
    }

private:
    bool may_read_memory() {
        if (!may_read_) may_read_ = std::ranges::none_of(threads_, may_hold_memory_lock);
        return *may_read_;
    }

    /// The live thread that knows itself by this id.
    std::optional<std::uint32_t> thread_known_as(std::uint32_t id) {
        if (ids_.empty()) read_ids();
        const auto found = ids_.find(id);
        return found == ids_.end() ? std::nullopt : std::optional(found->second);
    }

    void read_ids() {
        constexpr std::size_t kMostThreads = 2000;  // each of a container costs a file to read
        const bool by_our_ids = own_id_of(process_.pid, process_.pid) == process_.pid;
        if (!by_our_ids && threads_.size() > kMostThreads) return;
        for (const model::Thread& thread : threads_)
            if (!thread.exiting && thread.state != model::RunState::kZombie)
                ids_[by_our_ids ? thread.tid : own_id_of(process_.pid, thread.tid)] = thread.tid;
    }

    const model::Process& process_;
    std::span<const model::Thread> threads_;
    std::optional<bool> may_read_;
    std::map<std::uint32_t, std::uint32_t> ids_;                       // as they know themselves → as we do
    std::map<std::uint64_t, std::optional<model::LockHolder>> files_;  // by inode
};

}  // namespace

std::string descriptor_name(std::uint32_t pid, std::uint64_t fd, std::uint64_t inode) {
    const std::string path = fmt::format("/proc/{}/fd/{}", pid, static_cast<std::uint32_t>(fd));
    const auto now = identity_of(path);
    if (!now || now->inode != inode) return {};
    return read_link(path).value_or(std::string());
}

bool may_hold_memory_lock(const model::Thread& thread) {
    if (thread.state != model::RunState::kDiskSleep) return false;
    if (!thread.syscall) return true;
    const auto is = [&](auto... numbers) {
        return ((*thread.syscall == static_cast<std::uint32_t>(numbers)) || ...);
    };
    return is(SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_mlock, SYS_mlockall);
}

std::optional<std::uint32_t> mutex_owner(const MutexWords& words) {
    // glibc, nptl/pthreadP.h
    constexpr std::uint32_t kType = 3, kRecursive = 1, kRobust = 16, kShared = 128, kElision = 256 | 512;
    if (words.owner == 0 || words.users == 0 || words.kind & ~(kType | kRobust | kShared | kElision))
        return std::nullopt;
    // The lock word of a robust mutex is the owner's id itself.
    const bool robust = words.kind & kRobust;
    const bool locked = robust ? (words.lock & FUTEX_WAITERS) && (words.lock & FUTEX_TID_MASK) == words.owner
                               : words.lock == kLockedWithWaiters;
    const bool counts = robust || (words.kind & kType) == kRecursive;
    return locked && (words.count != 0) == counts ? std::optional(words.owner) : std::nullopt;
}

std::uint32_t innermost_id(std::string_view status) {
    constexpr std::string_view kKey = "\nNSpid:";
    const std::size_t at = status.find(kKey);
    if (at == std::string_view::npos) return 0;
    std::string_view line = status.substr(at + kKey.size());
    line = line.substr(0, line.find('\n'));
    line.remove_prefix(std::min(line.find_last_of(" \t") + 1, line.size()));
    std::uint32_t id = 0;
    std::from_chars(line.data(), line.data() + line.size(), id);
    return id;
}

void describe_waits(const model::Process& process, std::span<model::Thread> threads) {
    LockOwners owners(process, threads);
    for (model::Thread& thread : threads) {
        if (thread.file)
            thread.file->name = descriptor_name(
                process.pid, static_cast<std::uint64_t>(model::uses_of(thread)[0].fd), thread.file->inode);
        thread.lock_owner_tid = owners.of_mutex(thread);
        thread.lock_holder = owners.of_file(thread);
    }
}

}  // namespace waitclose::system
