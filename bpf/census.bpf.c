/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One complete reading, through iterators: here the sockets of a network namespace, and the namespaces there
 * are; the descriptors that refer to them are in descriptors.bpf.c, the threads in threads.bpf.c.
 */
#include "shared.h"
#include "watches.h"

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
    struct wc_census_queue* found;
};

/*
 * What the walk finds, as it is sent. Not on the stack: there the verifier would follow every way in which
 * the numbers can come about. One program walks one queue at a time.
 */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wc_census_queue);
} queue_record SEC(".maps");

/* How the program walks: with bpf_loop (since 5.17), or in a loop with a limit that every verifier follows.
 */
enum walk_by { WALK_BY_HELPER, WALK_BY_LOOP };

#define LOOP_LIMIT 512

static __always_inline __u8 note_member(struct wc_census_queue* found, struct sock* child) {
    __u8 state = BPF_CORE_READ(child, __sk_common.skc_state);
    found->walked++;
    found->by_state[state & (WC_STATE_COUNT - 1)]++;
    return state;
}

static __always_inline long take_step(struct queue_walk* walk) {
    if (!walk->next) return 1;
    struct request_sock* request = walk->next;
    struct sock* child = BPF_CORE_READ(request, sk);
    if (note_member(walk->found, child) == TCP_CLOSE_WAIT) {
        __u64 address = (__u64)child;
        struct queue_place place = {.listener = walk->listener, .census = census_number};
        bpf_map_update_elem(&queued, &address, &place, BPF_ANY);
    }
    walk->next = BPF_CORE_READ(request, dl_next);
    return 0;
}

static long walk_queue(__u32 index, struct queue_walk* walk) {
    return take_step(walk);
}

/*
 * The queue may change under the walk; a wrong turn ends at a NULL, a limit, or at a sock nobody asks for.
 * Who came first stands first; lsndtime is set when a connection is established and then with everything
 * sent, and nobody sends through a socket in the queue.
 */
static __always_inline void walk_through(struct tcp_sock* tcp, __u32 length, struct wc_census_queue* found,
                                         enum walk_by walk_by) {
    struct queue_walk walk = {
        .listener = (__u64)tcp,
        .next = BPF_CORE_READ(tcp, inet_conn.icsk_accept_queue.rskq_accept_head),
        .found = found,
    };
    struct request_sock* oldest = walk.next;
    if (oldest) {
        struct tcp_sock* child = (struct tcp_sock*)BPF_CORE_READ(oldest, sk);
        found->oldest_jiffies = BPF_CORE_READ(child, lsndtime);
    }
    if (walk_by == WALK_BY_HELPER) {
        bpf_loop(length, walk_queue, &walk, 0);
        return;
    }
    for (__u32 i = 0; i < LOOP_LIMIT; i++)
        if (take_step(&walk)) return;
}

static __always_inline long send_queue(struct seq_file* seq, struct tcp_sock* tcp, __u32 length,
                                       enum walk_by walk_by) {
    __u32 only = 0;
    struct wc_census_queue* record = bpf_map_lookup_elem(&queue_record, &only);
    if (!record || !length) return 0;
    __builtin_memset(record, 0, sizeof(*record));
    record->header = (struct wc_header){WC_KIND_CENSUS_QUEUE, sizeof(*record)};
    record->listener = (__u64)tcp;
    record->taken_ns = bpf_ktime_get_boot_ns();
    record->jiffies = sample_tick(record->taken_ns);
    record->oldest_jiffies = record->jiffies;
    walk_through(tcp, length, record, walk_by);
    return bpf_seq_write(seq, record, sizeof(*record));
}

static __always_inline __u64 listener_of(__u64 address) {
    struct queue_place* place = bpf_map_lookup_elem(&queued, &address);
    return place && place->census == census_number ? place->listener : 0;
}

/* The file of a socket, where it has one. */
static __always_inline struct file* file_of(struct sock* sk) {
    struct socket* socket = BPF_CORE_READ(sk, sk_socket);
    return socket ? BPF_CORE_READ(socket, file) : NULL;
}

