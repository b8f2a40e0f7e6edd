/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is on the wait queue of a socket: every epoll that has it registered, armed or not, and every thread
 * that sleeps until something happens on it. Read without a lock: /proc/PID/fdinfo would tell the same of an
 * epoll, but takes that epoll's mutex from the program.
 *
 * An entry of a wait queue says what it is part of by its callback, whose address is not known here. Instead
 * what stands around it is looked at: the parts of epoll, of poll() and of io_uring each point back to this
 * very queue and to this very file.
 */
#ifndef WAITCLOSE_WATCHES_H
#define WAITCLOSE_WATCHES_H

#include "shared.h"

#define WATCH_LIMIT 8

/* The struct of which `entry` is the wait queue entry's place in the list. */
#define AROUND(type, entry)                                     \
    ((type*)((void*)(entry)-bpf_core_field_offset(type, wait) - \
             bpf_core_field_offset(struct wait_queue_entry, entry)))

#define HAS_FIELD(type, field) bpf_core_field_exists(((type*)0)->field)

/* A kernel that calls these parts by other names cannot be asked: then who watches is not known. */
#define KNOWS_WATCHES                                                                              \
    (HAS_FIELD(struct eppoll_entry, base) && HAS_FIELD(struct eppoll_entry, whead) &&              \
     HAS_FIELD(struct epitem, ffd.fd) && HAS_FIELD(struct epitem, event.events) &&                 \
     HAS_FIELD(struct epitem, rdllink) &&                                                          \
     (HAS_FIELD(struct epitem, ovflist_next) || HAS_FIELD(struct epitem___until_renamed, next)) && \
     HAS_FIELD(struct epitem, ep) && HAS_FIELD(struct eventpoll, wq) &&                            \
     HAS_FIELD(struct eventpoll, poll_wait) && HAS_FIELD(struct eventpoll, file) &&                \
     HAS_FIELD(struct poll_table_entry, wait_address) && HAS_FIELD(struct poll_wqueues, polling_task))

/* The epoll registration an entry of `queue` belongs to, if it is one of epoll's. */
static __always_inline struct epitem* epoll_item_of(struct list_head* entry, wait_queue_head_t* queue,
                                                    struct file* file) {
    struct eppoll_entry* whole = AROUND(struct eppoll_entry, entry);
    if (BPF_CORE_READ(whole, whead) != queue) return NULL;
    struct epitem* item = BPF_CORE_READ(whole, base);
    return item && BPF_CORE_READ(item, ffd.file) == file ? item : NULL;
}

static __always_inline bool is_empty(wait_queue_head_t* queue) {
    return BPF_CORE_READ(queue, head.next) == &queue->head;
}

/* Became ready while the ready list was being read. */
static __always_inline bool is_on_overflow_list(struct epitem* item) {
    struct epitem* next = HAS_FIELD(struct epitem, ovflist_next)
                              ? BPF_CORE_READ(item, ovflist_next)
                              : BPF_CORE_READ((struct epitem___until_renamed*)item, next);
    return (__s64)next != WC_EP_UNACTIVE;
}

static __always_inline void fill_epoll_watch(struct epitem* item, struct wc_census_watch* out) {
    struct eventpoll* epoll = BPF_CORE_READ(item, ep);
    out->kind = WC_WATCH_EPOLL;
    out->epoll = (__u64)epoll;
    out->fd = BPF_CORE_READ(item, ffd.fd);
    out->events = BPF_CORE_READ(item, event.events);
    out->ready = BPF_CORE_READ(item, rdllink.next) != &item->rdllink || is_on_overflow_list(item);
    out->awaited = !is_empty(&epoll->wq);
    out->polled = !is_empty(&epoll->poll_wait);
    if (!out->polled) return;
    struct list_head* first = BPF_CORE_READ(epoll, poll_wait.head.next);
    struct epitem* outer = epoll_item_of(first, &epoll->poll_wait, BPF_CORE_READ(epoll, file));
    if (outer) out->outer = (__u64)BPF_CORE_READ(outer, ep);
}

