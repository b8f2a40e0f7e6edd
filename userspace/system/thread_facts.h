// SPDX-License-Identifier: BSD-2-Clause
// What a sleeping thread waits for, as far as /proc and the process's memory tell: without a stop, a signal,
// or a descriptor of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "model/process.h"

namespace waitclose::system {

/// Fills in the names of the files that the threads' system calls act on and the owners of the mutexes and
/// file locks they wait for. What cannot be read, or has changed since the census, stays empty. `threads`:
/// all those of `process`.
void describe_waits(const model::Process& process, std::span<model::Thread> threads);

/// The name /proc gives the descriptor; empty when it cannot be read, or is no longer the file of that inode.
std::string descriptor_name(std::uint32_t pid, std::uint64_t fd, std::uint64_t inode);

/// A look at the process's memory waits for its mmap_lock, and whoever is stuck in a page fault or in
/// changing the address space may hold that for as long as it is stuck.
bool may_hold_memory_lock(const model::Thread& thread);

/// A mutex as glibc lays it out on 64-bit machines, from its lock word on (struct __pthread_mutex_s).
struct MutexWords {
    std::uint32_t lock = 0;
    std::uint32_t count = 0;
    std::uint32_t owner = 0;
    std::uint32_t users = 0;
    std::uint32_t kind = 0;
};

/// The owner's thread id. Nothing when the words are not those of a locked mutex with a waiter: any lock of a
/// program's own may have a futex with the same value, and numbers behind it that are no thread's.
std::optional<std::uint32_t> mutex_owner(const MutexWords& words);

/// From the text of /proc/PID/task/TID/status: the id in the innermost PID namespace; 0 when it is not told.
std::uint32_t innermost_id(std::string_view status);

}  // namespace waitclose::system
