/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel types waitclose touches, and nothing else: the complete list of what it relies on.
 *
 * Every struct is `preserve_access_index`, so clang records the *names* of the fields used and libbpf
 * looks their offsets up in the BTF of the kernel it runs on (CO-RE). Only names and kinds matter here;
 * order and size do not. A variant that differs between releases is a flavour (`struct x___why`) with
 * the release that changed it.
 */
#ifndef WAITCLOSE_VMLINUX_H
#define WAITCLOSE_VMLINUX_H
#define __VMLINUX_H__ /* so that libbpf's headers call registers by the kernel's names */

#include "plain_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* ---- network namespaces -------------------------------------------------------------------------- */

struct ns_common {
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

typedef struct {
    struct net *net;
} possible_net_t;

/* ---- sockets: include/net/sock.h ------------------------------------------------------------------ */

struct in6_addr {
    union {
        __u8 u6_addr8[16];
        __be32 u6_addr32[4];
    } in6_u;
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    possible_net_t skc_net;
    unsigned long skc_flags;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
};

struct list_head {
    struct list_head *next;
};

/* include/linux/wait.h */
struct wait_queue_entry {
    void *private;
    struct list_head entry;
};

typedef struct wait_queue_head {
    struct list_head head;
} wait_queue_head_t;

struct socket_wq {
    struct wait_queue_head wait;
};

typedef struct {
    int counter;
} atomic_t;

typedef struct {
    atomic_t refs;
} refcount_t;

struct sk_buff;

struct sk_buff_head {
    struct sk_buff *next;
};

struct sk_buff {
    struct sk_buff *next;
    char cb[48];
};

struct sock {
    struct sock_common __sk_common;
    struct socket *sk_socket;
    struct socket_wq *sk_wq;
    struct sk_buff_head sk_receive_queue;
    refcount_t sk_wmem_alloc;
    int sk_sndbuf;
    int sk_err;
    __u32 sk_ack_backlog;
    __u32 sk_max_ack_backlog;
    __u16 sk_protocol; /* a bit-field before 5.6 */
    __u8 sk_shutdown;
    __u8 sk_kern_sock : 1;
};

struct inet_sock {
    struct sock sk;
    __be16 inet_sport;
};

struct file;

struct socket {
    unsigned long flags;
    struct file *file;
    struct sock *sk;
};

/* include/net/af_unix.h, include/net/scm.h */
struct scm_stat {
    atomic_t nr_fds;
};

struct unix_sock {
    struct sock sk;
    struct sock *peer;
    struct scm_stat scm_stat; /* since 5.6 */
};

struct scm_fp_list {
    short count;
    struct file *fp[1];
};

struct unix_skb_parms {
    struct scm_fp_list *fp;
};

/* ---- TCP: include/net/inet_connection_sock.h, include/linux/tcp.h --------------------------------- */

struct request_sock {
    struct request_sock *dl_next;
    struct sock *sk;
};

struct request_sock_queue {
    struct request_sock *rskq_accept_head;
};

struct tcp_ulp_ops {
    char name[16];
};

struct inet_connection_sock {
    struct request_sock_queue icsk_accept_queue;
    const struct tcp_ulp_ops *icsk_ulp_ops;
    void *icsk_ulp_data;
    __u8 icsk_probes_out;
    struct {
        __u32 lrcvtime;
    } icsk_ack;
    __u32 icsk_user_timeout;
};

struct tcp_sock {
    struct inet_connection_sock inet_conn;
    __u32 rcv_nxt;
    __u32 copied_seq;
    __u32 write_seq;
    __u32 snd_nxt;
    __u32 snd_una;
    __u32 rcv_tstamp;
    __u32 lsndtime;
    unsigned int keepalive_time;
    unsigned int keepalive_intvl;
    __u8 keepalive_probes;
    __u64 bytes_received;
    __u64 bytes_acked;
    __u64 bytes_sent;    /* since 4.19 */
    __u64 bytes_retrans; /* since 4.19 */
};

/* ---- Multipath TCP: net/mptcp/protocol.h, with CONFIG_MPTCP ---------------------------------------- */

struct mptcp_sock {
    struct sock *first; /* the subflow it listens or connected with; since 5.7 */
};

struct mptcp_subflow_context {
    struct sock *conn; /* the socket the program has */
};

/* ---- files: include/linux/fs.h, fdtable.h --------------------------------------------------------- */

typedef struct {
    long counter;
} atomic_long_t;

typedef struct {
    atomic_long_t refcnt;
} file_ref_t;

struct pipe_inode_info { /* include/linux/pipe_fs_i.h */
    unsigned int readers; /* open files, not descriptors */
    unsigned int writers;
};

struct super_block {
    unsigned long s_magic;
};

struct inode {
    unsigned short i_mode;
    struct super_block *i_sb;
    unsigned long i_ino;
    struct pipe_inode_info *i_pipe;
};

struct qstr {
    const unsigned char *name;
};

struct dentry {
    struct qstr d_name;
};

struct path {
    struct dentry *dentry;
};

struct file {
    void *private_data;
    unsigned int f_mode;
    struct path f_path;
    struct inode *f_inode;
    atomic_long_t f_count; /* until 6.12 */
    file_ref_t f_ref;      /* since 6.13: holds the references minus one */
};

/* ---- who waits for a file: fs/eventpoll.c, include/linux/poll.h, io_uring/poll.h ------------------------ */

struct epoll_filefd {
    struct file *file;
    int fd;
};

struct epoll_event {
    __u32 events;
};

struct eventpoll {
    wait_queue_head_t wq;        /* threads in epoll_wait() */
    wait_queue_head_t poll_wait; /* who polls the epoll itself */
    struct file *file;
};

struct epitem {
    struct list_head rdllink;    /* on the ready list; linked to itself when not */
    struct epitem *ovflist_next; /* EP_UNACTIVE_PTR, unless it became ready while the list was read */
    struct epoll_filefd ffd;
    struct eventpoll *ep;
    struct epoll_event event;
};

struct epitem___until_renamed { /* `ovflist_next` in 6.12.117 and 6.18, still `next` in 6.1.192 and before */
    struct epitem *next;
};

struct eppoll_entry {
    struct epitem *base;
    struct wait_queue_entry wait;
    wait_queue_head_t *whead;
};

struct poll_table_entry {
    struct file *filp;
    __u32 key; /* `unsigned long` before 4.16 */
    struct wait_queue_entry wait;
    wait_queue_head_t *wait_address;
};

struct poll_wqueues {
    struct task_struct *polling_task;
};

struct io_poll {
    struct file *file;
    struct wait_queue_head *head;
    struct wait_queue_entry wait;
};

struct io_poll_iocb___until_5_19 { /* `io_poll` since 6.0 */
    struct file *file;
    struct wait_queue_head *head;
    struct wait_queue_entry wait;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
    unsigned long *close_on_exec;
};

struct files_struct {
    struct fdtable *fdt;
};

/* ---- tasks: include/linux/sched.h, pid.h, nsproxy.h ------------------------------------------------ */

struct pid_namespace;

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

struct nsproxy {
    struct net *net_ns;
};

struct sched_entity {
    __u64 sum_exec_runtime;
    __u64 prev_sum_exec_runtime; /* when it last got a CPU; real-time classes do not keep it */
};

struct sched_info {
    unsigned long long run_delay;    /* ns it could have run but had no CPU */
    unsigned long long last_arrival; /* rq_clock when it last got one */
};

struct signal_struct {
    int nr_threads;
    unsigned long long sum_sched_runtime; /* of the threads that have exited (__exit_signal; 32bd671d6cbe, 2.6.32) */
};

#if defined(__TARGET_ARCH_arm64)
/* arch/arm64/include/asm/thread_info.h; the count of interrupts is a half of preempt_count there */
struct thread_info {
    struct {
        __u32 count;
    } preempt;
};
#endif

struct task_struct {
#if defined(__TARGET_ARCH_arm64)
    struct thread_info thread_info;
#endif
    unsigned int __state; /* since 5.14 */
    unsigned int flags;
    unsigned int ptrace;
    int exit_state;
    int pid;
    int tgid;
    unsigned int on_cpu; /* with CONFIG_SMP; of another size in 7.2, which libbpf adjusts unsigned loads to */
    unsigned in_iowait : 1;
    unsigned frozen : 1; /* by the freezer of cgroup v2, since 5.2 */
    struct task_struct *real_parent;
    struct task_struct *parent;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    unsigned long nvcsw;
    unsigned long nivcsw;
    __u64 start_boottime; /* `real_start_time` before 5.5 */
    char comm[16];
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    void *stack;
    struct sched_entity se;
    struct sched_info sched_info; /* with CONFIG_SCHED_INFO */
};

struct task_struct___until_5_13 {
    volatile long state; /* `__state` since 5.14 (2f064a59a11f) */
};

/* ---- registers a task saved when it entered the kernel --------------------------------------------- */

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long r10;
    unsigned long di;
    unsigned long si;
    unsigned long dx;
    unsigned long orig_ax;
    unsigned long cs;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
    __u64 regs[31];
};
struct pt_regs {
    struct user_pt_regs user_regs;
    __u64 orig_x0;
    __s32 syscallno;
};
#else
#error "waitclose knows the registers of x86_64 and arm64 only"
#endif