/* A subflow's program has another sock, and the file is that one's. */
static __always_inline void fill_multipath(struct tcp_sock* tcp, struct wc_census_socket* out) {
    if (!bpf_core_field_exists(struct mptcp_subflow_context, conn)) return;
    union {
        char text[8];
        __u64 word;
    } name = {}, ours = {.text = "mptcp"};
    const struct tcp_ulp_ops* protocol = BPF_CORE_READ(tcp, inet_conn.icsk_ulp_ops);
    struct mptcp_subflow_context* subflow = BPF_CORE_READ(tcp, inet_conn.icsk_ulp_data);
    if (!protocol || !subflow) return;
    bpf_probe_read_kernel_str(name.text, sizeof(name.text), protocol->name);
    if (name.word != ours.word) return;
    struct sock* owner = BPF_CORE_READ(subflow, conn);
    struct file* file = owner ? file_of(owner) : NULL;
    out->multipath = 1;
    if (!file || out->inode) return;
    out->inode = BPF_CORE_READ(file, f_inode, i_ino);
    out->file_references = bpf_core_field_exists(file->f_ref) ? BPF_CORE_READ(file, f_ref.refcnt.counter) + 1
                                                              : BPF_CORE_READ(file, f_count.counter);
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
    out->keepalive_time = tcp->keepalive_time;
    out->keepalive_interval = tcp->keepalive_intvl;
    out->keepalive_probes = tcp->keepalive_probes;
    out->probes_unanswered = tcp->inet_conn.icsk_probes_out;
    out->user_timeout_ms = tcp->inet_conn.icsk_user_timeout;
    out->kernel_owned = BPF_CORE_READ_BITFIELD(sk, sk_kern_sock);
    struct socket* socket = sk->sk_socket;
    out->has_socket = socket != NULL;
    struct file* file = socket ? socket->file : NULL;
    if (file) {
        out->inode = file->f_inode->i_ino;
        out->file_references = references_of(file);
    }
    if (out->kernel_owned) fill_multipath(tcp, out);
}

/* Not on the stack, which is short; one program fills one at a time. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wc_census_touch);
} touch_record SEC(".maps");

static __always_inline long send_touches(struct seq_file* seq, struct sock* sk, __u64 identity, __u64 inode) {
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (!seen || !inode || seen->inode != inode) return 0;
    __u32 only = 0;
    struct wc_census_touch* record = bpf_map_lookup_elem(&touch_record, &only);
    if (!record) return 0;
    record->header = (struct wc_header){WC_KIND_CENSUS_TOUCH, sizeof(*record)};
    record->cookie = identity;
    record->touches = *seen;
    if (seen->counts_by_sequence)
        record->touches.sent_since_fin = ((struct tcp_sock*)sk)->write_seq - seen->first_write_seq;
    return bpf_seq_write(seq, record, sizeof(*record));
}

/* Returns 0, or what bpf_seq_write says when the reader's buffer is full: then the kernel shows the socket
 * again. */
static __always_inline long send_socket(struct seq_file* seq, struct sock* sk, __u8 state,
                                        enum walk_by walk_by) {
    struct tcp_sock* tcp = (struct tcp_sock*)sk;
    struct wc_census_socket record;
    __builtin_memset(&record, 0, sizeof(record));
    record.header = (struct wc_header){WC_KIND_CENSUS_SOCKET, sizeof(record)};
    __u64 identity = identity_of(sk);
    describe_socket(sk, identity, &record.socket);
    fill_socket(tcp, &record);
    if (state == TCP_LISTEN) {
        record.backlog = sk->sk_ack_backlog;
        record.backlog_limit = sk->sk_max_ack_backlog;
    } else if (!record.has_socket) {
        record.listener = listener_of((__u64)sk);
    }
    if (state == TCP_CLOSE_WAIT && record.has_socket) record.watching = watching(sk);
    long failed = bpf_seq_write(seq, &record, sizeof(record));
    if (!failed && record.watching == WC_WATCHING_SOME) failed = send_watches(seq, sk, identity);
    if (!failed && tracing && state == TCP_CLOSE_WAIT) failed = send_touches(seq, sk, identity, record.inode);
    if (!failed && record.listener) {
        __u64 address = (__u64)sk;
        bpf_map_delete_elem(&queued, &address);
    }
    /* Last, since a verifier that follows a loop follows all that comes after it as well. */
    if (!failed && state == TCP_LISTEN) failed = send_queue(seq, tcp, record.backlog, walk_by);
    return failed;
}

static __always_inline bool is_to_be_sent(struct sock* sk, __u8 state) {
    if (state == TCP_CLOSE_WAIT) return is_selected(sk);
    return state == TCP_LISTEN || is_peer_side(state);
}

static __always_inline int show_socket(struct bpf_iter__tcp* ctx, enum walk_by walk_by) {
    struct sock_common* any = ctx->sk_common;
    if (!any) return 0;
    __u8 state = any->skc_state;
    /* Neither of these two is a whole sock. */
    struct sock* sk = state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV ? NULL : tcp_of(any);
    if (sk && is_to_be_sent(sk, state) && send_socket(ctx->meta->seq, sk, state, walk_by)) return 0;
    counters.states[state & (WC_STATE_COUNT - 1)]++;
    return 0;
}

SEC("iter/tcp")
int census_sockets(struct bpf_iter__tcp* ctx) {
    return show_socket(ctx, WALK_BY_HELPER);
}

SEC("iter/tcp")
int census_sockets_by_loop(struct bpf_iter__tcp* ctx) {
    return show_socket(ctx, WALK_BY_LOOP);
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
    struct task_struct* reader = current_task();
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
