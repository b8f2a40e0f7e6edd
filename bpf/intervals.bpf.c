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
    __type(value, struct wc_followed);
} stretches SEC(".maps");

/* An element to begin with: it is too large for the stack of a program. */
static const struct wc_followed no_stretch = {
    .stretch = {.header = {WC_KIND_STRETCH, sizeof(struct wc_stretch)}, .syscall = ~0U},
};

static __always_inline struct wc_followed* known_thread(__u32 tid) {
    return bpf_map_lookup_elem(&stretches, &tid);
}

static __always_inline struct wc_followed* followed_thread(struct task_struct* task) {
    __u32 tid = OF_TASK(task, pid);
    struct wc_followed* known = known_thread(tid);
    /* An id may have been an earlier thread's. */
    if (known && known->stretch.thread.start_ns == OF_TASK(task, start_boottime)) return known;
    if (bpf_map_update_elem(&stretches, &tid, &no_stretch, BPF_ANY)) {
        count(&lost_followed);
        return NULL;
    }
    struct wc_followed* fresh = known_thread(tid);
    if (!fresh) return NULL;
    describe_actor(task, &fresh->stretch.thread);
    fresh->stretch.leader_start_ns = leader_start_of(task);
    fresh->stretch.missed = was_paused;
    return fresh;
}

static __always_inline __u64 switches_of(struct task_struct* task) {
    return OF_TASK(task, nvcsw) + OF_TASK(task, nivcsw);
}

/* In this round. */
static __always_inline bool has_enough(struct wc_followed* thread) {
    if (thread->round != round_number) {
        thread->round = round_number;
        thread->in_round = 0;
    }
    return thread->in_round >= most_in_round;
}

static __always_inline void send(struct wc_followed* thread) {
    struct wc_stretch* stretch = &thread->stretch;
    stretch->sequence++;
    thread->in_round++;
    spend_record();
    if (bpf_ringbuf_output(&activity, stretch, sizeof(*stretch), BPF_RB_NO_WAKEUP)) count(&lost_activity);
    stretch->missed = 0;
}

/* As hash_memory(): numbers that count up are not looked at. */
static __always_inline bool has_same_top(const __u64* words, const struct wc_followed* thread) {
    for (__u32 i = 0; i < WC_TOP_WORDS; i++) {
        if (words[i] == thread->top[i]) continue;
        if (may_be_address(words[i]) || may_be_address(thread->top[i])) return false;
    }
    return true;
}

/* Whether a thread goes to sleep where it did the last time: its stack has been sent. */
static __always_inline bool sleeps_as_before(struct stack_room* room, const struct wc_followed* thread,
                                             const struct system_call* call, __u32 state) {
    struct wc_registers* registers = &room->stack.registers;
    if (!thread->stack || thread->pc != registers->pc || thread->sp != registers->sp) return false;
    if (thread->syscall != call->number || thread->state != state) return false;
    if (thread->in_iowait != thread->stretch.in_iowait || thread->pages != stack_pages) return false;
    if (call->number != ~0U)
        for (int i = 0; i < 4; i++)
            if (thread->arguments[i] != call->arguments[i]) return false;
    read_top(room->stack.bytes, sizeof(thread->top), registers->sp);
    return has_same_top((const __u64*)room->stack.bytes, thread);
}

static __always_inline void remember(struct stack_room* room, struct wc_followed* thread,
                                     const struct system_call* call, __u32 state) {
    thread->pc = room->stack.registers.pc;
    thread->sp = room->stack.registers.sp;
    thread->syscall = call->number;
    thread->state = state;
    thread->in_iowait = thread->stretch.in_iowait;
    thread->pages = stack_pages;
    __builtin_memcpy(thread->arguments, call->arguments, sizeof(thread->arguments));
    __builtin_memcpy(thread->top, room->stack.bytes, sizeof(thread->top));
}

static __always_inline __u64 fill_stack(void* ctx, struct task_struct* task, struct wc_followed* thread,
                                        const struct system_call* call, __u32 state) {
    struct stack_room* room = room_for(SLOT_SWITCH);
    if (!room) return 0;
    bool has_registers = read_registers(task, &room->frame, &room->stack.registers);
    if (has_registers && sleeps_as_before(room, thread, call, state)) return thread->stack;
    if (has_registers) {
        read_top(room->stack.bytes, sizeof(thread->top), room->stack.registers.sp);
        remember(room, thread, call, state);
    }
    begin_stack(&room->stack, task);
    bpf_probe_read_kernel_str(thread->stretch.thread.comm, sizeof(thread->stretch.thread.comm), task->comm);
    set_kernel_depth(&room->stack, bpf_get_stack(ctx, room->stack.kernel, sizeof(room->stack.kernel), 0));
    if (has_registers) copy_registers(&room->frame, &room->stack.registers);
    room->stack.has_registers = has_registers;
    __u64 stack = send_stack(&room->stack, &activity, &activity_stacks);
    thread->stack = has_registers ? stack : 0;
    return stack;
}

static __always_inline void fill_sleep(void* ctx, struct task_struct* task, struct wc_followed* thread,
                                       __u32 state) {
    struct wc_stretch* stretch = &thread->stretch;
    struct system_call call = {};
    stretch->in_iowait = BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
    if (read_system_call(task, &call) && call.number != ~0U) {
        stretch->syscall = call.number;
        __builtin_memcpy(stretch->arguments, call.arguments, sizeof(stretch->arguments));
        fill_sleep_file(task, (__u32)call.arguments[0], &stretch->file);
    }
    if (with_stacks) stretch->stack = fill_stack(ctx, task, thread, &call, state);
}

