// SPDX-License-Identifier: BSD-2-Clause
// The table of needs and their alternatives: the one place that says which hooks there are. In order of cost
// within a need; `since` is the release in which the rarest of what an alternative uses appeared.
#include <array>

#include "kernel/plan.h"

namespace waitclose::kernel {
namespace {

using enum Mechanism;

// ---- the census ----

constexpr std::array kSocketsByHelper{AttachPoint{"census_sockets", kIterator, "tcp", false, "bpf_loop"}};
constexpr std::array kSocketsByLoop{AttachPoint{"census_sockets_by_loop", kIterator, "tcp"}};
constexpr std::array kSockets{
    Alternative{"iter/tcp+bpf_loop", kSocketsByHelper, "5.17"},
    Alternative{"iter/tcp", kSocketsByLoop, "5.9", Cost::kLow,
                "of a longer accept queue only the first 512 connections are tied to their listener"},
};

constexpr std::array kDescriptorsPoints{AttachPoint{"census_descriptors", kIterator, "task_file"}};
constexpr std::array kDescriptors{Alternative{"iter/task_file", kDescriptorsPoints, "5.8"}};

constexpr std::array kThreadsAndStacks{
    AttachPoint{"census_threads_and_stacks", kIterator, "task", false, "bpf_get_task_stack"},
    AttachPoint{"census_namespaces", kIterator, "task"}};
constexpr std::array kThreadsOnly{AttachPoint{"census_threads", kIterator, "task"},
                                  AttachPoint{"census_namespaces", kIterator, "task"}};
constexpr std::array kThreads{
    Alternative{"iter/task+bpf_get_task_stack", kThreadsAndStacks, "5.9"},
    Alternative{"iter/task", kThreadsOnly, "5.8", Cost::kLow,
                "what a thread waits for inside the kernel (memory, a disk behind a call that names no file) "
                "is not known"},
};

constexpr std::array kChainPoints{AttachPoint{"census_ends", kIterator, "task_file"},
                                  AttachPoint{"census_children", kIterator, "task"}};
constexpr std::array kChain{Alternative{"iter/task_file+iter/task", kChainPoints, "5.8"}};

// ---- transitions ----

constexpr std::array kTypedTransition{AttachPoint{"on_transition", kTypedTracepoint, "inet_sock_set_state"}};
constexpr std::array kClassicTransition{
    AttachPoint{"on_classic_transition", kTracepoint, "sock/inet_sock_set_state"}};
constexpr std::array kTransition{
    Alternative{"tp_btf/inet_sock_set_state", kTypedTransition, "5.8"},
    Alternative{"tp/sock/inet_sock_set_state", kClassicTransition, "5.8", Cost::kMedium,
                "sockets have an identity of waitclose's own in place of the kernel's cookie"},
};

// ---- reads ----

constexpr std::array kReceiveLength{AttachPoint{"on_receive", kTypedTracepoint, "sock_recv_length"}};
constexpr std::array kReceiveFexit{AttachPoint{"on_tcp_recvmsg", kFexit, "tcp_recvmsg"}};
constexpr std::array kReceiveKprobe{AttachPoint{"on_tcp_cleanup_rbuf", kKprobe, "tcp_cleanup_rbuf"}};
constexpr std::array kReceiveSyscalls{
    AttachPoint{"on_read_enter", kTracepoint, "syscalls/sys_enter_read"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_read"},
    AttachPoint{"on_read_enter", kTracepoint, "syscalls/sys_enter_readv"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_readv"},
    AttachPoint{"on_recvfrom_enter", kTracepoint, "syscalls/sys_enter_recvfrom"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_recvfrom"},
    AttachPoint{"on_recvmsg_enter", kTracepoint, "syscalls/sys_enter_recvmsg"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_recvmsg"},
    AttachPoint{"on_recvfrom_enter", kTracepoint, "syscalls/sys_enter_recvmmsg"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_recvmmsg"},
};
constexpr std::array kRead{
    Alternative{"tp_btf/sock_recv_length", kReceiveLength, "6.3"},
    Alternative{"fexit/tcp_recvmsg", kReceiveFexit, "5.8"},
    Alternative{"kprobe/tcp_cleanup_rbuf", kReceiveKprobe, "5.8", Cost::kMedium},
    Alternative{"tp/syscalls/sys_exit_read", kReceiveSyscalls, "5.8", Cost::kHigh,
                "reads by splice(), io_uring and 32-bit programs are not seen"},
};

// ---- writes ----

constexpr std::array kSendLength{AttachPoint{"on_send", kTypedTracepoint, "sock_send_length"}};
constexpr std::array kSendFexit{AttachPoint{"on_tcp_sendmsg", kFexit, "tcp_sendmsg"},
                                AttachPoint{"on_tcp_sendpage", kFexit, "tcp_sendpage", true}};
constexpr std::array kSendKprobe{AttachPoint{"on_tcp_sendmsg_enter", kKprobe, "tcp_sendmsg"},
                                 AttachPoint{"on_tcp_sendpage_enter", kKprobe, "tcp_sendpage", true}};
constexpr std::array kSendSyscalls{
    AttachPoint{"on_write_enter", kTracepoint, "syscalls/sys_enter_write"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_write"},
    AttachPoint{"on_write_enter", kTracepoint, "syscalls/sys_enter_writev"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_writev"},
    AttachPoint{"on_write_enter", kTracepoint, "syscalls/sys_enter_sendto"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_sendto"},
    AttachPoint{"on_write_enter", kTracepoint, "syscalls/sys_enter_sendmsg"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_sendmsg"},
    AttachPoint{"on_write_enter", kTracepoint, "syscalls/sys_enter_sendmmsg"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_sendmmsg"},
    AttachPoint{"on_write_enter", kTracepoint, "syscalls/sys_enter_sendfile64"},
    AttachPoint{"on_touch_exit", kTracepoint, "syscalls/sys_exit_sendfile64"},
};
constexpr std::array kWrite{
    Alternative{"tp_btf/sock_send_length", kSendLength, "6.3"},
    Alternative{"fexit/tcp_sendmsg", kSendFexit, "5.8"},
    Alternative{"kprobe/tcp_sendmsg", kSendKprobe, "5.8", Cost::kMedium},
    Alternative{"tp/syscalls/sys_exit_write", kSendSyscalls, "5.8", Cost::kHigh,
                "writes by splice(), io_uring and 32-bit programs are not seen"},
};

// ---- accept() and close() ----

constexpr std::array kAcceptFentry{AttachPoint{"on_sock_graft", kFentry, "security_sock_graft"}};
constexpr std::array kAcceptKprobe{AttachPoint{"on_sock_graft_plain", kKprobe, "security_sock_graft"}};
constexpr std::array kAcceptSyscalls{
    AttachPoint{"on_accept_exit", kTracepoint, "syscalls/sys_exit_accept"},
    AttachPoint{"on_accept_exit", kTracepoint, "syscalls/sys_exit_accept4"},
};
constexpr std::array kAccept{
    Alternative{"fentry/security_sock_graft", kAcceptFentry, "5.8"},
    Alternative{"kprobe/security_sock_graft", kAcceptKprobe, "5.8", Cost::kMedium},
    Alternative{"tp/syscalls/sys_exit_accept", kAcceptSyscalls, "5.8", Cost::kHigh,
                "accepts by io_uring and 32-bit programs are not seen"},
};

#if defined(__x86_64__)
#define WC_SYSTEM_CALL(name) "__x64_sys_" name
#else
#define WC_SYSTEM_CALL(name) "__arm64_sys_" name
#endif
constexpr std::array kResultFexit{AttachPoint{"on_accept_done", kFexit, WC_SYSTEM_CALL("accept")},
                                  AttachPoint{"on_accept4_done", kFexit, WC_SYSTEM_CALL("accept4")}};
constexpr std::array kResultSyscalls{
    AttachPoint{"on_accept_result", kTracepoint, "syscalls/sys_exit_accept"},
    AttachPoint{"on_accept_result", kTracepoint, "syscalls/sys_exit_accept4"},
};
constexpr std::array kAcceptResult{
    Alternative{"fexit/sys_accept", kResultFexit, "5.8"},
    Alternative{"tp/syscalls/sys_exit_accept4", kResultSyscalls, "5.8", Cost::kHigh,
                "accepts by 32-bit programs are not counted"},
};

constexpr std::array kCloseFentry{AttachPoint{"on_file_let_go", kFentry, "locks_remove_posix"}};
constexpr std::array kCloseKprobe{AttachPoint{"on_file_let_go_probed", kKprobe, "locks_remove_posix"}};
constexpr std::array kCloseSyscalls{AttachPoint{"on_close_enter", kTracepoint, "syscalls/sys_enter_close"}};
constexpr std::array kClose{
    Alternative{"fentry/locks_remove_posix", kCloseFentry, "5.8"},
    Alternative{"kprobe/locks_remove_posix", kCloseKprobe, "5.8", Cost::kMedium},
    Alternative{"tp/syscalls/sys_enter_close", kCloseSyscalls, "5.8", Cost::kHigh,
                "closes by io_uring and 32-bit programs that leave another descriptor open are not seen"},
};

// ---- switches ----

constexpr std::array kSwitchTyped{AttachPoint{"on_switch", kTypedTracepoint, "sched_switch"}};
constexpr std::array kSwitchClassic{AttachPoint{"on_classic_switch", kTracepoint, "sched/sched_switch"}};
constexpr std::array kSwitch{
    Alternative{"tp_btf/sched_switch", kSwitchTyped, "5.8"},
    Alternative{"tp/sched/sched_switch", kSwitchClassic, "5.8", Cost::kMedium},
};

// ---- a capture ----

constexpr std::array kIntervalsTyped{AttachPoint{"on_interval_switch", kTypedTracepoint, "sched_switch"},
                                     AttachPoint{"on_fork", kTypedTracepoint, "sched_process_fork", true}};
constexpr std::array kIntervalsClassic{
    AttachPoint{"on_classic_interval_switch", kTracepoint, "sched/sched_switch"}};
constexpr std::array kIntervals{
    Alternative{"tp_btf/sched_switch+stack", kIntervalsTyped, "5.8"},
    Alternative{"tp/sched/sched_switch+stack", kIntervalsClassic, "5.8", Cost::kMedium,
                "what a thread did in a capture before it first left a CPU is not known, and a process born "
                "meanwhile is followed from the next look on only"},
};

constexpr std::array kWakingTyped{AttachPoint{"on_waking", kTypedTracepoint, "sched_waking"}};
constexpr std::array kWakingClassic{AttachPoint{"on_classic_waking", kTracepoint, "sched/sched_waking"}};
constexpr std::array kWaking{
    Alternative{"tp_btf/sched_waking", kWakingTyped, "5.8"},
    Alternative{"tp/sched/sched_waking", kWakingClassic, "5.8", Cost::kMedium,
                "when a sleep ended is known, but not who ended it"},
};

constexpr std::array kClockPoint{AttachPoint{"on_sample", kSamplingClock, "cpu-clock"}};
constexpr std::array kClock{Alternative{"perf/cpu-clock", kClockPoint, "5.8"}};

constexpr std::array kRestingAndStacks{
    AttachPoint{"capture_threads_and_stacks", kIterator, "task", false, "bpf_get_task_stack"}};
constexpr std::array kRestingOnly{AttachPoint{"capture_threads", kIterator, "task"}};
constexpr std::array kResting{
    Alternative{"iter/task+registers+stack", kRestingAndStacks, "5.9"},
    Alternative{"iter/task+registers", kRestingOnly, "5.8", Cost::kLow,
                "the stacks of sleeping threads end where they enter the kernel"},
};

constexpr std::array kNeeds{
    Need{"census", true, true, "no sockets can be read", kSockets},
    Need{"descriptors", true, true, "nobody can be named who holds a socket", kDescriptors},
    Need{"threads", true, true, "nobody can be named who should have closed a socket", kThreads},
    Need{"chain", false, true, "a wait chain ends where it would go on in another process", kChain},
    Need{"transition", true, false, "no hold is seen beginning or ending", kTransition},
    Need{"read", false, false, "which thread read end-of-file is not known; only that it was read", kRead},
    Need{"write", false, false,
         "bytes sent after the peer's FIN are not counted; half-open streams stay unknown", kWrite},
    Need{"accept", false, false, "which thread accepted a connection is not known", kAccept},
    Need{"accept-count", false, false, "failed accept() calls and the pace of good ones are not counted",
         kAcceptResult},
    Need{"close", false, false, "a close() that left another descriptor open is not seen", kClose},
    Need{"schedule", false, false,
         "over a window, what a thread that slept several times waited for is not known; only for how long",
         kSwitch, true},
    Need{"intervals", false, false,
         "a capture does not tell when each thread ran, waited for a CPU and slept, nor where it went to "
         "sleep",
         kIntervals, false, true},
    Need{"wakeups", false, false,
         "a capture does not tell who ended a sleep, and counts what came between that and the CPU as sleep",
         kWaking, false, true},
    Need{"samples", false, false, "a capture does not tell what threads do while they run", kClock, false,
         true},
    Need{"registers", false, false,
         "a capture does not tell where in its program a thread is that sleeps all the while", kResting,
         false, true},
};

}  // namespace

std::span<const Need> all_needs() {
    return kNeeds;
}

}  // namespace waitclose::kernel
