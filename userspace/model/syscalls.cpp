// SPDX-License-Identifier: BSD-2-Clause
#include "model/syscalls.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <string_view>

namespace waitclose::model {

namespace {

enum class Kind : std::uint8_t {
    kOther,     // names no descriptor we know of
    kAccept,    // argument 0 is the listener
    kWatch,     // waits for events on a set of descriptors
    kRead,      // reads from argument 0
    kWrite,     // writes to argument 0
    kUse,       // does something else to argument 0
    kTransfer,  // splice: reads from argument 0, writes to argument 2
};

struct Call {
    std::uint32_t number;
    Kind kind;
    std::string_view name;
};

// Architectures differ: arm64 never had the older calls that an #ifdef surrounds.
constexpr Call kCalls[] = {
    {SYS_accept, Kind::kAccept, "accept"},
    {SYS_accept4, Kind::kAccept, "accept4"},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, Kind::kWatch, "epoll_wait"},
#endif
    {SYS_epoll_pwait, Kind::kWatch, "epoll_pwait"},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, Kind::kWatch, "epoll_pwait2"},
#endif
#ifdef SYS_poll
    {SYS_poll, Kind::kWatch, "poll"},
#endif
    {SYS_ppoll, Kind::kWatch, "ppoll"},
#ifdef SYS_select
    {SYS_select, Kind::kWatch, "select"},
#endif
    {SYS_pselect6, Kind::kWatch, "pselect6"},
    {SYS_read, Kind::kRead, "read"},
    {SYS_readv, Kind::kRead, "readv"},
    {SYS_pread64, Kind::kRead, "pread64"},
    {SYS_preadv, Kind::kRead, "preadv"},
    {SYS_preadv2, Kind::kRead, "preadv2"},
    {SYS_recvfrom, Kind::kRead, "recvfrom"},
    {SYS_recvmsg, Kind::kRead, "recvmsg"},
    {SYS_recvmmsg, Kind::kRead, "recvmmsg"},
    {SYS_write, Kind::kWrite, "write"},
    {SYS_writev, Kind::kWrite, "writev"},
    {SYS_pwrite64, Kind::kWrite, "pwrite64"},
    {SYS_pwritev, Kind::kWrite, "pwritev"},
    {SYS_pwritev2, Kind::kWrite, "pwritev2"},
    {SYS_sendto, Kind::kWrite, "sendto"},
    {SYS_sendmsg, Kind::kWrite, "sendmsg"},
    {SYS_sendmmsg, Kind::kWrite, "sendmmsg"},
    {SYS_sendfile, Kind::kWrite, "sendfile"},
    {SYS_splice, Kind::kTransfer, "splice"},
    {SYS_connect, Kind::kUse, "connect"},
    {SYS_shutdown, Kind::kUse, "shutdown"},
    // close() gives the number back before it sleeps: by then it may name another file.
    {SYS_close, Kind::kOther, "close"},
    {SYS_ioctl, Kind::kUse, "ioctl"},
    {SYS_fcntl, Kind::kUse, "fcntl"},
    {SYS_flock, Kind::kUse, "flock"},
    {SYS_fsync, Kind::kUse, "fsync"},
    {SYS_fdatasync, Kind::kUse, "fdatasync"},
    {SYS_ftruncate, Kind::kUse, "ftruncate"},
    {SYS_fallocate, Kind::kUse, "fallocate"},
    {SYS_sync_file_range, Kind::kUse, "sync_file_range"},
    {SYS_setsockopt, Kind::kUse, "setsockopt"},
    {SYS_getsockopt, Kind::kUse, "getsockopt"},
    {SYS_futex, Kind::kOther, "futex"},
#ifdef SYS_futex_waitv
    {SYS_futex_waitv, Kind::kOther, "futex_waitv"},
#endif
    {SYS_nanosleep, Kind::kOther, "nanosleep"},
    {SYS_clock_nanosleep, Kind::kOther, "clock_nanosleep"},
#ifdef SYS_pause
    {SYS_pause, Kind::kOther, "pause"},
#endif
    {SYS_wait4, Kind::kOther, "wait4"},
    {SYS_waitid, Kind::kOther, "waitid"},
    {SYS_rt_sigtimedwait, Kind::kOther, "rt_sigtimedwait"},
    {SYS_rt_sigsuspend, Kind::kOther, "rt_sigsuspend"},
    {SYS_restart_syscall, Kind::kOther, "restart_syscall"},
#ifdef SYS_open
    {SYS_open, Kind::kOther, "open"},
#endif
    {SYS_openat, Kind::kOther, "openat"},
    {SYS_sync, Kind::kOther, "sync"},
    {SYS_msync, Kind::kOther, "msync"},
    {SYS_io_getevents, Kind::kOther, "io_getevents"},
    {SYS_io_pgetevents, Kind::kOther, "io_pgetevents"},
    {SYS_io_submit, Kind::kOther, "io_submit"},
    {SYS_semop, Kind::kOther, "semop"},
    {SYS_semtimedop, Kind::kOther, "semtimedop"},
    {SYS_msgrcv, Kind::kOther, "msgrcv"},
    {SYS_msgsnd, Kind::kOther, "msgsnd"},
    {SYS_mq_timedreceive, Kind::kOther, "mq_timedreceive"},
    {SYS_copy_file_range, Kind::kUse, "copy_file_range"},
    {SYS_getdents64, Kind::kUse, "getdents64"},
    {SYS_syncfs, Kind::kUse, "syncfs"},
    {SYS_madvise, Kind::kOther, "madvise"},
    {SYS_mprotect, Kind::kOther, "mprotect"},
    {SYS_brk, Kind::kOther, "brk"},
    {SYS_statx, Kind::kOther, "statx"},
    {SYS_newfstatat, Kind::kOther, "newfstatat"},
    {SYS_mkdirat, Kind::kOther, "mkdirat"},
#ifdef SYS_io_uring_enter
    {SYS_io_uring_enter, Kind::kOther, "io_uring_enter"},
#endif
#ifdef SYS_unlink
    {SYS_unlink, Kind::kOther, "unlink"},
#endif
    {SYS_unlinkat, Kind::kOther, "unlinkat"},
    {SYS_renameat2, Kind::kOther, "renameat2"},
    {SYS_mmap, Kind::kOther, "mmap"},
    {SYS_munmap, Kind::kOther, "munmap"},
#ifdef SYS_vfork
    {SYS_vfork, Kind::kOther, "vfork"},
#endif
    {SYS_clone, Kind::kOther, "clone"},
    {SYS_clone3, Kind::kOther, "clone3"},
    {SYS_execve, Kind::kOther, "execve"},
    {SYS_exit_group, Kind::kOther, "exit_group"},
};

