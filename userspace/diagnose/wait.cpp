// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/wait.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/syscall.h>

#include "model/syscalls.h"

namespace waitclose::diagnose {

using model::FileKind;
using model::RunState;
using model::Thread;

namespace {

constexpr std::array<std::string_view, 9> kIds{"nothing", "disk",  "lock",       "downstream", "pipe",
                                               "sleep",   "child", "event-loop", "other"};

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
    return fmt::format("{}(fd {}{})", call, fd, name);
}

/// What the file behind the call's descriptor makes of it; nothing when it does not tell.
std::optional<WaitClass> by_file(const Thread& thread) {
    if (!thread.file) return std::nullopt;
    switch (thread.file->kind) {
    case FileKind::kRegular:
    case FileKind::kDirectory: return WaitClass::kDisk;
    case FileKind::kPipe:
    case FileKind::kUnix: return WaitClass::kPipe;
    case FileKind::kTcp: return WaitClass::kDownstream;
    case FileKind::kDevice:
    case FileKind::kOther: break;
    }
    return std::nullopt;
}

std::optional<WaitClass> by_call(std::uint32_t number) {
    if (model::waits_for_work(number)) return WaitClass::kEventLoop;
    if (is_one_of(number, SYS_futex)) return WaitClass::kLock;
    if (is_one_of(number, SYS_nanosleep, SYS_clock_nanosleep)) return WaitClass::kSleep;
    if (is_one_of(number, SYS_wait4, SYS_waitid)) return WaitClass::kChild;
    if (is_one_of(number, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_msync)) return WaitClass::kDisk;
    return std::nullopt;
}

std::string lock_text(const Thread& thread) {
    return thread.lock_owner_tid
               ? fmt::format("mutex {:#x} held by tid {}", thread.arguments[0], *thread.lock_owner_tid)
               : fmt::format("futex {:#x}", thread.arguments[0]);
}

std::string detail_of(const Thread& thread, WaitClass what) {
    if (what == WaitClass::kLock) return lock_text(thread);
    return call_text(thread);
}

}  // namespace

std::string_view id_of(WaitClass wait) {
    return kIds[static_cast<std::size_t>(wait)];
}

Wait wait_of(const Thread& thread) {
    if (!thread.syscall) return {};
    auto what = thread.in_iowait ? std::optional(WaitClass::kDisk) : by_call(*thread.syscall);
    if (!what) what = by_file(thread);
    if (!what) what = WaitClass::kOther;
    return {*what, detail_of(thread, *what),
            *what == WaitClass::kLock ? thread.lock_owner_tid : std::nullopt};
}

}  // namespace waitclose::diagnose
