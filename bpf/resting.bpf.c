/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a capture as they are now: asleep in what, with which registers. */
#define WC_POINTERS_ARE_PLAIN
#include "activity.h"
#include "sleep_file.h"

extern struct wanted_processes_map wanted_processes SEC(".maps");

struct resting_room {
    struct wc_frame frame;
    struct wc_resting record;
};

/* A record is too large for the stack of a program; one program fills one at a time. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct resting_room);
} resting_rooms SEC(".maps");

static __always_inline void fill_call(struct task_struct* task, struct wc_resting* out) {
    struct system_call call = {};
    out->syscall = ~0U;
    if (!read_system_call(task, &call) || call.number == ~0U) return;
    out->syscall = call.number;
    __builtin_memcpy(out->arguments, call.arguments, sizeof(out->arguments));
    fill_sleep_file(task, (__u32)call.arguments[0], &out->file);
}

/* As in a census: not of one that exits. */
static __always_inline void fill_kernel_stack(struct task_struct* task, struct wc_resting* out) {
    if (!out->state || out->exit_state || out->flags & PF_EXITING) return;
    long bytes = bpf_get_task_stack(task, out->kernel, sizeof(out->kernel), 0);
    out->kernel_depth = bytes > 0 ? (__u64)bytes / sizeof(__u64) : 0;
}

static __always_inline int take(struct bpf_iter__task* ctx, bool with_kernel_stack) {
    struct task_struct* task = ctx->task;
    if (!task || task->flags & PF_KTHREAD) return 0;
    __u32 process = process_id(task);
    if (!process || !bpf_map_lookup_elem(&wanted_processes, &process)) return 0;
    __u32 only = 0;
    struct resting_room* room = bpf_map_lookup_elem(&resting_rooms, &only);
    if (!room) return 0;
    struct wc_resting* record = &room->record;
    if (marks_processes) follow_process(task, WC_FOR_CAPTURE, &counters.lost_storage);
    __builtin_memset(record, 0, sizeof(*record));
    record->header = (struct wc_header){WC_KIND_RESTING, sizeof(*record)};
    describe_actor(task, &record->thread);
    record->leader_start_ns = leader_start_of(task);
    record->taken_ns = bpf_ktime_get_boot_ns();
    record->switches = task->nvcsw + task->nivcsw;
    record->state = state_of(task);
    record->exit_state = task->exit_state;
    record->flags = task->flags;
    if (bpf_core_field_exists(task->frozen)) record->frozen = BPF_CORE_READ_BITFIELD_PROBED(task, frozen);
    record->in_iowait = BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
    record->on_cpu = has_cpu(task);
    fill_call(task, record);
    record->has_registers = read_registers(task, &room->frame, &record->registers);
    if (with_kernel_stack) fill_kernel_stack(task, record);
    bpf_seq_write(ctx->meta->seq, record, sizeof(*record));
    return 0;
}

SEC("iter/task")
int capture_threads_and_stacks(struct bpf_iter__task* ctx) {
    return take(ctx, true);
}

SEC("iter/task")
int capture_threads(struct bpf_iter__task* ctx) {
    return take(ctx, false);
}
