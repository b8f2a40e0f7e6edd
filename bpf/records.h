/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that crosses from the kernel side to userspace, defined once and included by both.
 *
 * Records are fixed-width and without implicit padding; the kernel side writes every byte of one before it
 * is sent, so no kernel memory leaks out. Times are nanoseconds of CLOCK_BOOTTIME. Process and thread ids
 * are those of waitclose's own PID namespace, 0 where a task is not visible in it.
 */
#ifndef WAITCLOSE_RECORDS_H
#define WAITCLOSE_RECORDS_H

#ifdef __cplusplus
#include <cstdint>
using wc_u8 = std::uint8_t;
using wc_u16 = std::uint16_t;
using wc_u32 = std::uint32_t;
using wc_u64 = std::uint64_t;
using wc_i64 = std::int64_t;
#define WC_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type " has padding")
extern "C" {
#else
typedef __u8 wc_u8;
typedef __u16 wc_u16;
typedef __u32 wc_u32;
typedef __u64 wc_u64;
typedef __s64 wc_i64;
#define WC_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has padding")
#endif

#define WC_COMM_LENGTH 16
#define WC_OWN_IDENTITY (1ULL << 63) /* set in an identity that is not the kernel's cookie */
#define WC_STATE_COUNT 16
#define WC_STACK_DEPTH 24
#define WC_PORT_BITMAP_BYTES 8192

/* What a record is; the first word of each. */
enum wc_kind {
    WC_KIND_TRANSITION = 1,
    WC_KIND_ENTERED = 2,
    WC_KIND_LEFT = 3,
    WC_KIND_CENSUS_SOCKET = 4,
    WC_KIND_CENSUS_TOUCH = 5,
    WC_KIND_CENSUS_DESCRIPTOR = 6,
    WC_KIND_CENSUS_THREAD = 7,
    WC_KIND_CENSUS_NAMESPACE = 8,
    WC_KIND_CENSUS_END = 9,
    WC_KIND_CENSUS_WATCH = 10,
    WC_KIND_CENSUS_CARRIER = 11,
    WC_KIND_CENSUS_QUEUE = 12,
};

/* A thread as it was when it did something: `start_ns` tells it from a later thread with the same id. */
struct wc_actor {
    wc_u64 start_ns;
    wc_u32 tgid;
    wc_u32 tid;
    char comm[WC_COMM_LENGTH];
};
WC_ASSERT_SIZE(struct wc_actor, 32);

/* Which socket: the cookie is its identity, the address only joins the parts of one census. */
struct wc_socket {
    wc_u64 cookie; /* or an identity of our own, see WC_OWN_IDENTITY */
    wc_u64 address;
    wc_u32 netns;
    wc_u16 family; /* AF_INET also for an IPv4 connection on an IPv6 (dual-stack) socket */
    wc_u16 local_port;
    wc_u16 remote_port;
    wc_u8 state;
    wc_u8 reserved[5];
    wc_u8 local[16]; /* network byte order; IPv4 uses the first four bytes */
    wc_u8 remote[16];
};
WC_ASSERT_SIZE(struct wc_socket, 64);

struct wc_header {
    wc_u32 kind;
    wc_u32 size;
};
WC_ASSERT_SIZE(struct wc_header, 8);

/* Any state change; sent only with --all-transitions. */
struct wc_transition {
    struct wc_header header;
    wc_u64 at_ns;
    wc_u32 old_state;
    wc_u32 new_state;
    struct wc_socket socket;
};
WC_ASSERT_SIZE(struct wc_transition, 88);

/* A hold begins. Sent from softirq: the current task there is whoever was interrupted, so it is not read. */
struct wc_entered {
    struct wc_header header;
    wc_u64 at_ns;
    struct wc_socket socket;
};
WC_ASSERT_SIZE(struct wc_entered, 80);

/* How a hold ended. */
enum wc_end {
    WC_END_PROGRAM = 1,  /* a program closed it: `closer` is that thread */
    WC_END_ERROR = 2,    /* reset by the peer, timed out, or destroyed: `error` is the errno */
    WC_END_EXIT = 4,     /* its last holder exited or was killed: nobody called close() */
    WC_END_KERNEL = 3,   /* the kernel let go of it without a program's close(), e.g. its listener closed */
    WC_END_SHUTDOWN = 5, /* a program shut it down, and may have it open still: `closer` is that one */
};

struct wc_left {
    struct wc_header header;
    wc_u64 at_ns;
    wc_u64 cookie;
    wc_u32 netns;
    wc_u32 new_state;
    wc_u32 end;
    wc_u32 error;
    struct wc_actor closer; /* all zero unless `end` is WC_END_PROGRAM, _SHUTDOWN or _EXIT, by a user thread
                               that is known */
};
WC_ASSERT_SIZE(struct wc_left, 72);

enum wc_operation {
    WC_OPERATION_NONE = 0,
    WC_OPERATION_READ = 1,
    WC_OPERATION_WRITE = 2,
    WC_OPERATION_ACCEPT = 3,
    WC_OPERATION_CONNECT = 4,
};

/* Who did something to a socket, and when; all zero where nobody was seen doing it. */
struct wc_deed {
    struct wc_actor actor;
    wc_u64 at_ns;
};
WC_ASSERT_SIZE(struct wc_deed, 40);

/* What tracing learned about one socket, in task context only. */
struct wc_touches {
    wc_u64 inode; /* of the socket's file: tells it from a later socket at the same address */
    struct wc_deed opened;
    struct wc_deed last;   /* the last read or write */
    struct wc_deed eof;    /* the first read that found end-of-file */
    struct wc_deed let_go; /* the last close() that was not the last reference */
    wc_u32 opened_by;      /* enum wc_operation */
    wc_u32 last_was;
    wc_u32 eof_reads; /* how many reads found end-of-file */
    wc_u32 let_go_fd;
    wc_u64 sent_since_fin;     /* bytes */
    wc_u32 counts_by_sequence; /* sent_since_fin is the distance from first_write_seq */
    wc_u32 first_write_seq;
};
WC_ASSERT_SIZE(struct wc_touches, 200);

struct wc_census_socket {
    struct wc_header header;
    wc_u64 taken_ns;
    struct wc_socket socket;
    wc_u64 inode;           /* 0 when it has no file */
    wc_u64 listener;        /* address of the listener whose accept queue it sits in, or 0 */
    wc_u64 file_references; /* 0 when it has no file */
    wc_u64 jiffies;         /* the kernel's tick counter now */
    wc_u64 bytes_received;
    wc_u64 bytes_acked;
    wc_u64 bytes_sent;
    wc_u64 bytes_retransmitted;
    wc_u32 segment_jiffies; /* low half of the tick counter at the peer's last segment */
    wc_u32 data_jiffies;    /* at the peer's last data */
    wc_u32 sent_jiffies;    /* at our last data */
    wc_u32 unread;          /* rcv_nxt - copied_seq: counts an unread FIN as one byte */
    wc_u32 unacknowledged;  /* write_seq - snd_una */
    wc_u32 in_flight;       /* snd_nxt - snd_una */
    wc_u32 backlog;         /* listener: connections waiting for accept() */
    wc_u32 backlog_limit;
    wc_u8 kernel_owned;
    wc_u8 has_socket; /* a struct socket is attached: it was accepted or connected */
    wc_u8 keepalive;
    wc_u8 multipath;        /* a subflow of Multipath TCP: `inode` is that of the socket the program has */
    wc_u8 watching;         /* enum wc_watching */
    wc_u8 keepalive_probes; /* 0, as of the next two: what the network namespace says */
    wc_u8 probes_unanswered;
    wc_u8 reserved;
    wc_u32 keepalive_time; /* ticks without a segment before the first probe */
    wc_u32 keepalive_interval;
    wc_u32 user_timeout_ms; /* TCP_USER_TIMEOUT; 0: none */
    wc_u32 reserved_too;
};
WC_ASSERT_SIZE(struct wc_census_socket, 200);

/* Whether anybody is on the wait queue of a held socket. */
enum wc_watching {
    WC_WATCHING_UNKNOWN = 0, /* it was not or could not be read */
    WC_WATCHING_NOBODY = 1,
    WC_WATCHING_SOME = 2, /* a record of each follows */
};

/* Who is on a socket's wait queue. */
enum wc_watch_kind {
    WC_WATCH_OTHER = 0, /* asleep in a system call on it, for instance */
    WC_WATCH_EPOLL = 1,
    WC_WATCH_POLL = 2, /* a thread asleep in poll() or select() */
    WC_WATCH_RING = 3, /* a request of an io_uring */
    WC_WATCH_CUT = 4,  /* the queue was too long, or changed meanwhile: there may be more */
};

/* Follows its socket's record, once for each entry of the wait queue. */
struct wc_census_watch {
    struct wc_header header;
    wc_u64 cookie;
    wc_u64 epoll;  /* address of the eventpoll */
    wc_u64 outer;  /* of the one that watches that epoll in turn; 0 when none does */
    wc_u32 kind;   /* enum wc_watch_kind */
    wc_u32 fd;     /* as it was registered: the number may mean another file now */
    wc_u32 events; /* EPOLLIN and so on */
    wc_u32 tgid;   /* the thread that polls */
    wc_u32 tid;
    wc_u8 ready;   /* on the ready list of its epoll */
    wc_u8 awaited; /* threads sleep in epoll_wait() on it */
    wc_u8 polled;  /* somebody watches the epoll itself */
    wc_u8 reserved;
};
WC_ASSERT_SIZE(struct wc_census_watch, 56);

/* Follows its socket's record when tracing learned something. */
struct wc_census_touch {
    struct wc_header header;
    wc_u64 cookie;
    struct wc_touches touches;
};
WC_ASSERT_SIZE(struct wc_census_touch, 216);

/* The accept queue of the listener whose record comes before it. */
struct wc_census_queue {
    struct wc_header header;
    wc_u64 listener; /* its address */
    wc_u64 taken_ns;
    wc_u64 jiffies;
    wc_u32 walked;         /* members counted below; a long queue is not walked to its end everywhere */
    wc_u32 oldest_jiffies; /* low half of the tick counter when the one that waits longest was established */
    wc_u32 by_state[WC_STATE_COUNT];
};
WC_ASSERT_SIZE(struct wc_census_queue, 40 + 4 * WC_STATE_COUNT);

/* Calls of accept() by one thread on one listener that ended alike. */
struct wc_accept_key {
    wc_u64 listener; /* address of its sock */
    wc_u64 inode;    /* of its file: tells it from a later listener at the same address */
    wc_u64 start_ns; /* of the thread */
    wc_u32 tgid;
    wc_u32 tid;
    wc_u32 error; /* errno; 0: it got a connection */
    wc_u32 reserved;
};
WC_ASSERT_SIZE(struct wc_accept_key, 40);

struct wc_accept_count {
    wc_u64 count;
    wc_u64 last_ns;
};
WC_ASSERT_SIZE(struct wc_accept_count, 16);

struct wc_census_descriptor {
    struct wc_header header;
    wc_u64 socket_address;
    wc_u64 inode;
    wc_u64 leader_start_ns;
    wc_u32 tgid;
    wc_u32 fd;
    wc_u32 netns;
    wc_u8 state;
    wc_u8 close_on_exec;
    wc_u8 reserved[2];
};
WC_ASSERT_SIZE(struct wc_census_descriptor, 48);

/* How far a TCP connection has got: tells its two ends from those of any other with the same addresses. */
struct wc_sequence {
    wc_u32 acknowledged; /* snd_una */
    wc_u32 sent;         /* snd_nxt */
    wc_u32 received;     /* rcv_nxt */
    wc_u32 reserved;
};
WC_ASSERT_SIZE(struct wc_sequence, 16);
/* What else a descriptor can be that matters to held sockets. */
enum wc_carrier_kind {
    WC_CARRIER_EPOLL = 1, /* `object`: address of the eventpoll */
    WC_CARRIER_RING = 2,  /* an io_uring, which may have registered files */
    WC_CARRIER_MESSAGE =
        3, /* a UNIX socket with the socket `object` and `inode` in a message not yet received */
    WC_CARRIER_HELD_BACK = 4, /* a socket that has no room for what its writer wants to send */
};

struct wc_census_carrier {
    struct wc_header header;
    wc_u64 leader_start_ns;
    wc_u64 object;
    wc_u64 inode;
    wc_u32 kind;
    wc_u32 tgid;
    wc_u32 fd;
    char comm[WC_COMM_LENGTH]; /* of the process */
    wc_u32 reserved;
};
WC_ASSERT_SIZE(struct wc_census_carrier, 64);
/* Whether a thread that can run has a CPU; not known where the kernel does not keep task_struct.on_cpu. */
enum wc_on_cpu { WC_ON_CPU_UNKNOWN = 0, WC_ON_CPU_NO = 1, WC_ON_CPU_YES = 2 };

/* Whether some thread of a process has exited; not known where the kernel does not tell. */
enum wc_ended { WC_ENDED_UNKNOWN = 0, WC_ENDED_NONE = 1, WC_ENDED_SOME = 2 };

/* What a thread that sleeps in poll() asks for, as its own memory tells: userspace reads that, and hands it
 * to a second look at the thread, which tells what file the descriptor is and whether the thread has moved
 * on. */
struct wc_polled {
    wc_u64 timeout_ns; /* WC_NO_TIMEOUT: for ever */
    wc_u32 fd;
    wc_u8 known; /* 0: not asked, or it asks for several */
    wc_u8 writes;
    wc_u8 reserved[2];
};
#define WC_NO_TIMEOUT (~0ULL)
WC_ASSERT_SIZE(struct wc_polled, 16);

struct wc_census_thread {
    struct wc_header header;
    struct wc_actor actor;
    wc_u64 leader_start_ns;
    wc_u64 arguments[4];
    wc_u64 switches; /* voluntary and involuntary: unchanged between two looks means it did not run */
    wc_u32 parent_tgid;
    wc_u32 tracer_tid; /* 0 when it is not traced */
    wc_u32 state;
    wc_u32 exit_state;
    wc_u32 flags;
    wc_u32 syscall; /* only meaningful while it sleeps; ~0 when it is not in a system call */
    wc_u8 has_registers;
    wc_u8 frozen;
    wc_u8 in_iowait;
    wc_u8 on_cpu; /* enum wc_on_cpu */
    wc_u8 ended;  /* enum wc_ended: of its process */
    wc_u8 reserved[3];
    wc_u64 taken_ns;
    wc_u64 on_cpu_ns;       /* in all its life */
    wc_u64 run_delay_ns;    /* it could have run, but had no CPU */
    wc_u64 last_arrival_ns; /* on the scheduler's clock, see wc_counters.run_phase_ns: it last got a CPU; 0:
                               not known */
    wc_u64 slice_ns;        /* and kept it for so long */
    /* The file that the first argument names, if the system call takes a descriptor there. */
    wc_u64 file_inode; /* 0: there is none */
    wc_u64 peer_inode; /* of a UNIX socket: that of the socket at the other end; 0 where there is none */
    wc_u32 file_mode;  /* S_IFMT part */
    wc_u32
        foreign_ids; /* it lives in another PID namespace than waitclose: its ids for others are not ours */
    struct wc_socket file_socket; /* of a TCP socket; else all zero */
    wc_u64 stack[WC_STACK_DEPTH]; /* return addresses in the kernel, innermost first; then zeros */
    /* Address of the inode at the other end: of a pipe its own, of a UNIX socket its peer's; 0: none. */
    wc_u64 other_end;
    struct wc_sequence sequence; /* of a TCP socket */
    wc_u64 epoll;                /* address of the eventpoll, when that file is one; else 0 */
    struct wc_polled polled;     /* then the file is that of this descriptor */
    /* Of a TCP socket: how much more was acknowledged than sent. The SYN of who opened it counts as one. */
    wc_u64 acked_unsent;
};
WC_ASSERT_SIZE(struct wc_census_thread, 240 + sizeof(struct wc_socket) + 8 * WC_STACK_DEPTH);

/*
 * Somebody who could end a thread's wait: a descriptor at the other end of a pipe, of a UNIX socket or of a
 * TCP connection, or a child.
 */
struct wc_census_end {
    struct wc_header header;
    wc_u64 inode_address; /* of the file; 0 for a child */
    wc_u64 file_address;
    wc_u64 references; /* to the file: by descriptors, and by whoever uses it now */
    wc_u64 inode;
    struct wc_actor actor; /* of a socket, when tracing saw one: who touched it last; of a child its leader */
    wc_u64 leader_start_ns;
    wc_u32 tgid;
    wc_u32 fd;
    wc_u32 parent_tgid; /* of a child */
    wc_u32 tracer_tgid;
    wc_u32 readers; /* of a pipe: how many open files read from it */
    wc_u32 writers;
    wc_u8 reads; /* this one does */
    wc_u8 writes;
    wc_u8 reserved[6];
    struct wc_socket socket; /* of a TCP connection; else all zero */
    struct wc_sequence sequence;
};
WC_ASSERT_SIZE(struct wc_census_end, 112 + sizeof(struct wc_socket) + sizeof(struct wc_sequence));

/* ---- what threads do over a window: entries of maps, read by userspace when it ends -------------------- */

/* A thread in the kernel's own numbers: no PID namespace is asked where every switch passes. */
struct wc_thread_key {
    wc_u64 start_ns;
    wc_u32 tid;
    wc_u32 reserved;
};
WC_ASSERT_SIZE(struct wc_thread_key, 16);

/* What a thread sleeps in: enough to tell for what. */
struct wc_sleep {
    wc_u32 syscall;       /* ~0 when it is in none */
    wc_u32 file_mode;     /* S_IFMT part, of the file that the first argument may name; 0: none */
    wc_u32 socket_family; /* of a socket there: AF_UNIX; AF_INET stands for every TCP socket; else 0 */
    wc_u32 in_iowait;
};
WC_ASSERT_SIZE(struct wc_sleep, 16);

/* The scheduler's counters of a thread at one moment. */
struct wc_run_times {
    wc_u64 at_ns;
    wc_u64 on_cpu_ns;
    wc_u64 run_delay_ns;
};
WC_ASSERT_SIZE(struct wc_run_times, 24);

enum wc_off_cpu {
    WC_OFF_CPU_RUNNABLE = 0, /* it lost its CPU */
    WC_OFF_CPU_ASLEEP = 1,   /* it gave it away, to wait */
    WC_OFF_CPU_DEAD = 2,     /* it will not come back */
};

/* A thread that left a CPU in the window. Between two such moments it slept, waited for a CPU, and ran. */
struct wc_switched {
    struct wc_thread_key key;
    wc_u32 tgid; /* as in wc_actor */
    wc_u32 tid;
    struct wc_run_times first; /* when it first left */
    struct wc_run_times last;
    struct wc_sleep sleep; /* that began at `last`; of a meaning only when it is asleep */
    wc_u32 off_cpu;        /* enum wc_off_cpu, at `last` */
    wc_u32 switches;
    wc_u64 unaccounted_ns; /* between first and last: it could run, and neither did nor waited */
    wc_u64 unsorted_ns;    /* between first and last: asleep, but there was no room to say in what */
    char comm[WC_COMM_LENGTH];
};
WC_ASSERT_SIZE(struct wc_switched, 128);

/* How long a thread slept in one way between its first and last leaving. */
struct wc_slept_key {
    struct wc_thread_key thread;
    struct wc_sleep sleep;
};
WC_ASSERT_SIZE(struct wc_slept_key, 32);

/* A network namespace, and a thread that lives in it. */
struct wc_census_namespace {
    struct wc_header header;
    wc_u32 netns;
    wc_u32 tgid;
    wc_u32 tid;
    wc_u32 reserved;
};
WC_ASSERT_SIZE(struct wc_census_namespace, 24);

/* What to look at; decided in the kernel. Set before load. */
struct wc_filter {
    wc_u32 netns; /* 0: all */
    wc_u8 ipv4;
    wc_u8 ipv6;
    wc_u8 by_local_port;
    wc_u8 by_remote_port;
    wc_u8 local_ports[WC_PORT_BITMAP_BYTES];
    wc_u8 remote_ports[WC_PORT_BITMAP_BYTES];
};
WC_ASSERT_SIZE(struct wc_filter, 8 + 2 * WC_PORT_BITMAP_BYTES);

/* Shared counters; userspace reads them in place. */
struct wc_counters {
    wc_u64 entered;
    wc_u64 left;
    wc_u64 lost_entered; /* ring buffer full */
    wc_u64 lost_left;
    wc_u64 lost_transitions;
    wc_u64 lost_storage;  /* no memory for what a thread did to a socket */
    wc_i64 tick_phase_ns; /* smallest CLOCK_BOOTTIME minus jiffies in ns seen: where ticks begin */
    wc_i64 run_phase_ns;  /* smallest CLOCK_BOOTTIME minus the scheduler's clock seen */
    wc_u64 states[WC_STATE_COUNT];
};
WC_ASSERT_SIZE(struct wc_counters, 64 + 8 * WC_STATE_COUNT);

#ifdef __cplusplus
}
#endif
#endif
