/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in its program a thread opens a socket. */
#ifndef WAITCLOSE_OPENING_H
#define WAITCLOSE_OPENING_H

#include "stacks.h"

struct openings_map {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 << 20);
};

extern struct openings_map openings SEC(".maps");
/* As sent_stacks_map, but userspace keeps these all the time. */
struct opening_sent_map {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1 << 11);
    __type(key, __u64);
    __type(value, __u8);
};

extern struct opening_sent_map opening_sent SEC(".maps");

extern const volatile bool opening_stacks;
extern __u64 lost_openings; /* had no room in the ring buffer */

static __always_inline __u64 take_opening_stack(struct task_struct* task, __u32 slot) {
    struct stack_room* room = room_for(slot);
    if (!room) return 0;
    begin_stack(&room->stack, task);
    room->stack.has_registers = read_registers(task, &room->frame, &room->stack.registers);
    return send_stack(&room->stack, &openings, &opening_sent);
}

/* `cookie`: 0 where it cannot be asked for. */
static __always_inline void send_opening(struct sock* sk, struct task_struct* task, __u64 cookie,
                                         const struct wc_touches* touched, __u32 slot) {
    if (!opening_stacks || !is_selected(sk)) return;
    __u64 stack = take_opening_stack(task, slot);
    struct wc_opening* record = bpf_ringbuf_reserve(&openings, sizeof(*record), 0);
    if (!record) {
        count(&lost_openings);
        return;
    }
    record->header = (struct wc_header){WC_KIND_OPENING, sizeof(*record)};
    record->at_ns = touched->opened.at_ns;
    record->cookie = cookie;
    record->address = (__u64)sk;
    record->inode = touched->inode;
    record->stack = stack;
    record->netns = netns_of(sk);
    record->operation = touched->opened_by;
    record->actor = touched->opened.actor;
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

#endif
