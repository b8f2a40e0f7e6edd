/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the threads of a capture are when the sampling clock of their CPU ticks. */
#define WC_POINTERS_ARE_PLAIN
#include "activity.h"

static __always_inline __u64 take_stack(struct wc_sampled* sampled, struct task_struct* task) {
    struct stack_room* room = room_for(SLOT_SAMPLE);
    if (!room) return 0;
    struct wc_stack* stack = &room->stack;
    begin_stack(stack, task);
    set_kernel_depth(stack, bpf_get_stack(sampled, stack->kernel, sizeof(stack->kernel), 0));
    if (is_of_program(&sampled->frame)) {
        copy_registers(&sampled->frame, &stack->registers);
        stack->has_registers = 1;
    } else {
        stack->has_registers = read_registers(task, &room->frame, &stack->registers);
    }
    return send_stack(stack, &activity, &activity_stacks);
}

SEC("perf_event")
int on_sample(struct wc_sampled* sampled) {
    if (!may_record()) return 0;
    struct task_struct* task = current_task();
    if (!is_followed(OF_TASK(task, tgid), WC_FOR_CAPTURE)) return 0;
    struct wc_sample record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_SAMPLE, sizeof(record)};
    record.at_ns = bpf_ktime_get_boot_ns();
    record.leader_start_ns = leader_start_of(task);
    describe_actor(task, &record.thread);
    record.stack = take_stack(sampled, task);
    spend_record();
    if (bpf_ringbuf_output(&activity, &record, sizeof(record), BPF_RB_NO_WAKEUP)) count(&lost_activity);
    return 0;
}
