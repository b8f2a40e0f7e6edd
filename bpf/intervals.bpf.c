/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the threads of a capture do, moment by moment: when each leaves its CPU and how, where it goes to
 * sleep, who wakes it, and when it has a CPU again.
 *
 * Who wakes is asked at sched_waking: it is `current` there. sched_wakeup comes later, often in an interrupt
 * on the CPU that the thread is to run on.
 */
#define WC_POINTERS_ARE_PLAIN
#include "activity.h"
#include "interrupt.h"
#include "sleep_file.h"

/* By the kernel's thread id. Allocated beforehand: nothing may be allocated where a CPU is switched. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 14);
    __type(key, __u32);
    __type(value, struct wc_stretch);
} stretches SEC(".maps");

/* An element to begin with: it is too large for the stack of a program. */
static const struct wc_stretch no_stretch = {
    .header = {WC_KIND_STRETCH, sizeof(struct wc_stretch)},
    .syscall = ~0U,
};

static __always_inline void describe_thread(struct task_struct* task, struct wc_stretch* out) {
    describe_actor(task, &out->thread);
    out->leader_start_ns = leader_start_of(task);
}

static __always_inline struct wc_stretch* known_stretch(__u32 tid) {
    return bpf_map_lookup_elem(&stretches, &tid);
}

/* That of the thread; an id may have been an earlier thread's. */
static __always_inline struct wc_stretch* stretch_of(struct task_struct* task) {
    __u32 tid = OF_TASK(task, pid);
    struct wc_stretch* known = known_stretch(tid);
    if (known && known->thread.start_ns == OF_TASK(task, start_boottime)) return known;
    if (bpf_map_update_elem(&stretches, &tid, &no_stretch, BPF_ANY)) {
        count(&lost_followed);
        return NULL;
    }
    struct wc_stretch* fresh = known_stretch(tid);
    if (fresh) describe_thread(task, fresh);
    return fresh;
}

static __always_inline bool has_enough(const struct wc_stretch* stretch) {
    return stretch->sequence >= most_stretches;
}

static __always_inline void send(struct wc_stretch* stretch) {
    stretch->sequence++;
    if (bpf_ringbuf_output(&activity, stretch, sizeof(*stretch), BPF_RB_NO_WAKEUP)) count(&lost_activity);
}

static __always_inline void fill_stack(void* ctx, struct task_struct* task, struct wc_stretch* stretch) {
    struct stack_room* room = room_for(SLOT_SWITCH);
    if (!room) return;
    begin_stack(&room->stack, task);
    set_kernel_depth(&room->stack, bpf_get_stack(ctx, room->stack.kernel, sizeof(room->stack.kernel), 0));
    room->stack.has_registers = read_registers(task, &room->frame, &room->stack.registers);
    stretch->stack = send_stack(&room->stack, &activity, &activity_stacks);
}

static __always_inline void fill_sleep(void* ctx, struct task_struct* task, struct wc_stretch* stretch) {
    struct system_call call = {};
    stretch->in_iowait = BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
    if (read_system_call(task, &call) && call.number != ~0U) {
        stretch->syscall = call.number;
        __builtin_memcpy(stretch->arguments, call.arguments, sizeof(stretch->arguments));
        fill_sleep_file(task, (__u32)call.arguments[0], &stretch->file);
    }
    fill_stack(ctx, task, stretch);
}

/* As in schedule.bpf.c: the task's own state tells until this switch is over. */
static __always_inline enum wc_off_cpu how_it_leaves(struct task_struct* task, bool preempted) {
    long state = bpf_core_field_exists(task->__state)
                     ? OF_TASK(task, __state)
                     : OF_TASK((struct task_struct___until_5_13*)task, state);
    if (state & TASK_DEAD) return WC_OFF_CPU_DEAD;
    return state == 0 || preempted ? WC_OFF_CPU_RUNNABLE : WC_OFF_CPU_ASLEEP;
}

static __always_inline void leave(void* ctx, struct task_struct* task, bool preempted) {
    struct wc_stretch* stretch = stretch_of(task);
    if (!stretch || has_enough(stretch)) return;
    bpf_probe_read_kernel_str(stretch->thread.comm, sizeof(stretch->thread.comm), task->comm);
    stretch->left_ns = bpf_ktime_get_boot_ns();
    stretch->on_ns = 0;
    stretch->how = how_it_leaves(task, preempted);
    stretch->stack = 0;
    stretch->syscall = ~0U;
    stretch->in_iowait = 0;
    if (stretch->how == WC_OFF_CPU_ASLEEP) fill_sleep(ctx, task, stretch);
    if (stretch->how != WC_OFF_CPU_DEAD) return;
    send(stretch);
    __u32 tid = OF_TASK(task, pid);
    bpf_map_delete_elem(&stretches, &tid);
}

static __always_inline void arrive(struct wc_stretch* stretch) {
    if (!stretch || stretch->on_ns || has_enough(stretch)) return;
    stretch->on_ns = bpf_ktime_get_boot_ns();
    send(stretch);
    stretch->woken_ns = 0; /* it ended this sleep, and says nothing of the next */
}

/* It may not even have gone to sleep yet: the last time before it gets a CPU counts. The arguments of a
 * typed tracepoint lie on the stack (__bpf_trace_run), those of a classic one do not. */
static __always_inline void wake(struct wc_stretch* stretch, void* on_stack) {
    if (!stretch || has_enough(stretch)) return;
    struct task_struct* task = current_task();
    if (on_stack && does_it_itself(task, on_stack))
        describe_actor(task, &stretch->waker);
    else
        __builtin_memset(&stretch->waker, 0, sizeof(stretch->waker));
    stretch->woken_ns = bpf_ktime_get_boot_ns();
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_interval_switch, bool preempt, struct task_struct* previous, struct task_struct* next) {
    if (!capture_is_open) return 0;
    struct task_struct* task = current_task();
    if (is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE)) leave(ctx, task, preempt);
    if (is_followed(OF_TASK(next, tgid), WC_FOR_CAPTURE)) arrive(stretch_of(next));
    return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct* task) {
    if (capture_is_open && is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE)) wake(stretch_of(task), ctx);
    return 0;
}

/* Of other threads the classic tracepoints tell the id only: they are known once they have left a CPU. */
SEC("tracepoint/sched/sched_switch")
int on_classic_interval_switch(struct trace_event_raw_sched_switch* event) {
    if (!capture_is_open) return 0;
    struct task_struct* task = current_task();
    if (is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE)) leave(event, task, event->prev_state & TASK_REPORT_MAX);
    arrive(known_stretch(event->next_pid));
    return 0;
}

SEC("tracepoint/sched/sched_waking")
int on_classic_waking(struct trace_event_raw_sched_wakeup_template* event) {
    if (capture_is_open) wake(known_stretch(event->pid), NULL);
    return 0;
}
