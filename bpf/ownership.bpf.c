/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who got a socket and who let go of one, from the system calls accept() and close(). The socket is found by
 * its descriptor.
 */
#include "shared.h"

static __always_inline struct file* file_at(struct task_struct* task, __u64 fd) {
    /* Direct loads, slow to verify but fast to run: this runs for every close() of the machine. */
    struct files_struct* files = task->files;
    struct fdtable* table = files ? files->fdt : NULL;
    if (!table || fd >= table->max_fds) return NULL;
    struct file* file = NULL;
    bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
    return file;
}

/* The TCP sock behind a file, or NULL. */
static __always_inline struct sock* tcp_sock_of(struct file* file) {
    if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK) return NULL;
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* sk = BPF_CORE_READ(socket, sk);
    if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP) return NULL;
    __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
    return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

static __always_inline bool is_shared(struct file* file) {
    if (bpf_core_field_exists(file->f_ref)) return BPF_CORE_READ(file, f_ref.refcnt.counter) > 0;
    return BPF_CORE_READ(file, f_count.counter) > 1;
}

static __always_inline int note_accept(long fd) {
    if (fd < 0) return 0;
    struct task_struct* task = bpf_get_current_task_btf();
    struct file* file = file_at(task, fd);
    struct sock* sk = file ? tcp_sock_of(file) : NULL;
    if (!sk) return 0;
    struct wc_touches fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.inode = BPF_CORE_READ(file, f_inode, i_ino);
    describe_actor(task, &fresh.opened.actor);
    fresh.opened.at_ns = bpf_ktime_get_boot_ns();
    fresh.opened_by = WC_OPERATION_ACCEPT;
    store_touches(sk, &fresh);
    return 0;
}

SEC("tp/syscalls/sys_exit_accept4")
int on_accept4_exit(struct trace_event_raw_sys_exit* ctx) {
    return note_accept(ctx->ret);
}

SEC("tp/syscalls/sys_exit_accept")
int on_accept_exit(struct trace_event_raw_sys_exit* ctx) {
    return note_accept(ctx->ret);
}

static __always_inline void note_close(struct wc_touches* seen, struct task_struct* task, __u32 fd) {
    describe_actor(task, &seen->let_go.actor);
    seen->let_go.at_ns = bpf_ktime_get_boot_ns();
    seen->let_go_fd = fd;
}

/* A close() of the last reference shows as a transition; one that is not the last shows only here. */
SEC("tp/syscalls/sys_enter_close")
int on_close_enter(struct trace_event_raw_sys_enter* ctx) {
    struct task_struct* task = bpf_get_current_task_btf();
    __u64 fd = (__u32)ctx->args[0];
    struct file* file = file_at(task, fd);
    if (!file || !is_shared(file)) return 0;
    struct sock* sk = tcp_sock_of(file);
    if (!sk) return 0;
    __u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
    if (state != TCP_CLOSE_WAIT && state != TCP_ESTABLISHED) return 0;
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (seen) {
        note_close(seen, task, fd);
        return 0;
    }
    struct wc_touches fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.inode = BPF_CORE_READ(file, f_inode, i_ino);
    note_close(&fresh, task, fd);
    store_touches(sk, &fresh);
    return 0;
}
