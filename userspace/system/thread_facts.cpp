// SPDX-License-Identifier: BSD-2-Clause
#include "system/thread_facts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "system/files.h"

namespace waitclose::system {
namespace {

/// The state of glibc's lock word when a thread waits (nptl/lowlevellock.h).
constexpr std::uint32_t kLockedWithWaiters = 2;

bool waits_for_mutex(const model::Thread& thread) {
    if (thread.syscall != static_cast<std::uint32_t>(SYS_futex)) return false;
    const auto command = static_cast<std::uint32_t>(thread.arguments[1]) & FUTEX_CMD_MASK;
    const auto expected = static_cast<std::uint32_t>(thread.arguments[2]);
    return (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) && expected == kLockedWithWaiters;
}

bool waits_for_priority_inheritance(const model::Thread& thread) {
    if (thread.syscall != static_cast<std::uint32_t>(SYS_futex)) return false;
    const auto command = static_cast<std::uint32_t>(thread.arguments[1]) & FUTEX_CMD_MASK;
    constexpr std::uint32_t kLockPi2 = 13;  // since 5.14
    return command == FUTEX_LOCK_PI || command == kLockPi2;
}

std::optional<std::array<std::uint32_t, 3>> words_at(std::uint32_t pid, std::uint64_t address) {
    std::array<std::uint32_t, 3> words{};
    const iovec here{words.data(), sizeof(words)};
    const iovec there{reinterpret_cast<void*>(address), sizeof(words)};
    const ssize_t got = ::process_vm_readv(static_cast<pid_t>(pid), &here, 1, &there, 1, 0);
    if (got != static_cast<ssize_t>(sizeof(words))) return std::nullopt;
    return words;
}

void find_lock_owner(const model::Process& process, std::span<const model::Thread> threads,
                     model::Thread& thread) {
    // What it wrote into its locks are ids of its own PID namespace.
    if (thread.foreign_ids) return;
    const bool inherits = waits_for_priority_inheritance(thread);
    if (!inherits && !waits_for_mutex(thread)) return;
    const auto words = words_at(process.pid, thread.arguments[0]);
    if (!words) return;
    const auto owner = inherits ? std::optional((*words)[0] & FUTEX_TID_MASK) : mutex_owner(*words);
    const bool lives =
        owner && std::ranges::any_of(threads, [&](const model::Thread& other) {
            return other.tid == *owner && !other.exiting && other.state != model::RunState::kZombie;
        });
    if (lives) thread.lock_owner_tid = owner;
}

/// The name /proc gives the descriptor, when it still is the file of the census.
void name_file(const model::Process& process, std::uint64_t fd, model::FileFact& file) {
    const std::string path = fmt::format("/proc/{}/fd/{}", process.pid, static_cast<std::uint32_t>(fd));
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || status.st_ino != file.inode) return;
    if (auto name = read_link(path)) file.name = std::move(*name);
}

}  // namespace

std::optional<std::uint32_t> mutex_owner(std::span<const std::uint32_t, 3> words) {
    if (words[0] != kLockedWithWaiters || words[2] == 0) return std::nullopt;
    return words[2];
}

void describe_waits(const model::Process& process, std::span<model::Thread> threads) {
    for (model::Thread& thread : threads) {
        if (thread.file) name_file(process, thread.arguments[0], *thread.file);
        find_lock_owner(process, threads, thread);
    }
}

}  // namespace waitclose::system