const Call* find(std::uint32_t number) {
    const auto* found = std::ranges::find(kCalls, number, &Call::number);
    return found == std::end(kCalls) ? nullptr : found;
}

Kind kind_of(std::uint32_t number) {
    const Call* call = find(number);
    return call ? call->kind : Kind::kOther;
}

// A descriptor argument is an int: the upper half of its register means nothing.
std::int32_t descriptor(std::uint64_t argument) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(argument));
}

}  // namespace

bool accepts(std::uint32_t number) {
    return kind_of(number) == Kind::kAccept;
}

bool waits_on_epoll(std::uint32_t number) {
    const Call* call = find(number);
    return call && call->kind == Kind::kWatch && call->name.starts_with("epoll");
}

bool watches_descriptors(std::uint32_t number) {
    return kind_of(number) == Kind::kWatch;
}

bool waits_for_work(std::uint32_t number) {
    const Kind kind = kind_of(number);
    return kind == Kind::kAccept || kind == Kind::kWatch;
}

bool waits_for_work(const Thread& thread) {
    return thread.syscall && waits_for_work(*thread.syscall) && !thread.polled;
}

bool polls(std::uint32_t number) {
#ifdef SYS_poll
    if (number == SYS_poll) return true;
#endif
    return number == SYS_ppoll;
}

bool waits_for_file_lock(const Thread& thread) {
    if (!thread.syscall) return false;
    if (*thread.syscall == static_cast<std::uint32_t>(SYS_flock)) return true;
    const auto command = static_cast<std::uint32_t>(thread.arguments[1]);
    return *thread.syscall == static_cast<std::uint32_t>(SYS_fcntl) &&
           (command == F_SETLKW || command == F_OFD_SETLKW);
}

std::array<Use, 2> uses_of(const Thread& thread) {
    if (!thread.syscall) return {};
    const std::int32_t first = descriptor(thread.arguments[0]);
    switch (kind_of(*thread.syscall)) {
    case Kind::kAccept:
    case Kind::kUse: return {Use{first, Access::kOther}, Use{}};
    case Kind::kRead: return {Use{first, Access::kRead}, Use{}};
    case Kind::kWrite: return {Use{first, Access::kWrite}, Use{}};
    case Kind::kTransfer:
        return {Use{first, Access::kRead}, Use{descriptor(thread.arguments[2]), Access::kWrite}};
    case Kind::kWatch:
        if (thread.polled)
            return {Use{thread.polled->fd, thread.polled->writes ? Access::kWrite : Access::kRead}, Use{}};
        break;
    case Kind::kOther: break;
    }
    return {};
}

std::string syscall_text(std::uint32_t number) {
    const Call* call = find(number);
    return call ? std::string(call->name) : "system call " + std::to_string(number);
}

}  // namespace waitclose::model
