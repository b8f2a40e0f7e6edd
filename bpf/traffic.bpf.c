/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes, in the caller's context: who touched a socket last, who read its end-of-file. */
#include "shared.h"

/* Carries over who accepted the socket, where that was seen in a place that had only its address. */
static __always_inline void adopt_papers(struct sock *sk, struct wc_touches *seen)
{
    __u64 address = (__u64)sk;
    struct wc_papers *known = bpf_map_lookup_elem(&papers, &address);
    if (!known || !known->inode || known->inode != inode_of(sk))
        return;
    seen->opened = known->opened;
    if (!known->let_go.at_ns)
        bpf_map_delete_elem(&papers, &address);
}

/* A return of 0 alone does not prove end-of-file: a read of no bytes returns it too. */
static __always_inline bool has_consumed_fin(struct sock *sk)
{
    if (sk->__sk_common.skc_state != TCP_CLOSE_WAIT)
        return false;
    struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
    return tcp && tcp->rcv_nxt == tcp->copied_seq;
}

static __always_inline void touch(struct sock *sk, int result, int flags, __u32 operation)
{
    if (result < 0 || !sk || !is_tcp(sk) || !is_selected(&sk->__sk_common))
        return;
    struct task_struct *task = bpf_get_current_task_btf();
    if (task->flags & PF_KTHREAD)
        return;
    struct wc_touches *seen = bpf_sk_storage_get(&touches, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!seen) {
        count(&counters.lost_storage);
        return;
    }
    if (!seen->last.at_ns && !seen->opened.at_ns)
        adopt_papers(sk, seen);
    if (seen->last.actor.start_ns != task->start_boottime || seen->last.actor.tid != thread_id(task))
        describe_actor(task, &seen->last.actor);
    seen->last.at_ns = bpf_ktime_get_boot_ns();
    seen->last.operation = operation;

    if (operation == WC_OPERATION_WRITE) {
        if (sk->__sk_common.skc_state == TCP_CLOSE_WAIT)
            seen->sent_since_fin += result;
    } else if (result == 0 && !(flags & MSG_PEEK) && has_consumed_fin(sk)) {
        if (!seen->eof_reads)
            seen->eof = seen->last;
        seen->eof_reads++;
    }
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int result, int flags)
{
    touch(sk, result, flags, WC_OPERATION_READ);
    return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int result, int flags)
{
    touch(sk, result, flags, WC_OPERATION_WRITE);
    return 0;
}
