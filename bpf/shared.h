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
extern const volatile bool want_peers;     /* look for the other ends of held connections, too */
extern const volatile bool own_identities; /* sockets cannot be asked for their cookies: see identity_of */

/* waitclose's own PID namespace, learned by the first census: its depth, and its address unless at the top.
 */
extern volatile __u32 pid_level;
extern volatile __u64 pid_namespace;

/* Set before the first census. */
extern volatile __u64 census_number;
extern volatile __u64 tick_ns;

extern struct wc_counters counters;

/* A set of keys that userspace fills: what it asks a census for. */
#define WC_SET(name, key_type, most)          \
    struct {                                  \
        __uint(type, BPF_MAP_TYPE_HASH);      \
        __uint(map_flags, BPF_F_NO_PREALLOC); \
        __uint(max_entries, most);            \
        __type(key, key_type);                \
        __type(value, __u8);                  \
    } name SEC(".maps")

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

/* The identities that own_identities asks for, by address; one goes when its socket reaches CLOSE. */
struct identities_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 18);
    __type(key, __u64);
    __type(value, __u64);
};

extern struct identities_map identities SEC(".maps");

static __always_inline void count(__u64* counter) {
    __sync_fetch_and_add(counter, 1);
}

/* ---- how a field behind a pointer is read ---------------------------------------------------------------
 * FOLLOW(pointer, field), FOLLOW(pointer, field, next), ...: fields of fields, a comma for each pointer on
 * the way. Where the verifier knows a pointer's type (hooks with BTF, iterators) it is an ordinary load;
 * elsewhere (kprobes, classic tracepoints, what hangs on a void*) a helper has to copy. A file whose pointers
 * are of the second kind says so before it includes this one.
 */
#define FOLLOW_1(pointer, a) ((pointer)->a)
#define FOLLOW_2(pointer, a, b) ((pointer)->a->b)
#define FOLLOW_3(pointer, a, b, c) ((pointer)->a->b->c)
#define FOLLOW_BY_COUNT(_1, _2, _3, name, ...) name
#define FOLLOW_DIRECTLY(pointer, ...) \
    FOLLOW_BY_COUNT(__VA_ARGS__, FOLLOW_3, FOLLOW_2, FOLLOW_1)(pointer, __VA_ARGS__)

#ifdef WC_POINTERS_ARE_PLAIN
#define FOLLOW(pointer, ...) BPF_CORE_READ(pointer, __VA_ARGS__)
#else
#define FOLLOW(pointer, ...) FOLLOW_DIRECTLY(pointer, __VA_ARGS__)
#endif

/* Before 5.11 the current task is a plain pointer everywhere. */
#define HAS_TYPED_TASKS bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)
#define OF_TASK(task, ...) \
    (HAS_TYPED_TASKS ? FOLLOW_DIRECTLY(task, __VA_ARGS__) : BPF_CORE_READ(task, __VA_ARGS__))

/* ---- sockets --------------------------------------------------------------------------------------------
 */

/*
 * The same socket as the kernel's TCP type, NULL when it is none. Through this pointer fields and further
 * pointers are read directly: for a pointer the verifier calls trusted, as hooks and iterators give it, every
 * pointer followed makes it search the whole BTF by name (btf_nested_type_is_trusted, since 6.3), a
 * millisecond of the start each.
 */
static __always_inline struct sock* tcp_of(void* any) {
#ifdef WC_POINTERS_ARE_PLAIN
    struct sock* sk = any;
    if (!sk || FOLLOW(sk, sk_protocol) != IPPROTO_TCP) return NULL;
    __u16 family = FOLLOW(sk, __sk_common.skc_family);
    return family == AF_INET || family == AF_INET6 ? sk : NULL;
#else
    return (struct sock*)bpf_skc_to_tcp_sock(any);
#endif
}

/*
 * A socket's cookie. Tracing programs can ask for it since 5.12 (c5dbb89fc2ac), kprobes and classic
 * tracepoints cannot, and reading the field finds 0 until somebody asked. Without it a socket gets an
 * identity of our own when it is first seen, good while the socket lives: the time, the CPU, and a bit that
 * no cookie has.
 */
