// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/wait.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>

#include "diagnose/roster.h"
#include "model/syscalls.h"
#include "model/wording.h"

namespace waitclose::diagnose {

using model::FileKind;
using model::RunState;
using model::Thread;

namespace {

constexpr std::array<std::string_view, 10> kIds{"nothing", "disk",   "lock",  "downstream", "pipe",
                                                "sleep",   "memory", "child", "event-loop", "other"};

constexpr std::array<std::string_view, 10> kPhrases{"runs",
                                                    "waits for the disk",
                                                    "waits for a lock",
                                                    "waits for another service",
                                                    "waits for another process",
                                                    "sleeps",
                                                    "waits for memory",
                                                    "waits for a child",
                                                    "waits for work",
                                                    "waits in the kernel"};

template <typename... Number>
bool is_one_of(std::uint32_t number, Number... others) {
    return ((number == static_cast<std::uint32_t>(others)) || ...);
}

/// "fsync(fd 12, /var/log/audit.log)"
std::string call_text(const Thread& thread) {
    const std::string call = model::syscall_text(*thread.syscall);
    const auto fd = model::uses_of(thread)[0].fd;
    if (fd < 0) return call;
    const std::string name = !thread.file                   ? ""
                             : !thread.file->remote.empty() ? ", " + thread.file->remote
                             : !thread.file->name.empty()   ? ", " + thread.file->name
                                                            : "";
    const std::string timeout = thread.polled && thread.polled->timeout_ns
                                    ? ", timeout " + model::duration_text(*thread.polled->timeout_ns)
                                    : "";
    return fmt::format("{}(fd {}{}{})", call, fd, name, timeout);
}

/// What the file behind the call's descriptor makes of it; nothing when it does not tell.
std::optional<WaitClass> by_file(const Thread& thread) {
    if (!thread.file) return std::nullopt;
    switch (thread.file->kind) {
    case FileKind::kRegular:
    case FileKind::kDirectory:
        // Files of /proc and the like are regular, too, and one may wait for news in them.
        if (thread.kernel_stack && thread.state != RunState::kDiskSleep) return std::nullopt;
        return WaitClass::kDisk;
    case FileKind::kPipe:
    case FileKind::kUnix: return WaitClass::kPipe;
    case FileKind::kTcp: return WaitClass::kDownstream;
    case FileKind::kDevice:
    case FileKind::kOther: break;
    }
    return std::nullopt;
}

/// clone() as vfork() and posix_spawn() use it: the parent sleeps until the child has called exec() or ended.
bool waits_for_exec(const Thread& thread) {
    return is_one_of(*thread.syscall, SYS_clone) && (thread.arguments[0] & CLONE_VFORK) != 0;
}

std::optional<WaitClass> by_call(const Thread& thread) {
    const std::uint32_t number = *thread.syscall;
    if (model::waits_for_work(thread)) return WaitClass::kEventLoop;
    // Counted as waiting for a disk while requests are under way, whatever these are for (8a796565cec3, 6.5).
    if (is_one_of(number, SYS_io_uring_enter, SYS_io_getevents, SYS_io_pgetevents))
        return WaitClass::kEventLoop;
    if (is_one_of(number, SYS_futex, SYS_semop, SYS_semtimedop)) return WaitClass::kLock;
    if (model::waits_for_file_lock(thread)) return WaitClass::kLock;
    if (is_one_of(number, SYS_nanosleep, SYS_clock_nanosleep)) return WaitClass::kSleep;
    if (is_one_of(number, SYS_wait4, SYS_waitid) || waits_for_exec(thread)) return WaitClass::kChild;
#ifdef SYS_vfork
    if (is_one_of(number, SYS_vfork)) return WaitClass::kChild;
#endif
    if (is_one_of(number, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_msync)) return WaitClass::kDisk;
    return std::nullopt;
}

WaitClass class_of(const Thread& thread, const StackStory& story) {
    if (story.what == WaitClass::kMemory) return WaitClass::kMemory;
    if (thread.syscall)
        if (const auto what = by_call(thread)) return *what;
    if (story.what == WaitClass::kDisk || thread.in_iowait) return WaitClass::kDisk;
    // Inside of read() or write() a page fault may be what it waits for.
    if (const auto what = by_file(thread)) return *what;
    return story.what.value_or(WaitClass::kOther);
}

std::string lock_text(const Thread& thread) {
    if (!is_one_of(*thread.syscall, SYS_futex))
        return thread.lock_holder ? fmt::format("{} held by {} (pid {})", call_text(thread),
                                                thread.lock_holder->comm, thread.lock_holder->pid)
                                  : call_text(thread);
    return thread.lock_owner_tid
               ? fmt::format("mutex {:#x} held by tid {}", thread.arguments[0], *thread.lock_owner_tid)
               : fmt::format("futex {:#x}", thread.arguments[0]);
}

std::string memory_text(const Thread& thread, const StackStory& story) {
    const std::string what = fmt::format("{} ({})", story.words, story.frame);
    return thread.syscall ? fmt::format("{}: {}", call_text(thread), what) : what;
}

std::string detail_of(const Thread& thread, WaitClass what, const StackStory& story) {
    if (what == WaitClass::kMemory) return memory_text(thread, story);
    if (what == WaitClass::kLock && thread.syscall) return lock_text(thread);
    std::string text = thread.syscall ? call_text(thread) : "no system call that could be read";
    const bool says_little = what == WaitClass::kOther || !thread.file || thread.file->name.empty();
    const bool tells = what == WaitClass::kOther || what == WaitClass::kDisk;
    if (tells && says_little && !story.frame.empty()) text += fmt::format(" in {}", story.frame);
    if (what == WaitClass::kDisk && !story.words.empty()) text += fmt::format(", {}", story.words);
    return text;
}

/// A wait of no known class that is none for work: it cannot be interrupted, or is known to be for another.
bool is_blocked(const Thread& thread, WaitClass what, const StackStory& story) {
    if (what == WaitClass::kLock) return model::waits_for_file_lock(thread);
    if (what != WaitClass::kOther || story.kept || story.frame.empty()) return false;
    return story.blocked || thread.state == RunState::kDiskSleep;
}

}  // namespace

std::string_view id_of(WaitClass wait) {
    return kIds[static_cast<std::size_t>(wait)];
}

std::string_view phrase_of(WaitClass wait) {
    return kPhrases[static_cast<std::size_t>(wait)];
}

std::string_view phrase_of(std::string_view id) {
    const auto found = std::ranges::find(kIds, id);
    return found == kIds.end() ? "waits" : kPhrases[static_cast<std::size_t>(found - kIds.begin())];
}

Wait wait_of(const Thread& thread) {
    if (thread.state == RunState::kRunning || thread.state == RunState::kZombie) return {};
    Wait wait;
    wait.what = WaitClass::kOther;
    wait.detail = "nothing: it is stopped";
    if (is_stopped(thread)) return wait;
    const StackStory story = thread.kernel_stack ? story_of(*thread.kernel_stack) : StackStory{};
    wait.what = class_of(thread, story);
    wait.detail = detail_of(thread, wait.what, story);
    if (wait.what == WaitClass::kLock) wait.owner_tid = thread.lock_owner_tid;
    wait.frame = story.frame;
    wait.blocked = is_blocked(thread, wait.what, story);
    return wait;
}

}  // namespace waitclose::diagnose
