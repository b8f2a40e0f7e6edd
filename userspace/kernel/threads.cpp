// SPDX-License-Identifier: BSD-2-Clause
// One thread from its record.
#include <algorithm>

#include <sys/stat.h>

#include "kernel/readings.h"
#include "kernel/records.h"
#include "model/syscalls.h"
#include "model/wording.h"

namespace waitclose::kernel {
namespace {

std::optional<std::uint64_t> asleep_since(const wc_census_thread& record, std::int64_t run_phase_ns) {
    if (!record.last_arrival_ns) return std::nullopt;
    const auto since = static_cast<std::int64_t>(record.last_arrival_ns + record.slice_ns) + run_phase_ns;
    if (since <= 0) return std::nullopt;
    return std::min(static_cast<std::uint64_t>(since), std::uint64_t{record.taken_ns});
}

model::FileKind kind_of(const wc_census_thread& record) {
    switch (record.file_mode) {
    case S_IFREG: return model::FileKind::kRegular;
    case S_IFDIR: return model::FileKind::kDirectory;
    case S_IFIFO: return model::FileKind::kPipe;
    case S_IFCHR:
    case S_IFBLK: return model::FileKind::kDevice;
    case S_IFSOCK:
        return record.file_socket.address ? model::FileKind::kTcp
               : record.peer_inode        ? model::FileKind::kUnix
                                          : model::FileKind::kOther;
    default: return model::FileKind::kOther;
    }
}

/// What poll() waits for, when that is one connection that this side opened: a connection that was accepted
/// is polled for the next request. One whose peer has hung up is none that anybody waits for an answer on.
std::optional<model::Polled> polled_of(const wc_census_thread& record) {
    const wc_socket& socket = record.file_socket;
    if (!record.polled.known || kind_of(record) != model::FileKind::kTcp || !socket.remote_port)
        return std::nullopt;
    const auto state = static_cast<model::TcpState>(socket.state);
    const bool connecting = state == model::TcpState::kSynSent;
    const bool is_up = state == model::TcpState::kEstablished || state == model::TcpState::kFinWait1 ||
                       state == model::TcpState::kFinWait2;
    if (!connecting && !(is_up && role_by(record.acked_unsent) == model::Role::kClient)) return std::nullopt;
    model::Polled polled{.fd = static_cast<std::int32_t>(record.polled.fd),
                         .writes = record.polled.writes != 0,
                         .timeout_ns = std::nullopt};
    if (record.polled.timeout_ns != WC_NO_TIMEOUT) polled.timeout_ns = record.polled.timeout_ns;
    return polled;
}

}  // namespace

model::RunState run_state(const wc_census_thread& record) {
    // include/linux/sched.h: task->__state and exit_state
    constexpr std::uint32_t kInterruptible = 1, kUninterruptible = 2, kStopped = 4, kTraced = 8,
                            kIdle = 0x400, kFrozen = 0x8000;
    if (record.exit_state) return model::RunState::kZombie;
    // Who is stopped counts as frozen for its cgroup, too (do_signal_stop, ptrace_stop; since 5.2).
    if (record.state & kStopped) return model::RunState::kStopped;
    if (record.state & kTraced) return model::RunState::kTraced;
    if (record.frozen || record.state & kFrozen) return model::RunState::kFrozen;
    if (record.state & kInterruptible || record.state & kIdle) return model::RunState::kSleeping;
    if (record.state & kUninterruptible) return model::RunState::kDiskSleep;
    return record.state == 0 ? model::RunState::kRunning : model::RunState::kOther;
}

std::optional<model::FileFact> file_of(const wc_census_thread& record, const model::Thread& thread) {
    const bool takes_one = model::uses_of(thread)[0].fd >= 0;
    if (!takes_one || !record.file_inode) return std::nullopt;
    model::FileFact file{.kind = kind_of(record), .name = {}, .inode = record.file_inode, .remote = {}};
    // A socket that is not connected has no other end, whatever address it has.
    if (file.kind == model::FileKind::kPipe || file.kind == model::FileKind::kUnix)
        file.other_end = record.other_end;
    else if (file.kind == model::FileKind::kTcp && record.file_socket.remote_port)
        file.other_end = record.file_socket.address;
    if (file.kind == model::FileKind::kTcp && record.file_socket.remote_port)
        file.remote = model::endpoint_text(family_of(record.file_socket), remote_of(record.file_socket));
    if (file.kind == model::FileKind::kTcp) file.local_port = record.file_socket.local_port;
    return file;
}

model::Thread thread_of(const wc_census_thread& record, std::int64_t run_phase_ns) {
    constexpr std::uint32_t kPfExiting = 4;
    model::Thread thread;
    thread.tid = record.actor.tid;
    thread.start_ns = record.actor.start_ns;
    thread.comm = actor_of(record.actor).value_or(model::Actor{}).comm_text();
    thread.state = run_state(record);
    thread.exiting = (record.flags & kPfExiting) != 0;
    thread.tracer_tid = record.tracer_tid;
    thread.switches = record.switches;
    // Of a thread that runs, the saved registers are those of some earlier call.
    const bool sleeps = thread.state != model::RunState::kRunning && thread.state != model::RunState::kZombie;
    if (record.has_registers && sleeps && record.syscall != ~0U) thread.syscall = record.syscall;
    std::copy(std::begin(record.arguments), std::end(record.arguments), thread.arguments.begin());
    if (sleeps) thread.asleep_since_ns = asleep_since(record, run_phase_ns);
    if (thread.syscall && model::polls(*thread.syscall)) thread.polled = polled_of(record);
    thread.file = file_of(record, thread);
    if (thread.syscall && model::waits_on_epoll(*thread.syscall)) thread.epoll = record.epoll;
    thread.read_ns = record.taken_ns;
    if (record.on_cpu) thread.has_cpu = record.on_cpu == WC_ON_CPU_YES;
    thread.on_cpu_ns = record.on_cpu_ns;
    thread.run_delay_ns = record.run_delay_ns;
    thread.in_iowait = record.in_iowait != 0;
    if (sleeps)
        thread.kernel_addresses.assign(std::begin(record.stack),
                                       std::find(std::begin(record.stack), std::end(record.stack), 0U));
    thread.foreign_ids = record.foreign_ids != 0;
    return thread;
}

void note_ended(model::Process& process, const wc_census_thread& record) {
    if (record.ended == WC_ENDED_UNKNOWN) return;
    process.threads_ended = process.threads_ended.value_or(false) || record.ended == WC_ENDED_SOME;
}

}  // namespace waitclose::kernel
