/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a census that tells who could end a thread's wait: who holds the other end of the pipe or the
 * connection it sleeps on, and which children its process has. Run only when something is asked for.
 */
#define WC_POINTERS_ARE_PLAIN
#include "descriptor.h"

/* What is asked for: inodes by address, TCP connections by the ports of their other ends (the local one in
 * the upper half), parents by process id. */
WC_SET(wanted_inodes, __u64, 1 << 14);
WC_SET(wanted_ports, __u32, 1 << 14);
WC_SET(wanted_parents, __u32, 1 << 13);

static __always_inline bool is_wanted_connection(struct sock* sk) {
    __u32 ports = (__u32)local_port_of(sk) << 16 | bpf_ntohs(FOLLOW(sk, __sk_common.skc_dport));
    return bpf_map_lookup_elem(&wanted_ports, &ports) != NULL;
}

static __always_inline void fill_connection(struct sock* sk, struct wc_census_end* out) {
    describe_socket(sk, 0, &out->socket);
    describe_sequence(sk, &out->sequence);
    if (!tracing) return;
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (seen && seen->inode == out->inode && seen->last.at_ns) out->actor = seen->last.actor;
}

SEC("iter/task_file")
int census_ends(struct bpf_iter__task_file* ctx) {
    struct task_struct* task = ctx->task;
    struct file* file = ctx->file;
    if (!task || !file) return 0;
    __u16 mode = file->f_inode->i_mode & S_IFMT;
    if (mode != S_IFIFO && mode != S_IFSOCK) return 0;
    struct sock* sk = tcp_sock_of(file);
    __u64 inode_address = (__u64)BPF_CORE_READ(file, f_inode);
    bool wanted = sk ? is_wanted_connection(sk) : bpf_map_lookup_elem(&wanted_inodes, &inode_address) != NULL;
    if (!wanted) return 0;
    struct wc_census_end record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_END, sizeof(record)};
    record.inode_address = inode_address;
    record.file_address = (__u64)file;
    record.references = references_of(file) - 1; /* the iterator's own */
    record.inode = file->f_inode->i_ino;
    record.leader_start_ns = leader_start_of(task);
    record.tgid = process_id(task);
    record.fd = ctx->fd;
    record.reads = (file->f_mode & FMODE_READ) != 0;
    record.writes = (file->f_mode & FMODE_WRITE) != 0;
    if (mode == S_IFIFO) {
        record.readers = BPF_CORE_READ(file, f_inode, i_pipe, readers);
        record.writers = BPF_CORE_READ(file, f_inode, i_pipe, writers);
    }
    if (sk) fill_connection(sk, &record);
    bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
    return 0;
}

/* A process may live on after its first thread has ended. */
static __always_inline bool is_leader_of_the_living(struct task_struct* task) {
    if (task->flags & PF_KTHREAD || task->pid != task->tgid) return false;
    return !task->exit_state || BPF_CORE_READ(task, signal, nr_threads) > 1;
}

/* As process_id, of a task that the verifier does not know. */
static __always_inline __u32 process_behind(struct task_struct* task) {
    return pid_level ? id_in_our_namespace(BPF_CORE_READ(task, group_leader, thread_pid))
                     : (__u32)BPF_CORE_READ(task, tgid);
}

SEC("iter/task")
int census_children(struct bpf_iter__task* ctx) {
    struct task_struct* task = ctx->task;
    if (!task || !is_leader_of_the_living(task)) return 0;
    __u32 parent_tgid = process_behind(BPF_CORE_READ(task, real_parent));
    __u32 tracer_tgid = task->ptrace ? process_behind(BPF_CORE_READ(task, parent)) : 0;
    if (!bpf_map_lookup_elem(&wanted_parents, &parent_tgid) &&
        !bpf_map_lookup_elem(&wanted_parents, &tracer_tgid))
        return 0;
    struct wc_census_end record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_END, sizeof(record)};
    describe_actor(task, &record.actor);
    record.leader_start_ns = record.actor.start_ns;
    record.tgid = record.actor.tgid;
    record.parent_tgid = parent_tgid;
    record.tracer_tgid = tracer_tgid;
    bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
    return 0;
}