/* ---- syscall tracepoints: kernel/trace/trace.h ------------------------------------------------------ */

struct trace_event_raw_sys_enter {
    long id;
    unsigned long args[6];
};

struct trace_event_raw_sys_exit {
    long id;
    long ret;
};

/* ---- classic tracepoints: include/trace/events/sched.h ----------------------------------------------- */

struct trace_event_raw_sched_switch {
    long prev_state;
    int next_pid;
};

struct trace_event_raw_sched_wakeup_template {
    int pid;
};

/* ---- classic tracepoints: include/trace/events/sock.h ------------------------------------------------ */

struct trace_event_raw_inet_sock_set_state {
    const void *skaddr;
    int oldstate;
    int newstate;
};

#pragma clang attribute pop

/*
 * ---- helper functions: include/uapi/linux/bpf.h -------------------------------------------------------
 * Whether this kernel has one is asked by its name (bpf_core_enum_value_exists).
 */

enum bpf_func_id {
    BPF_FUNC_get_current_task_btf = 158, /* since 5.11 */
    BPF_FUNC_task_pt_regs = 175,         /* since 5.15 */
    BPF_FUNC_get_func_ret = 184,         /* since 5.17, with get_func_arg and get_func_arg_cnt */
};

/*
 * ---- BPF iterators: kernel/bpf/task_iter.c, net/ipv4/tcp_ipv4.c -------------------------------------
 * The contexts of iterators, each member in a slot of eight bytes: an interface with programs, the same since
 * 5.8, so nothing needs to be looked up.
 */

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__tcp {
    struct bpf_iter_meta *meta;
    struct sock_common *sk_common;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    __u32 fd;
    struct file *file;
};

#endif
