/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One complete reading, through iterators: the sockets of a network namespace, the descriptors that refer
 * to held sockets, and the threads of the processes that own them.
 */
#include "shared.h"

/*
 * A socket's stamps are in ticks. Userspace learns where ticks begin on its clock from the smallest
 * difference between the two that any look of a census saw: the later the look, the larger the difference.
 */
static __always_inline __u64 sample_tick(__u64 now) {
    __u64 jiffies = bpf_jiffies64();
    __s64 phase = now - jiffies * tick_ns;
    if (phase < counters.tick_phase_ns) counters.tick_phase_ns = phase;
    return jiffies;
}

/* ---- sockets ------------------------------------------------------------------------------------------ */

struct queue_place {
    __u64 listener;
    __u64 census;
};

/* Which listener's accept queue a sock sits in: filled at the listener, taken out at the sock. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1 << 14);
    __type(key, __u64);
    __type(value, struct queue_place);
} queued SEC(".maps");

struct queue_walk {
    __u64 listener;
    struct request_sock* next;
};

static long walk_queue(__u32 index, struct queue_walk* walk) {
    if (!walk->next) return 1;
    struct request_sock* request = walk->next;
    __u64 child = (__u64)BPF_CORE_READ(request, sk);
    struct queue_place place = {.listener = walk->listener, .census = census_number};
    bpf_map_update_elem(&queued, &child, &place, BPF_ANY);
    walk->next = BPF_CORE_READ(request, dl_next);
    return 0;
}

/* The queue may change under the walk; a wrong turn ends at a NULL, a limit, or at a sock nobody asks for. */
static __always_inline void note_queue(struct tcp_sock* tcp, __u32 length) {
    struct queue_walk walk = {
        .listener = (__u64)tcp,
        .next = BPF_CORE_READ(tcp, inet_conn.icsk_accept_queue.rskq_accept_head),
    };
    bpf_loop(length, walk_queue, &walk, 0);
}

static __always_inline __u64 listener_of(__u64 address) {
    struct queue_place* place = bpf_map_lookup_elem(&queued, &address);
    return place && place->census == census_number ? place->listener : 0;
}

static __always_inline __u64 references_of(const struct file* file) {
    if (bpf_core_field_exists(file->f_ref)) return file->f_ref.refcnt.counter + 1;
    return file->f_count.counter;
}

static __always_inline void fill_socket(struct tcp_sock* tcp, struct wc_census_socket* out) {
    struct sock* sk = (struct sock*)tcp;
    out->taken_ns = bpf_ktime_get_boot_ns();
    out->jiffies = sample_tick(out->taken_ns);
    out->segment_jiffies = tcp->rcv_tstamp;
    out->data_jiffies = tcp->inet_conn.icsk_ack.lrcvtime;
    out->sent_jiffies = tcp->lsndtime;
    out->unread = tcp->rcv_nxt - tcp->copied_seq;
    out->unacknowledged = tcp->write_seq - tcp->snd_una;
    out->in_flight = tcp->snd_nxt - tcp->snd_una;
    out->bytes_received = tcp->bytes_received;
    out->bytes_acked = tcp->bytes_acked;
    out->bytes_sent = tcp->bytes_sent;
    out->bytes_retransmitted = tcp->bytes_retrans;
    out->keepalive = sk->__sk_common.skc_flags >> SOCK_KEEPOPEN & 1;
    out->kernel_owned = BPF_CORE_READ_BITFIELD(sk, sk_kern_sock);
    struct socket* socket = sk->sk_socket;
    out->has_socket = socket != NULL;
    struct file* file = socket ? socket->file : NULL;
    if (file) {
        out->inode = file->f_inode->i_ino;
        out->file_references = references_of(file);
    }
}

static __always_inline long send_touches(struct seq_file* seq, struct sock* sk, __u64 cookie, __u64 inode) {
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (!seen || !inode || seen->inode != inode) return 0;
    struct wc_census_touch record;
    record.header = (struct wc_header){WC_KIND_CENSUS_TOUCH, sizeof(record)};
    record.cookie = cookie;
    record.touches = *seen;
    return bpf_seq_write(seq, &record, sizeof(record));
}

static __always_inline bool is_peer_side(__u8 state) {
    return want_peers && (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2);
}

/* Returns 0, or what bpf_seq_write says when the reader's buffer is full: then the kernel shows the socket
 * again. */
static __always_inline long send_socket(struct seq_file* seq, struct sock_common* any, struct sock* sk,
                                        __u8 state) {
    struct tcp_sock* tcp = (struct tcp_sock*)sk;
    struct wc_census_socket record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_SOCKET, sizeof(record)};
    __u64 cookie = bpf_get_socket_cookie(any);
    describe_socket(sk, cookie, &record.socket);
    fill_socket(tcp, &record);
    if (state == TCP_LISTEN) {
        record.backlog = sk->sk_ack_backlog;
        record.backlog_limit = sk->sk_max_ack_backlog;
        note_queue(tcp, record.backlog);
    } else if (!record.has_socket) {
        record.listener = listener_of((__u64)sk);
    }
    long failed = bpf_seq_write(seq, &record, sizeof(record));
    if (!failed && tracing && state == TCP_CLOSE_WAIT) failed = send_touches(seq, sk, cookie, record.inode);
    if (!failed && record.listener) {
        __u64 address = (__u64)sk;
        bpf_map_delete_elem(&queued, &address);
    }
    return failed;
}

