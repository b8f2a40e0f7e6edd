/* SPDX-License-Identifier: BSD-2-Clause */
/* What file a thread waits on. */
#ifndef WAITCLOSE_SLEEP_FILE_H
#define WAITCLOSE_SLEEP_FILE_H

#include "activity_records.h"
#include "descriptor.h"

static __always_inline void fill_sleep_socket(struct file* file, struct wc_sleep_file* out) {
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* any = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (!any) return;
    struct sock* tcp = tcp_of(any);
    if (tcp) {
        describe_socket(tcp, 0, &out->socket);
    } else if (FOLLOW(any, __sk_common.skc_family) == AF_UNIX) {
        struct sock* peer = BPF_CORE_READ((struct unix_sock*)any, peer);
        if (!peer) return;
        out->peer_inode = inode_of(peer);
        out->other_end = (__u64)BPF_CORE_READ(peer, sk_socket, file, f_inode);
    }
}

/* `out` may hold what was found the last time: the same connection need not be read again. */
static __always_inline void fill_sleep_file(struct task_struct* task, __u32 fd, struct wc_sleep_file* out) {
    struct file* file = file_at(task, fd);
    if (!file) {
        out->address = out->inode = 0;
        return;
    }
    __u64 inode = BPF_CORE_READ(file, f_inode, i_ino);
    if (out->address == (__u64)file && out->inode == inode && out->socket.remote_port) return;
    __builtin_memset(out, 0, sizeof(*out));
    out->address = (__u64)file;
    out->inode = inode;
    out->mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
    if (out->mode == S_IFSOCK) fill_sleep_socket(file, out);
    if (out->mode == S_IFIFO) out->other_end = (__u64)BPF_CORE_READ(file, f_inode);
}

#endif
