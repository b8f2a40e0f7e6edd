/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a census that tells which descriptors refer to held sockets. */
#define WC_POINTERS_ARE_PLAIN
#include "carriers.h"
#include "descriptor.h"

static __always_inline bool is_close_on_exec(struct task_struct* task, __u32 fd) {
    unsigned long word = 0;
    unsigned long* bits = BPF_CORE_READ(task, files, fdt, close_on_exec);
    bpf_probe_read_kernel(&word, sizeof(word), bits + fd / (8 * sizeof(word)));
    return word >> (fd % (8 * sizeof(word))) & 1;
}

SEC("iter/task_file")
int census_descriptors(struct bpf_iter__task_file* ctx) {
    struct task_struct* task = ctx->task;
    struct file* file = ctx->file;
    if (!task || !file) return 0;
    const struct place at = {.seq = ctx->meta->seq, .task = task, .file = file, .fd = ctx->fd};
    if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK) {
        if (file->f_inode->i_sb->s_magic == ANON_INODE_FS_MAGIC) show_anonymous(&at);
        return 0;
    }
    struct sock* sk = tcp_sock_of(file);
    __u8 state = sk ? FOLLOW(sk, __sk_common.skc_state) : 0;
    if (state != TCP_CLOSE_WAIT && state != TCP_LISTEN && !is_peer_side(state)) {
        show_other_socket(&at);
        return 0;
    }
    if (state == TCP_CLOSE_WAIT && !is_selected(sk)) return 0;
    struct wc_census_descriptor record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_DESCRIPTOR, sizeof(record)};
    record.socket_address = (__u64)sk;
    record.inode = file->f_inode->i_ino;
    record.leader_start_ns = leader_start_of(task);
    record.tgid = process_id(task);
    record.fd = ctx->fd;
    record.netns = netns_of(sk);
    record.state = state;
    record.close_on_exec = state == TCP_CLOSE_WAIT && is_close_on_exec(task, ctx->fd);
    bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
    return 0;
}