static __always_inline __u32 state_now(struct task_struct* task) {
    return bpf_core_field_exists(task->__state) ? OF_TASK(task, __state)
                                                : OF_TASK((struct task_struct___until_5_13*)task, state);
}

/* As in schedule.bpf.c: the task's own state tells until this switch is over. */
static __always_inline enum wc_off_cpu how_it_leaves(__u32 state, bool preempted) {
    if (state & TASK_DEAD) return WC_OFF_CPU_DEAD;
    return state == 0 || preempted ? WC_OFF_CPU_RUNNABLE : WC_OFF_CPU_ASLEEP;
}

/* The count of switches has this one in it (kernel/sched/core.c, __schedule): had the thread another one
 * since it was seen, that one was missed. */
static __always_inline void leave(void* ctx, struct task_struct* task, bool preempted) {
    struct wc_followed* thread = followed_thread(task);
    if (!thread) return;
    struct wc_stretch* stretch = &thread->stretch;
    __u64 switches = switches_of(task);
    if (stretch->switches && switches != stretch->switches + 1) stretch->missed = 1;
    __u32 state = state_now(task);
    stretch->switches = switches;
    stretch->left_ns = bpf_ktime_get_boot_ns();
    stretch->on_ns = 0;
    stretch->how = how_it_leaves(state, preempted);
    stretch->stack = 0;
    stretch->syscall = ~0U;
    stretch->in_iowait = 0;
    if (stretch->how == WC_OFF_CPU_ASLEEP && !has_enough(thread)) fill_sleep(ctx, task, thread, state);
    if (stretch->how != WC_OFF_CPU_DEAD) return;
    send(thread);
    __u32 tid = OF_TASK(task, pid);
    bpf_map_delete_elem(&stretches, &tid);
}

/* What is not known of the time before does not count. */
static __always_inline void forget_leaving(struct wc_stretch* stretch) {
    stretch->missed = 1;
    stretch->left_ns = 0;
    if (stretch->woken_ns < resumed_ns) stretch->woken_ns = 0;
}

/* `switches`: as when it left, when that was seen; 0 where they cannot be asked for. */
static __always_inline void arrive(struct wc_followed* thread, __u64 switches) {
    if (!thread) return;
    struct wc_stretch* stretch = &thread->stretch;
    bool moved = switches ? stretch->switches && switches != stretch->switches
                          : stretch->left_ns < resumed_ns || stretch->on_ns;
    if (moved)
        forget_leaving(stretch);
    else if (stretch->on_ns)
        return;
    if (switches) stretch->switches = switches;
    stretch->on_ns = bpf_ktime_get_boot_ns();
    if (has_enough(thread))
        stretch->missed = 1;
    else
        send(thread);
    stretch->woken_ns = 0; /* it ended this sleep, and says nothing of the next */
}

/* It may not even have gone to sleep yet: the last time before it gets a CPU counts. The arguments of a
 * typed tracepoint lie on the stack (__bpf_trace_run), those of a classic one do not. */
static __always_inline void wake(struct wc_followed* thread, void* on_stack) {
    if (!thread) return;
    struct wc_stretch* stretch = &thread->stretch;
    struct task_struct* task = current_task();
    if (on_stack && !has_enough(thread) && does_it_itself(task, on_stack))
        describe_actor(task, &stretch->waker);
    else
        __builtin_memset(&stretch->waker, 0, sizeof(stretch->waker));
    stretch->woken_ns = bpf_ktime_get_boot_ns();
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_interval_switch, bool preempt, struct task_struct* previous, struct task_struct* next) {
    if (!may_record()) return 0;
    struct task_struct* task = current_task();
    if (is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE)) leave(ctx, task, preempt);
    if (is_followed(OF_TASK(next, tgid), WC_FOR_CAPTURE)) arrive(followed_thread(next), switches_of(next));
    return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct* task) {
    if (may_record() && is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE)) wake(followed_thread(task), ctx);
    return 0;
}

/* A child of a followed process is followed before it gets a CPU for the first time: kernel_clone() traces
 * the fork before it wakes the new task. `current` is the parent. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
    struct task_struct* task = current_task();
    if (OF_TASK(child, tgid) == OF_TASK(task, tgid)) return 0;
    if (is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE))
        follow_process(child, WC_FOR_CAPTURE, &lost_children);
    return 0;
}

/* Of other threads the classic tracepoints tell the id only: they are known once they have left a CPU. */
SEC("tracepoint/sched/sched_switch")
int on_classic_interval_switch(struct trace_event_raw_sched_switch* event) {
    if (!may_record()) return 0;
    struct task_struct* task = current_task();
    if (is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE))
        leave(event, task, event->prev_state & TASK_REPORT_MAX);
    arrive(known_thread(event->next_pid), 0);
    return 0;
}

SEC("tracepoint/sched/sched_waking")
int on_classic_waking(struct trace_event_raw_sched_wakeup_template* event) {
    if (may_record()) wake(known_thread(event->pid), NULL);
    return 0;
}
