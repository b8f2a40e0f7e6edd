/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the threads of the holders do over a window: asleep in what, and for how long.
 *
 * Only the moment at which a thread leaves its CPU is looked at; it is `current` there. How long it ran and
 * how long it waited for a CPU since it left the last time the scheduler has counted already
 * (sum_exec_runtime, sched_info.run_delay): the rest is how long it slept, and that began when it left the
 * last time. So there is no need to hook wakeups.
 */
#define WC_POINTERS_ARE_PLAIN
#include "schedule.h"

#include "descriptor.h"

/* Allocated beforehand, both: nothing may be allocated where a CPU is switched. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 14);
    __type(key, struct wc_thread_key);
    __type(value, struct wc_switched);
} switched SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 15);
    __type(key, struct wc_slept_key);
    __type(value, __u64);
} slept SEC(".maps");

static __always_inline void read_times(struct task_struct* task, struct wc_run_times* out) {
    out->at_ns = bpf_ktime_get_boot_ns();
    out->on_cpu_ns = OF_TASK(task, se.sum_exec_runtime);
    out->run_delay_ns =
        bpf_core_field_exists(task->sched_info.run_delay) ? OF_TASK(task, sched_info.run_delay) : 0;
}

static __always_inline __u32 family_of_socket(struct file* file) {
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (!sk) return 0;
    if (tcp_of(sk)) return AF_INET;
    return BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX ? AF_UNIX : 0;
}

static __always_inline void read_sleep(struct task_struct* task, struct wc_sleep* out) {
    struct system_call call = {};
    out->syscall = ~0U;
    out->file_mode = 0;
    out->socket_family = 0;
    out->in_iowait = BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
    if (!read_system_call(task, &call) || call.number == ~0U) return;
    out->syscall = call.number;
    struct file* file = file_at(task, (__u32)call.arguments[0]);
    if (!file) return;
    out->file_mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
    if (out->file_mode == S_IFSOCK) out->socket_family = family_of_socket(file);
}

static __always_inline void add_sleep(struct wc_switched* thread, const struct wc_thread_key* key,
                                      __u64 duration_ns) {
    struct wc_slept_key way = {*key, thread->sleep};
    __u64* sum = bpf_map_lookup_elem(&slept, &way);
    if (sum)
        *sum += duration_ns;
    else if (bpf_map_update_elem(&slept, &way, &duration_ns, BPF_NOEXIST))
        thread->unsorted_ns += duration_ns;
}

/* From the last time it left a CPU until now. */
static __always_inline void settle(struct wc_switched* thread, const struct wc_thread_key* key,
                                   const struct wc_run_times* now) {
    __s64 rest = (now->at_ns - thread->last.at_ns) - (now->on_cpu_ns - thread->last.on_cpu_ns) -
                 (now->run_delay_ns - thread->last.run_delay_ns);
    if (rest <= 0) return;
    if (thread->off_cpu == WC_OFF_CPU_ASLEEP)
        add_sleep(thread, key, rest);
    else
        thread->unaccounted_ns += rest;
}

static __always_inline struct wc_switched* begin(struct task_struct* task, const struct wc_thread_key* key,
                                                 const struct wc_run_times* now) {
    struct wc_switched fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.key = *key;
    fresh.tgid = process_id(task);
    fresh.tid = thread_id(task);
    fresh.first = *now;
    fresh.sleep.syscall = ~0U;
    bpf_probe_read_kernel_str(fresh.comm, sizeof(fresh.comm), task->comm);
    if (bpf_map_update_elem(&switched, key, &fresh, BPF_NOEXIST)) {
        count(&counters.lost_storage);
        return NULL;
    }
    return bpf_map_lookup_elem(&switched, key);
}

static __always_inline void leave(struct task_struct* task, enum wc_off_cpu how) {
    struct wc_thread_key key = {OF_TASK(task, start_boottime), OF_TASK(task, pid), 0};
    struct wc_run_times now;
    read_times(task, &now);
    struct wc_switched* thread = bpf_map_lookup_elem(&switched, &key);
    if (thread)
        settle(thread, &key, &now);
    else
        thread = begin(task, &key, &now);
    if (!thread) return;
    thread->last = now;
    thread->off_cpu = how;
    thread->switches++;
    if (how == WC_OFF_CPU_ASLEEP) read_sleep(task, &thread->sleep);
}

/* The `prev_state` of the tracepoint, in the typed one an argument since 5.18 (fa2c3254d7cf), is not needed:
 * a wakeup on another CPU may change the task's own to TASK_WAKING by now, but to "running" only after this
 * switch. */
static __always_inline enum wc_off_cpu how_it_leaves(struct task_struct* task, bool preempted) {
    long state = bpf_core_field_exists(task->__state)
                     ? OF_TASK(task, __state)
                     : OF_TASK((struct task_struct___until_5_13*)task, state);
    if (state & TASK_DEAD) return WC_OFF_CPU_DEAD;
    return state == 0 || preempted ? WC_OFF_CPU_RUNNABLE : WC_OFF_CPU_ASLEEP;
}

static __always_inline int note_switch(bool preempted) {
    if (!window_is_open) return 0;
    struct task_struct* task = current_task();
    if (is_followed(OF_TASK(task, tgid), WC_FOR_WINDOW)) leave(task, how_it_leaves(task, preempted));
    return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt) {
    return note_switch(preempt);
}

SEC("tracepoint/sched/sched_switch")
int on_classic_switch(struct trace_event_raw_sched_switch* event) {
    return note_switch(event->prev_state & TASK_REPORT_MAX);
}
