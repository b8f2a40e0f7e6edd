/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel-side files share: settings, maps, and the reading of sockets and tasks. */
#ifndef WAITCLOSE_SHARED_H
#define WAITCLOSE_SHARED_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "records.h"

/* Set before load. */
extern const volatile struct wc_filter filter;
extern const volatile bool all_transitions;
extern const volatile bool tracing;
extern const volatile bool want_peers; /* look for the other ends of held connections, too */

/* waitclose's own PID namespace, learned by the first census: its depth, and its address unless at the top.
 */
extern volatile __u32 pid_level;
extern volatile __u64 pid_namespace;

/* Set before the first census. */
extern volatile __u64 census_number;
extern volatile __u64 tick_ns;

extern struct wc_counters counters;

/*
 * What threads did to sockets, keyed by the address of the sock: the only thing at hand in a system call's
 * tracepoint, where bpf_sk_storage_get refuses the pointer. An entry goes when its socket reaches CLOSE.
 * A lookup costs a third of what creating sk-local storage for every connection does (6.18: 60 against 290
 * ns); allocated beforehand, an entry is still in the cache when it is used again, and softirq cannot fail to
 * get one.
 */
struct touches_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 18);
    __type(key, __u64);
    __type(value, struct wc_touches);
};

extern struct touches_map touches SEC(".maps");

static __always_inline void count(__u64* counter) {
    __sync_fetch_and_add(counter, 1);
}

/*
 * The same socket as the kernel's TCP type, NULL when it is none. Through this pointer fields and further
 * pointers are read directly: for a pointer the verifier calls trusted, as hooks and iterators give it, every
 * pointer followed makes it search the whole BTF by name (btf_nested_type_is_trusted, since 6.3), a
 * millisecond of the start each.
 */
static __always_inline struct sock* tcp_of(void* sk) {
    return (struct sock*)bpf_skc_to_tcp_sock(sk);
}

/* An IPv4 connection, also when it runs on an IPv6 (dual-stack) socket. */
static __always_inline bool speaks_ipv4(const struct sock* sock) {
    const struct sock_common* sk = &sock->__sk_common;
    if (sk->skc_family == AF_INET) return true;
    return sk->skc_v6_daddr.in6_u.u6_addr32[0] == 0 && sk->skc_v6_daddr.in6_u.u6_addr32[1] == 0 &&
           sk->skc_v6_daddr.in6_u.u6_addr32[2] == bpf_htonl(0xffffU);
}

/* The verifier of 6.12 and before forgets what a byte swap can give; this mask tells it, and clang cannot
 * drop it. */
static __always_inline bool has_bit(const volatile __u8* bitmap, __u16 port) {
    __u32 index = port;
    asm volatile("%0 &= 0xffff" : "+r"(index));
    return bitmap[index >> 3] & (1 << (index & 7));
}

static __always_inline __u32 netns_of(const struct sock* sk) {
    return sk->__sk_common.skc_net.net->ns.inum;
}

/*
 * skc_num is the port in host order, but is 0 already when a socket that bound itself moves to CLOSE
 * (tcp_set_state calls inet_put_port first); inet_sport still has it.
 */
static __always_inline __u16 local_port_of(const struct sock* sk) {
    __u16 port = sk->__sk_common.skc_num;
    return port ? port : bpf_ntohs(BPF_CORE_READ((const struct inet_sock*)sk, inet_sport));
}

/* Whether the user asked for this socket. */
static __always_inline bool is_selected(const struct sock* sk) {
    if (filter.by_local_port && !has_bit(filter.local_ports, local_port_of(sk))) return false;
    if (filter.by_remote_port && !has_bit(filter.remote_ports, bpf_ntohs(sk->__sk_common.skc_dport)))
        return false;
    if (!filter.ipv4 && speaks_ipv4(sk)) return false;
    if (!filter.ipv6 && !speaks_ipv4(sk)) return false;
    return !filter.netns || netns_of(sk) == filter.netns;
}

/* Writes every byte of `out`. */
static __always_inline void describe_socket(const struct sock* sock, __u64 cookie, struct wc_socket* out) {
    const struct sock_common* sk = &sock->__sk_common;
    __builtin_memset(out, 0, sizeof(*out));
    out->cookie = cookie;
    out->address = (__u64)sock;
    out->netns = netns_of(sock);
    out->local_port = local_port_of(sock);
    out->remote_port = bpf_ntohs(sk->skc_dport);
    out->state = sk->skc_state;
    if (speaks_ipv4(sock)) {
        out->family = AF_INET;
        __builtin_memcpy(out->local, (const void*)&sk->skc_rcv_saddr, 4);
        __builtin_memcpy(out->remote, (const void*)&sk->skc_daddr, 4);
    } else {
        out->family = AF_INET6;
        BPF_CORE_READ_INTO(&out->local, sk, skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO(&out->remote, sk, skc_v6_daddr);
    }
}

/* Where a struct pid keeps its id in the namespaces of one depth. */
static __always_inline const void* upid_at(struct pid* pid, __u32 level) {
    const void* numbers = __builtin_preserve_access_index(&pid->numbers);
    return numbers + level * bpf_core_type_size(struct upid);
}

/* The id of a struct pid in waitclose's own PID namespace; 0 where it has none there. */
static __always_inline __u32 id_in_our_namespace(struct pid* pid) {
    if (!pid || BPF_CORE_READ(pid, level) < pid_level) return 0;
    const struct upid* ours = upid_at(pid, pid_level);
    if ((__u64)BPF_CORE_READ(ours, ns) != pid_namespace) return 0;
    return BPF_CORE_READ(ours, nr);
}

static __always_inline __u32 thread_id(struct task_struct* task) {
    return pid_level ? id_in_our_namespace(BPF_CORE_READ(task, thread_pid)) : (__u32)task->pid;
}

static __always_inline __u32 process_id(struct task_struct* task) {
    return pid_level ? id_in_our_namespace(BPF_CORE_READ(task, group_leader, thread_pid)) : (__u32)task->tgid;
}

/* Writes every byte of `out`. Only for tasks that act in their own context: never from softirq. */
static __always_inline void describe_actor(struct task_struct* task, struct wc_actor* out) {
    __builtin_memset(out, 0, sizeof(*out));
    out->start_ns = task->start_boottime;
    out->tgid = process_id(task);
    out->tid = thread_id(task);
    bpf_probe_read_kernel_str(out->comm, sizeof(out->comm), task->comm);
}

/* The inode number of the socket's file; 0 when it has none (never accepted, or the kernel's own). */
static __always_inline __u64 inode_of(const struct sock* sk) {
    struct socket* socket = sk->sk_socket;
    struct file* file = socket ? socket->file : NULL;
    return file ? file->f_inode->i_ino : 0;
}

static __always_inline void store_touches(const struct sock* sk, const struct wc_touches* fresh) {
    __u64 address = (__u64)sk;
    if (bpf_map_update_elem(&touches, &address, fresh, BPF_ANY)) count(&counters.lost_storage);
}

#endif