static __always_inline bool is_to_be_sent(struct sock* sk, __u8 state) {
    if (state == TCP_CLOSE_WAIT) return is_selected(sk);
    return state == TCP_LISTEN || is_peer_side(state);
}

SEC("iter/tcp")
int census_sockets(struct bpf_iter__tcp* ctx) {
    struct sock_common* any = ctx->sk_common;
    if (!any) return 0;
    __u8 state = any->skc_state;
    /* Neither of these two is a whole sock. */
    struct sock* sk = state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV ? NULL : tcp_of(any);
    if (sk && is_to_be_sent(sk, state) && send_socket(ctx->meta->seq, any, sk, state)) return 0;
    counters.states[state & (WC_STATE_COUNT - 1)]++;
    return 0;
}

/* ---- descriptors --------------------------------------------------------------------------------------- */

static __always_inline __u64 leader_start_of(struct task_struct* task) {
    return task->pid == task->tgid ? task->start_boottime : BPF_CORE_READ(task, group_leader, start_boottime);
}

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
    struct socket* socket = bpf_sock_from_file(file);
    struct sock* sk = socket ? socket->sk : NULL;
    if (!sk || sk->sk_protocol != IPPROTO_TCP) return 0;
    __u16 family = sk->__sk_common.skc_family;
    if (family != AF_INET && family != AF_INET6) return 0;
    __u8 state = sk->__sk_common.skc_state;
    if (state != TCP_CLOSE_WAIT && state != TCP_LISTEN && !is_peer_side(state)) return 0;
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

/* ---- threads --------------------------------------------------------------------------------------------
 */

/* The processes whose threads are wanted; filled by userspace from the descriptors. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1 << 13);
    __type(key, __u32);
    __type(value, __u8);
} wanted_processes SEC(".maps");

/* What a sleeping thread asked the kernel for. Of a running one the saved registers are of no meaning. */
static __always_inline void fill_syscall(struct task_struct* task, struct wc_census_thread* out) {
    out->syscall = ~0U;
    struct pt_regs* registers = (struct pt_regs*)bpf_task_pt_regs(task);
    if (!registers) return;
    out->has_registers = 1;
#if defined(__TARGET_ARCH_x86)
    out->syscall = registers->orig_ax;
    out->arguments[0] = registers->di;
    out->arguments[1] = registers->si;
    out->arguments[2] = registers->dx;
    out->arguments[3] = registers->r10;
#else
    out->syscall = registers->syscallno;
    out->arguments[0] = registers->user_regs.regs[0];
    out->arguments[1] = registers->user_regs.regs[1];
    out->arguments[2] = registers->user_regs.regs[2];
    out->arguments[3] = registers->user_regs.regs[3];
#endif
}

SEC("iter/task")
int census_threads(struct bpf_iter__task* ctx) {
    struct task_struct* task = ctx->task;
    if (!task || task->flags & PF_KTHREAD) return 0;
    __u32 process = process_id(task);
    if (!process || !bpf_map_lookup_elem(&wanted_processes, &process)) return 0;
    struct wc_census_thread record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_THREAD, sizeof(record)};
    describe_actor(task, &record.actor);
    record.leader_start_ns = leader_start_of(task);
    record.switches = task->nvcsw + task->nivcsw;
    record.parent_tgid = pid_level ? id_in_our_namespace(BPF_CORE_READ(task, real_parent, thread_pid))
                                   : (__u32)BPF_CORE_READ(task, real_parent, tgid);
    if (task->ptrace)
        record.tracer_tid = pid_level ? id_in_our_namespace(BPF_CORE_READ(task, parent, thread_pid))
                                      : (__u32)BPF_CORE_READ(task, parent, pid);
    record.state = task->__state;
    record.exit_state = task->exit_state;
    record.flags = task->flags;
    if (bpf_core_field_exists(task->frozen)) record.frozen = BPF_CORE_READ_BITFIELD_PROBED(task, frozen);
    fill_syscall(task, &record);
    bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
    return 0;
}

/* ---- network namespaces -----------------------------------------------------------------------------------
 */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1 << 12);
    __type(key, __u32);
    __type(value, __u64);
} namespaces_seen SEC(".maps");

/* An iterator runs in the context of its reader, so `current` is waitclose itself. */
static __always_inline void learn_own_namespace(void) {
    struct task_struct* reader = bpf_get_current_task_btf();
    struct pid* own = BPF_CORE_READ(reader, thread_pid);
    pid_level = BPF_CORE_READ(own, level);
    const struct upid* ours = upid_at(own, pid_level);
    pid_namespace = (__u64)BPF_CORE_READ(ours, ns);
}

SEC("iter/task")
int census_namespaces(struct bpf_iter__task* ctx) {
    if (!pid_namespace) learn_own_namespace();
    struct task_struct* task = ctx->task;
    if (!task || task->flags & PF_KTHREAD) return 0;
    sample_tick(bpf_ktime_get_boot_ns());
    __u32 inode = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
    __u64* census = inode ? bpf_map_lookup_elem(&namespaces_seen, &inode) : NULL;
    if (!inode || (census && *census == census_number)) return 0;
    struct wc_census_namespace record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_NAMESPACE, sizeof(record)};
    record.netns = inode;
    record.tgid = process_id(task);
    record.tid = thread_id(task);
    if (!record.tid) return 0;
    /* When the reader's buffer is full the task is shown again. */
    if (bpf_seq_write(ctx->meta->seq, &record, sizeof(record))) return 0;
    __u64 now = census_number;
    bpf_map_update_elem(&namespaces_seen, &inode, &now, BPF_ANY);
    return 0;
}