static __always_inline __u64 identity_of(void* sk) {
    if (!own_identities) return bpf_get_socket_cookie(sk);
    __u64 address = (__u64)sk;
    __u64* known = bpf_map_lookup_elem(&identities, &address);
    if (known) return *known;
    __u64 fresh = WC_OWN_IDENTITY | (bpf_ktime_get_boot_ns() << 8 & ~WC_OWN_IDENTITY) |
                  (bpf_get_smp_processor_id() & 0xff);
    if (!bpf_map_update_elem(&identities, &address, &fresh, BPF_NOEXIST)) return fresh;
    known = bpf_map_lookup_elem(&identities, &address);
    if (known) return *known;
    count(&counters.lost_storage);
    return fresh;
}

/* An IPv4 connection, also when it runs on an IPv6 (dual-stack) socket. */
static __always_inline bool speaks_ipv4(const struct sock* sk) {
    if (FOLLOW(sk, __sk_common.skc_family) == AF_INET) return true;
    return FOLLOW(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[0]) == 0 &&
           FOLLOW(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[1]) == 0 &&
           FOLLOW(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[2]) == bpf_htonl(0xffffU);
}

/* The verifier of 6.12 and before forgets what a byte swap can give; this mask tells it, and clang cannot
 * drop it. */
static __always_inline bool has_bit(const volatile __u8* bitmap, __u16 port) {
    __u32 index = port;
    asm volatile("%0 &= 0xffff" : "+r"(index));
    return bitmap[index >> 3] & (1 << (index & 7));
}

static __always_inline __u32 netns_of(const struct sock* sk) {
    return FOLLOW(sk, __sk_common.skc_net.net, ns.inum);
}

/*
 * skc_num is the port in host order, but is 0 already when a socket that bound itself moves to CLOSE
 * (tcp_set_state calls inet_put_port first); inet_sport still has it.
 */
static __always_inline __u16 local_port_of(const struct sock* sk) {
    __u16 port = FOLLOW(sk, __sk_common.skc_num);
    return port ? port : bpf_ntohs(BPF_CORE_READ((const struct inet_sock*)sk, inet_sport));
}

/* Whether the user asked for this socket. */
static __always_inline bool is_selected(const struct sock* sk) {
    if (filter.by_local_port && !has_bit(filter.local_ports, local_port_of(sk))) return false;
    if (filter.by_remote_port && !has_bit(filter.remote_ports, bpf_ntohs(FOLLOW(sk, __sk_common.skc_dport))))
        return false;
    if (!filter.ipv4 && speaks_ipv4(sk)) return false;
    if (!filter.ipv6 && !speaks_ipv4(sk)) return false;
    return !filter.netns || netns_of(sk) == filter.netns;
}