static __always_inline bool fill_poll_watch(struct list_head* entry, wait_queue_head_t* queue,
                                            struct file* file, struct wc_census_watch* out) {
    struct poll_table_entry* whole = AROUND(struct poll_table_entry, entry);
    if (BPF_CORE_READ(whole, filp) != file || BPF_CORE_READ(whole, wait_address) != queue) return false;
    struct poll_wqueues* sleep = BPF_CORE_READ(whole, wait.private);
    struct task_struct* task = BPF_CORE_READ(sleep, polling_task);
    out->kind = WC_WATCH_POLL;
    out->events = BPF_CORE_READ(whole, key);
    out->tgid = pid_level ? id_in_our_namespace(BPF_CORE_READ(task, group_leader, thread_pid))
                          : (__u32)BPF_CORE_READ(task, tgid);
    out->tid =
        pid_level ? id_in_our_namespace(BPF_CORE_READ(task, thread_pid)) : (__u32)BPF_CORE_READ(task, pid);
    return true;
}

static __always_inline bool is_of_ring(struct list_head* entry, wait_queue_head_t* queue, struct file* file) {
    if (bpf_core_type_exists(struct io_poll)) {
        struct io_poll* whole = AROUND(struct io_poll, entry);
        return BPF_CORE_READ(whole, file) == file && BPF_CORE_READ(whole, head) == queue;
    }
    if (bpf_core_type_exists(struct io_poll_iocb___until_5_19)) {
        struct io_poll_iocb___until_5_19* whole = AROUND(struct io_poll_iocb___until_5_19, entry);
        return BPF_CORE_READ(whole, file) == file && BPF_CORE_READ(whole, head) == queue;
    }
    return false;
}

/* Not on the stack, which is short; one program fills one at a time. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wc_census_watch);
} watch_record SEC(".maps");

/* Fills in what is particular to one kind. Not static, so that it is verified once and not for each turn of
 * the loop; such a function takes numbers only before 5.13. */
__noinline int fill_watch(__u64 entry_at, __u64 queue_at, __u64 file_at) {
    __u32 only = 0;
    struct wc_census_watch* record = bpf_map_lookup_elem(&watch_record, &only);
    if (!record || !KNOWS_WATCHES) return 0;
    struct list_head* entry = (struct list_head*)entry_at;
    wait_queue_head_t* queue = (wait_queue_head_t*)queue_at;
    struct file* file = (struct file*)file_at;
    struct epitem* item = epoll_item_of(entry, queue, file);
    if (item)
        fill_epoll_watch(item, record);
    else if (!fill_poll_watch(entry, queue, file, record) && is_of_ring(entry, queue, file))
        record->kind = WC_WATCH_RING;
    return 0;
}

static __always_inline wait_queue_head_t* wait_queue_of(struct sock* sk) {
    struct socket_wq* wq = BPF_CORE_READ(sk, sk_wq);
    return wq ? &wq->wait : NULL;
}

/* What of the wait queue is to be said in the socket's own record: enum wc_watching. */
static __always_inline __u8 watching(struct sock* sk) {
    wait_queue_head_t* queue = wait_queue_of(sk);
    struct list_head* first = queue ? BPF_CORE_READ(queue, head.next) : NULL;
    if (!first) return WC_WATCHING_UNKNOWN;
    if (first == &queue->head) return WC_WATCHING_NOBODY;
    return KNOWS_WATCHES ? WC_WATCHING_SOME : WC_WATCHING_UNKNOWN;
}

/* Returns what bpf_seq_write says. */
static __always_inline long send_watches(struct seq_file* seq, struct sock* sk, __u64 identity) {
    wait_queue_head_t* queue = wait_queue_of(sk);
    __u32 only = 0;
    struct wc_census_watch* record = bpf_map_lookup_elem(&watch_record, &only);
    if (!queue || !record) return 0;
    struct file* file = BPF_CORE_READ(sk, sk_socket, file);
    struct list_head* entry = BPF_CORE_READ(queue, head.next);
    for (__u32 i = 0; i <= WATCH_LIMIT; i++) {
        if (entry == &queue->head) return 0;
        __builtin_memset(record, 0, sizeof(*record));
        record->header = (struct wc_header){WC_KIND_CENSUS_WATCH, sizeof(*record)};
        record->cookie = identity;
        if (!entry || i == WATCH_LIMIT)
            record->kind = WC_WATCH_CUT;
        else
            fill_watch((__u64)entry, (__u64)queue, (__u64)file);
        long failed = bpf_seq_write(seq, record, sizeof(*record));
        if (failed || record->kind == WC_WATCH_CUT) return failed;
        entry = BPF_CORE_READ(entry, next);
    }
    return 0;
}

#endif
