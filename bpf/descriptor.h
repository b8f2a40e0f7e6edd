/* SPDX-License-Identifier: BSD-2-Clause */
/* From descriptors to files and sockets. What is found this way the verifier does not know. */
#ifndef WAITCLOSE_DESCRIPTOR_H
#define WAITCLOSE_DESCRIPTOR_H

#ifndef WC_POINTERS_ARE_PLAIN
#error "sockets found behind a file are plain pointers"
#endif

#include "shared.h"

static __always_inline struct file* file_at(struct task_struct* task, __u32 fd) {
    /* Typed loads, slow to verify but fast to run: this runs for every close() of the machine. */
    struct files_struct* files = OF_TASK(task, files);
    struct fdtable* table = files ? OF_TASK(files, fdt) : NULL;
    if (!table || fd >= OF_TASK(table, max_fds)) return NULL;
    struct file* file = NULL;
    bpf_probe_read_kernel(&file, sizeof(file), OF_TASK(table, fd) + fd);
    return file;
}

/* What a program holds of Multipath TCP has a TCP sock of the kernel's own beneath it. */
static __always_inline struct sock* first_subflow_of(struct sock* sk) {
    if (!bpf_core_field_exists(struct mptcp_sock, first)) return NULL;
    return tcp_of(BPF_CORE_READ((struct mptcp_sock*)sk, first));
}

/* The TCP sock behind a file, or NULL. */
static __always_inline struct sock* tcp_sock_of(struct file* file) {
    if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK) return NULL;
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (sk && FOLLOW(sk, sk_protocol) == IPPROTO_MPTCP) return first_subflow_of(sk);
    return tcp_of(sk);
}

/* Writes every byte of `out`. */
static __always_inline void describe_sequence(struct sock* sk, struct wc_sequence* out) {
    struct tcp_sock* tcp = (struct tcp_sock*)sk;
    out->acknowledged = BPF_CORE_READ(tcp, snd_una);
    out->sent = BPF_CORE_READ(tcp, snd_nxt);
    out->received = BPF_CORE_READ(tcp, rcv_nxt);
    out->reserved = 0;
}

/* The eventpoll behind a file, which points back to it; NULL when the file is no epoll. */
static __always_inline struct eventpoll* epoll_of(struct file* file) {
    struct eventpoll* epoll = BPF_CORE_READ(file, private_data);
    if (!bpf_core_field_exists(epoll->file)) return NULL;
    return epoll && BPF_CORE_READ(epoll, file) == file ? epoll : NULL;
}

#endif
