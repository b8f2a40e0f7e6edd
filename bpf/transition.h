/* SPDX-License-Identifier: BSD-2-Clause */
/* State changes: entry to CLOSE_WAIT and exit from it, whichever hook tells of them. */
#ifndef WAITCLOSE_TRANSITION_H
#define WAITCLOSE_TRANSITION_H

#include "opening.h"
#include "shared.h"

struct events_map {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 << 20);
};

extern struct events_map events SEC(".maps");

static __always_inline void send_transition(struct sock* sk, __u32 old_state, __u32 new_state, __u64 now) {
    struct wc_transition* record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count(&counters.lost_transitions);
        return;
    }
    record->header = (struct wc_header){WC_KIND_TRANSITION, sizeof(*record)};
    record->at_ns = now;
    record->old_state = old_state;
    record->new_state = new_state;
    describe_socket(sk, identity_of(sk), &record->socket);
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void send_entered(struct sock* sk, __u64 now) {
    count(&counters.entered);
    struct wc_entered* record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count(&counters.lost_entered);
        return;
    }
    record->header = (struct wc_header){WC_KIND_ENTERED, sizeof(*record)};
    record->at_ns = now;
    describe_socket(sk, identity_of(sk), &record->socket);
    /* The hook runs before the state is stored. */
    record->socket.state = TCP_CLOSE_WAIT;
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* Calls that use the descriptor in their first argument, may sleep, and take no descriptor away. */
static __always_inline bool moves_bytes(__u32 number) {
    switch (number) {
    case WC_NR_READ:
    case WC_NR_READV:
    case WC_NR_RECVFROM:
    case WC_NR_RECVMSG:
    case WC_NR_RECVMMSG:
    case WC_NR_WRITE:
    case WC_NR_WRITEV:
    case WC_NR_SENDTO:
    case WC_NR_SENDMSG:
    case WC_NR_SENDMMSG:
    case WC_NR_SENDFILE:
    case WC_NR_SPLICE: return true;
    default: return false;
    }
}

/*
 * Who lets go of a socket last need not be who closed it: a thread that was in a call on the descriptor while
 * another closed it keeps the socket until that call is over, and whoever reads a BPF iterator over files, as
 * waitclose does, keeps each for a moment. Who closed it is the other one if that is known, or nobody we
 * know. Descriptors have their numbers again and again, and processes too: a close() by an earlier process is
 * not meant.
 */
static __always_inline void name_who_called_close(struct sock* sk, struct task_struct* task, __u32 number,
                                                  struct wc_actor* closer) {
    if (!moves_bytes(number)) return;
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (seen && seen->let_go.actor.tgid == closer->tgid && seen->let_go.at_ns >= leader_start_of(task) &&
        (__u32)first_argument_at_exit(saved_registers(task)) == seen->let_go_fd)
        *closer = seen->let_go.actor;
    else
        __builtin_memset(closer, 0, sizeof(*closer));
}

/*
 * A program's close() or shutdown() sets both shutdown bits before it changes the state, in its own context.
 * Everything else that ends a hold (reset, timeout, ss -K) has set sk_err, or runs where `current` is
 * somebody else: there nobody is named.
 */
static __always_inline void send_left(struct sock* sk, __u32 new_state, __u64 now) {
    count(&counters.left);
    struct wc_left* record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count(&counters.lost_left);
        return;
    }
    record->header = (struct wc_header){WC_KIND_LEFT, sizeof(*record)};
    record->at_ns = now;
    record->cookie = identity_of(sk);
    record->netns = netns_of(sk);
    record->new_state = new_state;
    record->error = FOLLOW(sk, sk_err);
    __builtin_memset(&record->closer, 0, sizeof(record->closer));
    if (record->error && new_state != TCP_LAST_ACK) {
        record->end = WC_END_ERROR;
    } else if (FOLLOW(sk, sk_shutdown) == SHUTDOWN_MASK && FOLLOW(sk, sk_socket)) {
        struct task_struct* task = current_task();
        __u32 flags = OF_TASK(task, flags);
        record->end = flags & PF_EXITING ? WC_END_EXIT : WC_END_PROGRAM;
        if (!(flags & PF_KTHREAD)) describe_actor(task, &record->closer);
        struct system_call call;
        if (record->end == WC_END_PROGRAM && read_system_call(task, &call)) {
            if (call.number == WC_NR_SHUTDOWN) record->end = WC_END_SHUTDOWN;
            name_who_called_close(sk, task, call.number, &record->closer);
        }
    } else {
        record->end = WC_END_KERNEL;
    }
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* connect() moves CLOSE to SYN_SENT in the caller's context. */
static __always_inline void note_connect(struct sock* sk, __u64 now) {
    struct task_struct* task = current_task();
    if (OF_TASK(task, flags) & PF_KTHREAD) return;
    struct wc_touches fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.inode = inode_of(sk);
    describe_actor(task, &fresh.opened.actor);
    fresh.opened.at_ns = now;
    fresh.opened_by = WC_OPERATION_CONNECT;
    store_touches(sk, &fresh);
    if (opening_stacks) send_opening(sk, task, identity_of(sk), &fresh, SLOT_CONNECT);
}

static __always_inline void send_selected(struct sock* sk, int old_state, int new_state) {
    __u64 now = bpf_ktime_get_boot_ns();
    if (all_transitions) send_transition(sk, old_state, new_state, now);
    if (new_state == TCP_CLOSE_WAIT)
        send_entered(sk, now);
    else if (old_state == TCP_CLOSE_WAIT)
        send_left(sk, new_state, now);
    else if (new_state == TCP_SYN_SENT)
        note_connect(sk, now);
}

static __always_inline void note_transition(void* any, int old_state, int new_state) {
    bool of_interest = old_state == TCP_CLOSE_WAIT || new_state == TCP_CLOSE_WAIT ||
                       new_state == TCP_SYN_SENT || new_state == TCP_CLOSE || all_transitions;
    struct sock* sk = of_interest ? tcp_of(any) : NULL;
    if (!sk) return;
    __u64 address = (__u64)sk;
    if (new_state == TCP_CLOSE) bpf_map_delete_elem(&touches, &address);
    if ((new_state != TCP_CLOSE || old_state == TCP_CLOSE_WAIT || all_transitions) && is_selected(sk))
        send_selected(sk, old_state, new_state);
    if (own_identities && new_state == TCP_CLOSE) bpf_map_delete_elem(&identities, &address);
}

#endif
