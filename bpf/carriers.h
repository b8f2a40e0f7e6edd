/* SPDX-License-Identifier: BSD-2-Clause */
/* What else a descriptor can be that matters to held sockets: an epoll, an io_uring, a UNIX socket with
 * descriptors in its queue, a socket that is waited for because its peer takes nothing. */
#ifndef WAITCLOSE_CARRIERS_H
#define WAITCLOSE_CARRIERS_H

#include "descriptor.h"

#define MESSAGE_LIMIT 8
#define FILE_LIMIT 4

/* Where the iterator stands; both pointers are known not to be NULL. */
struct place {
    struct seq_file* seq;
    struct task_struct* task;
    struct file* file;
    __u32 fd;
};

static __always_inline long send_carrier(const struct place* at, __u32 kind, __u64 object, __u64 inode) {
    struct wc_census_carrier record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_CARRIER, sizeof(record)};
    record.leader_start_ns = leader_start_of(at->task);
    record.object = object;
    record.inode = inode;
    record.kind = kind;
    record.tgid = process_id(at->task);
    record.fd = at->fd;
    struct task_struct* task = at->task;
    struct task_struct* leader = BPF_CORE_READ(task, group_leader);
    BPF_CORE_READ_STR_INTO(&record.comm, leader, comm);
    return bpf_seq_write(at->seq, &record, sizeof(record));
}

/* Files that belong to no file system say what they are in the name of their dentry (anon_inode_getfile). */
static __always_inline void show_anonymous(const struct place* at) {
    char name[12] = {};
    struct file* file = at->file;
    if (!bpf_core_field_exists(file->f_path.dentry)) return;
    bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
    if (name[0] != '[') return;
    if (name[1] == 'e' && name[2] == 'v' && name[6] == 'p') {
        struct eventpoll* epoll = epoll_of(file);
        if (epoll) send_carrier(at, WC_CARRIER_EPOLL, (__u64)epoll, 0);
    } else if (name[1] == 'i' && name[2] == 'o' && name[4] == 'u') {
        send_carrier(at, WC_CARRIER_RING, 0, 0);
    }
}

static __always_inline struct sock* held_sock_of(struct file* file) {
    struct sock* sk = file ? tcp_sock_of(file) : NULL;
    if (!sk || FOLLOW(sk, __sk_common.skc_state) != TCP_CLOSE_WAIT || !is_selected(sk)) return NULL;
    return sk;
}

/* The first held sock among the first descriptors in a message, else 0. Not static, so that it is verified
 * once and not for each turn of the loop; such a function takes numbers only before 5.13. */
__noinline __u64 held_sock_in(__u64 message) {
    struct unix_skb_parms* parms = (struct unix_skb_parms*)&((struct sk_buff*)message)->cb;
    if (!bpf_core_field_exists(parms->fp)) return 0;
    struct scm_fp_list* list = BPF_CORE_READ(parms, fp);
    __u16 files = list ? BPF_CORE_READ(list, count) : 0;
    struct file* passed[FILE_LIMIT] = {};
    if (files) bpf_probe_read_kernel(passed, sizeof(passed), &list->fp);
    for (__u32 n = 0; n < FILE_LIMIT; n++) {
        struct sock* sk = n < files ? held_sock_of(passed[n]) : NULL;
        if (sk) return (__u64)sk;
    }
    return 0;
}

/* Descriptors in messages that nobody has received yet. The queue may change under the walk. */
static __always_inline void show_messages(const struct place* at, struct sock* sk) {
    struct sk_buff* end = (struct sk_buff*)&sk->sk_receive_queue;
    struct sk_buff* message = BPF_CORE_READ(sk, sk_receive_queue.next);
    for (__u32 i = 0; i < MESSAGE_LIMIT && message && message != end; i++) {
        struct sock* held = (struct sock*)held_sock_in((__u64)message);
        if (held) send_carrier(at, WC_CARRIER_MESSAGE, (__u64)held, inode_of(held));
        message = BPF_CORE_READ(message, next);
    }
}

/* unix_writable() in net/unix/af_unix.c */
static __always_inline bool has_no_room(struct sock* sk) {
    if (!bpf_core_field_exists(sk->sk_wmem_alloc.refs)) return false;
    return ((__u64)BPF_CORE_READ(sk, sk_wmem_alloc.refs.counter) << 2) > (__u64)BPF_CORE_READ(sk, sk_sndbuf);
}

static __always_inline void show_unix(const struct place* at, struct sock* sk) {
    struct unix_sock* own = (struct unix_sock*)sk;
    if (bpf_core_field_exists(own->scm_stat.nr_fds) && BPF_CORE_READ(own, scm_stat.nr_fds.counter) > 0)
        show_messages(at, sk);
    if (has_no_room(sk)) send_carrier(at, WC_CARRIER_HELD_BACK, 0, 0);
}

/* A socket that is not held: whoever writes to it may have to wait for its peer, and read nothing else
 * meanwhile. */
static __always_inline void show_other_socket(const struct place* at) {
    struct file* file = at->file;
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (!sk) return;
    __u16 family = FOLLOW(sk, __sk_common.skc_family);
    if (family == AF_UNIX)
        show_unix(at, sk);
    else if ((family == AF_INET || family == AF_INET6) && BPF_CORE_READ(socket, flags) >> SOCK_NOSPACE & 1)
        send_carrier(at, WC_CARRIER_HELD_BACK, 0, 0);
}

#endif
