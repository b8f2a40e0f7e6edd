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

/* The TCP sock behind a file, or NULL. */
static __always_inline struct sock* tcp_sock_of(struct file* file) {
    if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK) return NULL;
    struct socket* socket = BPF_CORE_READ(file, private_data);
    return socket ? tcp_of(BPF_CORE_READ(socket, sk)) : NULL;
}

/* The eventpoll behind a file, which points back to it; NULL when the file is no epoll. */
static __always_inline struct eventpoll* epoll_of(struct file* file) {
    struct eventpoll* epoll = BPF_CORE_READ(file, private_data);
    if (!bpf_core_field_exists(epoll->file)) return NULL;
    return epoll && BPF_CORE_READ(epoll, file) == file ? epoll : NULL;
}

#endif
