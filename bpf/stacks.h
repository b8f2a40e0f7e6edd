/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack of the current thread, sent once for each that is different: its id is a hash of it. What is
 * beyond the kernel is unwound in userspace, which takes the registers and the memory of the stack: programs
 * without frame pointers have to be understood, too.
 */
#ifndef WAITCLOSE_STACKS_H
#define WAITCLOSE_STACKS_H

#include "registers.h"

#define HASHED_BYTES 1024

/* What can interrupt one another on one CPU has room of its own. */
enum stack_slot { SLOT_SWITCH, SLOT_SAMPLE, SLOT_ACCEPT, SLOT_CONNECT, SLOTS };

struct stack_room {
    struct wc_frame frame;
    struct wc_stack stack;
};

struct stack_rooms_map {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, __u32);
    __type(value, struct stack_room);
};

/* The ids of what was sent; one that was forgotten is sent again. */
struct sent_stacks_map {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1 << 14);
    __type(key, __u64);
    __type(value, __u8);
};

extern struct stack_rooms_map stack_rooms SEC(".maps");

extern volatile __u32 stack_pages; /* how much is read of the memory of a stack at most */
extern __u64 lost_stacks;          /* had no room in the ring buffer */

static __always_inline struct stack_room* room_for(__u32 slot) {
    return bpf_map_lookup_elem(&stack_rooms, &slot);
}

static __always_inline void begin_stack(struct wc_stack* out, struct task_struct* task) {
    out->at_ns = bpf_ktime_get_boot_ns();
    out->start_ns = OF_TASK(task, start_boottime);
    out->tgid = process_id(task);
    out->tid = thread_id(task);
    out->kernel_depth = 0;
    out->has_registers = 0;
    out->byte_count = 0;
    out->reserved = 0;
    __builtin_memset(&out->registers, 0, sizeof(out->registers));
    __builtin_memset(out->kernel, 0, sizeof(out->kernel));
}

static __always_inline void set_kernel_depth(struct wc_stack* out, long bytes) {
    out->kernel_depth = bytes > 0 ? (__u64)bytes / sizeof(__u64) : 0;
}

static __always_inline __u64 mix(__u64 hash, __u64 word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

/*
 * No return address is small or not canonical: numbers that count up while a program loops do not make
 * another stack of it.
 */
static __always_inline bool may_be_address(__u64 word) {
    return word >= 0x10000 && word < 1ULL << 48;
}

/* What cannot be read counts as zero: a copy that fails writes zeros. */
static __always_inline void read_top(__u8* out, __u32 size, __u64 sp) {
    __u64 first = WC_STACK_PAGE - (sp & (WC_STACK_PAGE - 1));
    if (first >= size) {
        bpf_probe_read_user(out, size, (void*)sp);
    } else {
        bpf_probe_read_user(out, first, (void*)sp);
        bpf_probe_read_user(out + first, size - first, (void*)(sp + first));
    }
}

/* Reads as much of the upper end as tells stacks apart. What cannot be read counts as zero. */
static __always_inline __u64 hash_memory(struct wc_stack* out, __u64 hash) {
    read_top(out->bytes, HASHED_BYTES, out->registers.sp);
    const __u64* words = (const __u64*)out->bytes;
    for (__u32 i = 0; i < HASHED_BYTES / sizeof(__u64); i++)
        if (may_be_address(words[i])) hash = mix(hash, words[i]);
    return hash;
}

static __always_inline __u64 hash_stack(struct wc_stack* out) {
    __u64 hash = mix(out->tgid, out->registers.pc);
    hash = mix(hash, out->registers.sp);
    for (__u32 i = 0; i < WC_KERNEL_DEPTH; i++) {
        if (!out->kernel[i]) break;
        hash = mix(hash, out->kernel[i]);
    }
    if (out->has_registers && stack_pages) hash = hash_memory(out, hash);
    return hash ? hash : 1;
}

/* Page by page, up to the first that is not in memory: nothing may sleep here. */
static __always_inline void read_bytes(struct wc_stack* out) {
    __u64 sp = out->registers.sp;
    __u64 got = WC_STACK_PAGE - (sp & (WC_STACK_PAGE - 1));
    __u32 pages = stack_pages;
    if (!pages || bpf_probe_read_user(out->bytes, got, (void*)sp)) return;
    out->byte_count = got;
#pragma unroll
    for (__u32 i = 1; i < WC_STACK_PAGES; i++) {
        if (i >= pages || got > WC_STACK_BYTES - WC_STACK_PAGE) return;
        if (bpf_probe_read_user(out->bytes + got, WC_STACK_PAGE, (void*)(sp + got))) return;
        got += WC_STACK_PAGE;
        out->byte_count = got;
    }
}

/* Gives the id of what has been filled in, after it is sent where it is new; 0 when it could not be. */
static __always_inline __u64 send_stack(struct wc_stack* out, void* ring, void* sent) {
    if (!out->has_registers && !out->kernel_depth) return 0;
    __u64 id = hash_stack(out);
    if (bpf_map_lookup_elem(sent, &id)) return id;
    if (out->has_registers) read_bytes(out);
    out->id = id;
    __u64 size = (__builtin_offsetof(struct wc_stack, bytes) + out->byte_count + 7) & ~7ULL;
    out->header = (struct wc_header){WC_KIND_STACK, size};
    if (size > sizeof(*out) || bpf_ringbuf_output(ring, out, size, BPF_RB_NO_WAKEUP)) {
        count(&lost_stacks);
        return 0;
    }
    __u8 yes = 1;
    bpf_map_update_elem(sent, &id, &yes, BPF_ANY);
    return id;
}

#endif
