/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes, in the caller's context: who touched a socket last, who read its end-of-file. */
#ifndef WAITCLOSE_TOUCH_H
#define WAITCLOSE_TOUCH_H

#include "shared.h"

/* The result of a write that is only about to begin. */
#define RESULT_IS_TO_COME 0x7fffffff

/* A return of 0 alone does not prove end-of-file: a read of no bytes returns it too. */
static __always_inline bool has_consumed_fin(struct sock* sk) {
    struct tcp_sock* tcp = (struct tcp_sock*)sk;
    return FOLLOW(tcp, rcv_nxt) == FOLLOW(tcp, copied_seq);
}

/* How much was sent since the FIN is then read off the sequence numbers: here for what came before, by the
 * census for the rest. */
static __always_inline void note_write_to_come(struct wc_touches* seen, struct sock* sk) {
    __u32 write_seq = FOLLOW((struct tcp_sock*)sk, write_seq);
    if (!seen->counts_by_sequence) {
        seen->counts_by_sequence = 1;
        seen->first_write_seq = write_seq;
    }
    seen->sent_since_fin = write_seq - seen->first_write_seq;
}

static __always_inline void update(struct wc_touches* seen, struct sock* sk, struct task_struct* task,
                                   int result, int flags, __u32 operation) {
    if (seen->last.actor.start_ns != OF_TASK(task, start_boottime) || seen->last.actor.tid != thread_id(task))
        describe_actor(task, &seen->last.actor);
    seen->last.at_ns = bpf_ktime_get_boot_ns();
    seen->last_was = operation;
    if (FOLLOW(sk, __sk_common.skc_state) != TCP_CLOSE_WAIT) return;
    if (operation == WC_OPERATION_WRITE) {
        if (result == RESULT_IS_TO_COME)
            note_write_to_come(seen, sk);
        else
            seen->sent_since_fin += result;
    } else if (result == 0 && has_consumed_fin(sk)) {
        if (!seen->eof_reads) seen->eof = seen->last;
        seen->eof_reads++;
    }
}

static __always_inline void touch(void* any, int result, int flags, __u32 operation) {
    /* Who only looks ahead has not taken anything: whoever reads it later handles it. */
    if (operation == WC_OPERATION_READ && flags & MSG_PEEK) return;
    struct sock* sk = result < 0 ? NULL : tcp_of(any);
    if (!sk || !is_selected(sk)) return;
    struct task_struct* task = current_task();
    if (OF_TASK(task, flags) & PF_KTHREAD) return;
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (seen) {
        update(seen, sk, task, result, flags, operation);
        return;
    }
    /* Opened before the tracer, or in a way it does not see. */
    struct wc_touches fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.inode = inode_of(sk);
    update(&fresh, sk, task, result, flags, operation);
    store_touches(sk, &fresh);
}

#endif