/* Writes every byte of `out`. */
static __always_inline void describe_socket(const struct sock* sk, __u64 identity, struct wc_socket* out) {
    __builtin_memset(out, 0, sizeof(*out));
    out->cookie = identity;
    out->address = (__u64)sk;
    out->netns = netns_of(sk);
    out->local_port = local_port_of(sk);
    out->remote_port = bpf_ntohs(FOLLOW(sk, __sk_common.skc_dport));
    out->state = FOLLOW(sk, __sk_common.skc_state);
    if (speaks_ipv4(sk)) {
        out->family = AF_INET;
        *(__be32*)out->local = FOLLOW(sk, __sk_common.skc_rcv_saddr);
        *(__be32*)out->remote = FOLLOW(sk, __sk_common.skc_daddr);
    } else {
        out->family = AF_INET6;
        BPF_CORE_READ_INTO(&out->local, sk, __sk_common.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO(&out->remote, sk, __sk_common.skc_v6_daddr);
    }
}

/* The inode number of the socket's file; 0 when it has none (never accepted, or the kernel's own). */
static __always_inline __u64 inode_of(const struct sock* sk) {
    struct socket* socket = FOLLOW(sk, sk_socket);
    struct file* file = socket ? FOLLOW(socket, file) : NULL;
    return file ? FOLLOW(file, f_inode, i_ino) : 0;
}

/* f_ref replaced f_count in 6.13 (90ee6ed776c0) and counts from 0. */
static __always_inline __u64 references_of(const struct file* file) {
    if (bpf_core_field_exists(file->f_ref)) return FOLLOW(file, f_ref.refcnt.counter) + 1;
    return FOLLOW(file, f_count.counter);
}

/* In a state in which the other end of a held connection can be. */
static __always_inline bool is_peer_side(__u8 state) {
    return want_peers && (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2);
}

static __always_inline void store_touches(const struct sock* sk, const struct wc_touches* fresh) {
    __u64 address = (__u64)sk;
    if (bpf_map_update_elem(&touches, &address, fresh, BPF_ANY)) count(&counters.lost_storage);
}

/* ---- tasks ----------------------------------------------------------------------------------------------
 */

static __always_inline struct task_struct* current_task(void) {
    if (HAS_TYPED_TASKS) return bpf_get_current_task_btf();
    return (struct task_struct*)bpf_get_current_task();
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
    return pid_level ? id_in_our_namespace(BPF_CORE_READ(task, thread_pid)) : (__u32)OF_TASK(task, pid);
}

static __always_inline __u32 process_id(struct task_struct* task) {
    return pid_level ? id_in_our_namespace(BPF_CORE_READ(task, group_leader, thread_pid))
                     : (__u32)OF_TASK(task, tgid);
}

static __always_inline __u64 leader_start_of(struct task_struct* task) {
    return OF_TASK(task, pid) == OF_TASK(task, tgid) ? OF_TASK(task, start_boottime)
                                                     : BPF_CORE_READ(task, group_leader, start_boottime);
}

/* Writes every byte of `out`. Only for tasks that act in their own context: never from softirq. */
static __always_inline void describe_actor(struct task_struct* task, struct wc_actor* out) {
    __builtin_memset(out, 0, sizeof(*out));
    out->start_ns = OF_TASK(task, start_boottime);
    out->tgid = process_id(task);
    out->tid = thread_id(task);
    bpf_probe_read_kernel_str(out->comm, sizeof(out->comm), task->comm);
}

/*
 * The registers a thread saved when it entered the kernel; NULL where they cannot be found. Before 5.15
 * (dd6e10fbd9fb) no helper tells; there, on x86_64, they lie at the upper end of the stack (THREAD_SIZE in
 * arch/x86/include/asm/page_64_types.h), and the user code segment says that they do.
 */
static __always_inline struct pt_regs* saved_registers(struct task_struct* task) {
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
        return (struct pt_regs*)bpf_task_pt_regs(task);
#if defined(__TARGET_ARCH_x86)
    void* stack = OF_TASK(task, stack);
    struct pt_regs* registers = stack + WC_X86_THREAD_SIZE - bpf_core_type_size(struct pt_regs);
    if (stack && BPF_CORE_READ(registers, cs) == WC_X86_USER_CS) return registers;
#endif
    return NULL;
}

/* As the system call ends: on arm64 its result has taken the place of the first argument. */
static __always_inline __u64 first_argument_at_exit(struct pt_regs* registers) {
#if defined(__TARGET_ARCH_x86)
    return BPF_CORE_READ(registers, di);
#else
    return BPF_CORE_READ(registers, orig_x0);
#endif
}

struct system_call {
    __u32 number; /* ~0 when it is in none */
    __u64 arguments[4];
};

/* What a thread asked the kernel for; false when that cannot be told. Of a thread that runs in user mode the
 * saved registers are of no meaning. */
static __always_inline bool read_system_call(struct task_struct* task, struct system_call* out) {
    out->number = ~0U;
    struct pt_regs* registers = saved_registers(task);
    if (!registers) return false;
#if defined(__TARGET_ARCH_x86)
    out->number = BPF_CORE_READ(registers, orig_ax);
    out->arguments[0] = BPF_CORE_READ(registers, di);
    out->arguments[1] = BPF_CORE_READ(registers, si);
    out->arguments[2] = BPF_CORE_READ(registers, dx);
    out->arguments[3] = BPF_CORE_READ(registers, r10);
#else
    out->number = BPF_CORE_READ(registers, syscallno);
    out->arguments[0] = BPF_CORE_READ(registers, user_regs.regs[0]);
    out->arguments[1] = BPF_CORE_READ(registers, user_regs.regs[1]);
    out->arguments[2] = BPF_CORE_READ(registers, user_regs.regs[2]);
    out->arguments[3] = BPF_CORE_READ(registers, user_regs.regs[3]);
#endif
    return true;
}

#endif
