/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes, in the caller's context: who touched a socket last, who read its end-of-file. */
#include "shared.h"

/* A return of 0 alone does not prove end-of-file: a read of no bytes returns it too. */
static __always_inline bool has_consumed_fin(struct sock* sk) {
    struct tcp_sock* tcp = (struct tcp_sock*)sk;
    return tcp->rcv_nxt == tcp->copied_seq;
}

static __always_inline void update(struct wc_touches* seen, struct sock* sk, struct task_struct* task,
                                   int result, int flags, __u32 operation) {
    if (seen->last.actor.start_ns != task->start_boottime || seen->last.actor.tid != thread_id(task))
        describe_actor(task, &seen->last.actor);
    seen->last.at_ns = bpf_ktime_get_boot_ns();
    seen->last_was = operation;
    if (sk->__sk_common.skc_state != TCP_CLOSE_WAIT) return;
    if (operation == WC_OPERATION_WRITE) {
        seen->sent_since_fin += result;
    } else if (result == 0 && !(flags & MSG_PEEK) && has_consumed_fin(sk)) {
        if (!seen->eof_reads) seen->eof = seen->last;
        seen->eof_reads++;
    }
}

static __always_inline void touch(struct sock* any, int result, int flags, __u32 operation) {
    struct sock* sk = result < 0 ? NULL : tcp_of(any);
    if (!sk || !is_selected(sk)) return;
    struct task_struct* task = bpf_get_current_task_btf();
    if (task->flags & PF_KTHREAD) return;
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

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock* sk, int result, int flags) {
    touch(sk, result, flags, WC_OPERATION_READ);
    return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock* sk, int result, int flags) {
    touch(sk, result, flags, WC_OPERATION_WRITE);
    return 0;
}
