/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes whose threads are followed over a window. */
#ifndef WAITCLOSE_SCHEDULE_H
#define WAITCLOSE_SCHEDULE_H

#include "shared.h"

#define WC_FOLLOWED_BITS 65536

/* The processes whose threads are wanted: by a census from the descriptors, by a capture as it is told. */
struct wanted_processes_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1 << 13);
    __type(key, __u32);
    __type(value, __u8);
};

extern volatile bool marks_processes; /* a census marks the processes it reads threads of */
extern volatile bool window_is_open;

/* By the kernel's own number, with a bitmap before it: every switch of the machine asks, and hardly one is
 * meant. */
struct followed_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 13);
    __type(key, __u32);
    __type(value, __u8);
};

extern struct followed_map followed_processes SEC(".maps");
extern volatile __u8 followed_bits[WC_FOLLOWED_BITS / 8];

/* Of a task that an iterator gives. */
static __always_inline __u32 state_of(struct task_struct* task) {
    if (bpf_core_field_exists(task->__state)) return task->__state;
    return ((struct task_struct___until_5_13*)task)->state;
}

static __always_inline __u8 has_cpu(struct task_struct* task) {
    if (!bpf_core_field_exists(task->on_cpu)) return WC_ON_CPU_UNKNOWN;
    return task->on_cpu ? WC_ON_CPU_YES : WC_ON_CPU_NO;
}

/* Why a process is followed. */
#define WC_FOR_WINDOW 1U  /* it was marked by a census */
#define WC_FOR_CAPTURE 2U /* the capture is about it */

/* `lost` counts processes that find no room. */
static __always_inline void follow_process(struct task_struct* task, __u8 purpose, __u64* lost) {
    __u32 process = OF_TASK(task, tgid);
    __u8* known = bpf_map_lookup_elem(&followed_processes, &process);
    if (known) {
        *known |= purpose;
        return;
    }
    if (bpf_map_update_elem(&followed_processes, &process, &purpose, BPF_ANY)) {
        count(lost);
        return;
    }
    followed_bits[process % WC_FOLLOWED_BITS >> 3] |= 1 << (process & 7);
}

static __always_inline bool is_followed(__u32 process, __u8 purpose) {
    if (!(followed_bits[process % WC_FOLLOWED_BITS >> 3] & 1 << (process & 7))) return false;
    const __u8* known = bpf_map_lookup_elem(&followed_processes, &process);
    return known && *known & purpose;
}

#endif
