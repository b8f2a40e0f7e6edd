/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a census that tells what threads do: of the processes that own sockets, and of those they wait
 * for. */
#define WC_POINTERS_ARE_PLAIN
#include "descriptor.h"
#include "schedule.h"

struct wanted_processes_map wanted_processes SEC(".maps");

/* Threads asleep in poll(): what they wait for there; filled by userspace for a second look at them. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1 << 12);
    __type(key, __u32);
    __type(value, struct wc_polled);
} polling_threads SEC(".maps");

/*
 * The scheduler's clock has an origin of its own. Userspace learns it from the reader's own arrival on its
 * CPU, the smallest difference to CLOCK_BOOTTIME of all samples.
 */
#define NOT_SAMPLED 0x7fffffffffffffffLL

static __always_inline void sample_run_phase(__u64 now) {
    struct task_struct* reader = current_task();
    if (!bpf_core_field_exists(reader->sched_info.last_arrival)) return;
    __s64 phase = now - OF_TASK(reader, sched_info.last_arrival);
    if (phase < counters.run_phase_ns) counters.run_phase_ns = phase;
}

/* __exit_signal() adds what a thread ran in its life, which is never nothing, when the thread is gone for
 * good. A main thread that has exited stays as a zombie until then. exec() starts no new count. */
static __always_inline __u8 has_ended_threads(struct task_struct* task) {
    struct signal_struct* shared = task->signal;
    if (!shared || !bpf_core_field_exists(shared->sum_sched_runtime)) return WC_ENDED_UNKNOWN;
    return BPF_CORE_READ(shared, sum_sched_runtime) ? WC_ENDED_SOME : WC_ENDED_NONE;
}

static __always_inline void fill_times(struct task_struct* task, struct wc_census_thread* out) {
    out->taken_ns = bpf_ktime_get_boot_ns();
    out->on_cpu_ns = task->se.sum_exec_runtime;
    if (!bpf_core_field_exists(task->sched_info.last_arrival)) return;
    out->run_delay_ns = task->sched_info.run_delay;
    out->last_arrival_ns = task->sched_info.last_arrival;
    out->slice_ns = task->se.sum_exec_runtime - task->se.prev_sum_exec_runtime;
}

static __always_inline void fill_socket_file(struct file* file, struct wc_census_thread* out) {
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* any = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (!any) return;
    struct sock* tcp = tcp_of(any);
    if (tcp) {
        describe_socket(tcp, 0, &out->file_socket);
        describe_sequence(tcp, &out->sequence);
        struct tcp_sock* counted = (struct tcp_sock*)tcp;
        out->acked_unsent = BPF_CORE_READ(counted, bytes_acked) + BPF_CORE_READ(counted, bytes_retrans) +
                            (__u32)(out->sequence.sent - out->sequence.acknowledged) -
                            BPF_CORE_READ(counted, bytes_sent);
    } else if (FOLLOW(any, __sk_common.skc_family) == AF_UNIX) {
        struct sock* peer = BPF_CORE_READ((struct unix_sock*)any, peer);
        if (!peer) return;
        out->peer_inode = inode_of(peer);
        out->other_end = (__u64)BPF_CORE_READ(peer, sk_socket, file, f_inode);
    }
}

static __always_inline void fill_file(struct task_struct* task, __u64 fd, struct wc_census_thread* out) {
    struct file* file = file_at(task, fd);
    if (!file) return;
    out->file_inode = BPF_CORE_READ(file, f_inode, i_ino);
    out->file_mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
    if (out->file_mode == S_IFSOCK) fill_socket_file(file, out);
    if (out->file_mode == S_IFIFO) out->other_end = (__u64)BPF_CORE_READ(file, f_inode);
    if (out->file_mode != S_IFSOCK) out->epoll = (__u64)epoll_of(file);
}

/*
 * Where in the kernel a thread sleeps (bpf_get_task_stack, since 5.9). Not of one that exits: before 5.12
 * (06ab134ce8ec) the helper holds no reference to a stack that is about to be freed.
 */
static __always_inline void fill_stack(struct task_struct* task, struct wc_census_thread* out) {
    if (!out->state || out->exit_state || out->flags & PF_EXITING) return;
    bpf_get_task_stack(task, out->stack, sizeof(out->stack), 0);
}

/* A record is too large for the stack of a program; one program fills one at a time. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wc_census_thread);
} thread_record SEC(".maps");

static __always_inline int take_thread(struct bpf_iter__task* ctx, bool with_stack) {
    struct task_struct* task = ctx->task;
    /* Once at the very beginning: the sooner after the reader's arrival, the closer. */
    if (counters.run_phase_ns == NOT_SAMPLED) sample_run_phase(bpf_ktime_get_boot_ns());
    if (!task || task->flags & PF_KTHREAD) return 0;
    __u32 process = process_id(task);
    if (!process || !bpf_map_lookup_elem(&wanted_processes, &process)) return 0;
    __u32 only = 0;
    struct wc_census_thread* record = bpf_map_lookup_elem(&thread_record, &only);
    if (!record) return 0;
    __builtin_memset(record, 0, sizeof(*record));
    record->header = (struct wc_header){WC_KIND_CENSUS_THREAD, sizeof(*record)};
    describe_actor(task, &record->actor);
    record->leader_start_ns = leader_start_of(task);
    record->foreign_ids = BPF_CORE_READ(task, thread_pid, level) != pid_level;
    record->switches = task->nvcsw + task->nivcsw;
    record->parent_tgid = pid_level ? id_in_our_namespace(BPF_CORE_READ(task, real_parent, thread_pid))
                                    : (__u32)BPF_CORE_READ(task, real_parent, tgid);
    if (task->ptrace)
        record->tracer_tid = pid_level ? id_in_our_namespace(BPF_CORE_READ(task, parent, thread_pid))
                                       : (__u32)BPF_CORE_READ(task, parent, pid);
    record->state = state_of(task);
    record->exit_state = task->exit_state;
    record->flags = task->flags;
    if (bpf_core_field_exists(task->frozen)) record->frozen = BPF_CORE_READ_BITFIELD_PROBED(task, frozen);
    struct system_call call = {};
    record->has_registers = read_system_call(task, &call);
    record->syscall = call.number;
    if (record->has_registers) __builtin_memcpy(record->arguments, call.arguments, sizeof(record->arguments));
    record->in_iowait = BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
    record->on_cpu = has_cpu(task);
    record->ended = has_ended_threads(task);
    fill_times(task, record);
    if (marks_processes) follow_process(task, WC_FOR_WINDOW, &counters.lost_storage);
    __u32 tid = record->actor.tid;
    struct wc_polled* polled = bpf_map_lookup_elem(&polling_threads, &tid);
    if (polled) record->polled = *polled;
    if (record->has_registers) fill_file(task, polled ? polled->fd : (__u32)call.arguments[0], record);
    if (with_stack) fill_stack(task, record);
    bpf_seq_write(ctx->meta->seq, record, sizeof(*record));
    return 0;
}

SEC("iter/task")
int census_threads_and_stacks(struct bpf_iter__task* ctx) {
    return take_thread(ctx, true);
}

SEC("iter/task")
int census_threads(struct bpf_iter__task* ctx) {
    return take_thread(ctx, false);
}
