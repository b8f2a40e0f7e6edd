/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer types and the constants of the BPF system call interface, for the kernel side. They are part of
 * the kernel's stable user interface (include/uapi/linux/bpf.h, include/uapi/asm-generic/int-ll64.h).
 */
#ifndef WAITCLOSE_PLAIN_TYPES_H
#define WAITCLOSE_PLAIN_TYPES_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

enum bpf_map_type {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_LRU_HASH = 9,
    BPF_MAP_TYPE_SK_STORAGE = 24,
    BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
    BPF_ANY = 0,
    BPF_NOEXIST = 1,
    BPF_F_NO_PREALLOC = 1,
};

enum {
    BPF_SK_STORAGE_GET_F_CREATE = 1,
};

enum {
    BPF_RB_NO_WAKEUP = 1,
};

enum {
    AF_UNIX = 1,
    AF_INET = 2,
    AF_INET6 = 10,
    IPPROTO_TCP = 6,
    IPPROTO_MPTCP = 262,
};

/* include/net/tcp_states.h */
enum {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT = 2,
    TCP_SYN_RECV = 3,
    TCP_FIN_WAIT1 = 4,
    TCP_FIN_WAIT2 = 5,
    TCP_TIME_WAIT = 6,
    TCP_CLOSE = 7,
    TCP_CLOSE_WAIT = 8,
    TCP_LAST_ACK = 9,
    TCP_LISTEN = 10,
    TCP_CLOSING = 11,
    TCP_NEW_SYN_RECV = 12,
};

/* include/linux/sched.h, include/linux/socket.h, include/net/sock.h, include/uapi/linux/stat.h */
enum {
    PF_KTHREAD = 0x00200000,
    PF_EXITING = 0x00000004,
    MSG_PEEK = 2,
    SHUTDOWN_MASK = 3,
    SOCK_KEEPOPEN = 3, /* a bit number of sk_flags */
    S_IFMT = 0170000,
    S_IFIFO = 0010000,
    S_IFSOCK = 0140000,
    SOCK_NOSPACE = 2, /* a bit number of socket.flags: its writer waits for room (include/linux/net.h) */
};

/* include/linux/fs.h: bits of f_mode */
enum {
    FMODE_READ = 1,
    FMODE_WRITE = 2,
};

/* include/uapi/asm-generic/errno-base.h, include/linux/errno.h: from ERESTARTSYS on no program sees it */
enum {
    WC_EINTR = 4,
    WC_EAGAIN = 11,
    WC_ERESTARTSYS = 512,
};

/* include/linux/sched.h */
enum {
    TASK_DEAD = 0x80,
    TASK_REPORT_MAX = 0x100, /* how sched_switch reports a preempted thread, since 4.14 (3f5fe9fef5b2) */
};

/* fs/eventpoll.c (EP_UNACTIVE_PTR), include/uapi/linux/magic.h */
enum {
    WC_EP_UNACTIVE = -1,
    ANON_INODE_FS_MAGIC = 0x09041934,
};

/* arch/x86/include/asm/page_64_types.h, segment.h; numbers in the tables of system calls */
#if defined(__TARGET_ARCH_x86)
enum {
    WC_X86_THREAD_SIZE = 16384,
    WC_X86_USER_CS = 0x33,
    WC_NR_READ = 0,
    WC_NR_WRITE = 1,
    WC_NR_CLOSE = 3,
    WC_NR_READV = 19,
    WC_NR_WRITEV = 20,
    WC_NR_SENDFILE = 40,
    WC_NR_SENDTO = 44,
    WC_NR_RECVFROM = 45,
    WC_NR_SENDMSG = 46,
    WC_NR_RECVMSG = 47,
    WC_NR_SHUTDOWN = 48,
    WC_NR_SPLICE = 275,
    WC_NR_RECVMMSG = 299,
    WC_NR_SENDMMSG = 307,
};
#else
enum {
    WC_ARM64_MODE = 0x1f, /* of pstate: all zero in a 64-bit program (arch/arm64/include/uapi/asm/ptrace.h) */
    WC_NR_CLOSE = 57,
    WC_NR_READ = 63,
    WC_NR_WRITE = 64,
    WC_NR_READV = 65,
    WC_NR_WRITEV = 66,
    WC_NR_SENDFILE = 71,
    WC_NR_SPLICE = 76,
    WC_NR_SENDTO = 206,
    WC_NR_RECVFROM = 207,
    WC_NR_SHUTDOWN = 210,
    WC_NR_SENDMSG = 211,
    WC_NR_RECVMSG = 212,
    WC_NR_RECVMMSG = 243,
    WC_NR_SENDMMSG = 269,
};
#endif

#endif
