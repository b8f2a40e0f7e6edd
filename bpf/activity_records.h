/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What crosses to userspace while a capture runs, or openings are watched with their stacks: as records.h, in
 * ring buffers of their own.
 */
#ifndef WAITCLOSE_ACTIVITY_RECORDS_H
#define WAITCLOSE_ACTIVITY_RECORDS_H

#ifdef __cplusplus
#include "records.h"
extern "C" {
#else
#include "shared.h"
#endif

#define WC_KERNEL_DEPTH 48
#define WC_STACK_PAGE 4096 /* no page is smaller: what begins here may be unmapped */
#define WC_STACK_PAGES 4
#define WC_STACK_BYTES (WC_STACK_PAGE * WC_STACK_PAGES)

/* In the numbering of DWARF; see model::Registers. */
#if defined(__TARGET_ARCH_x86) || (defined(__cplusplus) && defined(__x86_64__))
#define WC_REGISTER_COUNT 17
#else
#define WC_REGISTER_COUNT 32
#endif

/* Continues enum wc_kind. */
enum wc_activity_kind {
    WC_KIND_STRETCH = 32,
    WC_KIND_STACK = 33,
    WC_KIND_SAMPLE = 34,
    WC_KIND_OPENING = 35,
    WC_KIND_RESTING = 36,
};

struct wc_registers {
    wc_u64 values[WC_REGISTER_COUNT];
    wc_u64 pc;
    wc_u64 sp;
};
WC_ASSERT_SIZE(struct wc_registers, 8 * (WC_REGISTER_COUNT + 2));

/* A stack, sent before the first record that names its id. Its header's size ends with the last of its bytes,
 * and is a multiple of eight. */
struct wc_stack {
    struct wc_header header;
    wc_u64 id; /* from what it contains; never 0 */
    wc_u64 at_ns;
    wc_u64 start_ns; /* of the thread */
    wc_u32 tgid;     /* as in wc_actor */
    wc_u32 tid;
    wc_u32 kernel_depth;
    wc_u32 has_registers;
    wc_u32 byte_count;
    wc_u32 reserved;
    struct wc_registers registers;
    wc_u64 kernel[WC_KERNEL_DEPTH]; /* return addresses, innermost first */
    wc_u8 bytes[WC_STACK_BYTES];    /* from registers.sp upwards */
};
WC_ASSERT_SIZE(struct wc_stack, 56 + sizeof(struct wc_registers) + 8 * WC_KERNEL_DEPTH + WC_STACK_BYTES);

/* The file that the first argument of a system call may name. */
struct wc_sleep_file {
    wc_u64 address;
    wc_u64 inode;      /* 0: there is none */
    wc_u64 other_end;  /* as in wc_census_thread */
    wc_u64 peer_inode; /* as in wc_census_thread */
    wc_u32 mode;       /* S_IFMT part */
    wc_u32 reserved;
    struct wc_socket socket; /* of a TCP socket; else all zero */
};
WC_ASSERT_SIZE(struct wc_sleep_file, 40 + sizeof(struct wc_socket));

/*
 * A stretch of time in which a thread had no CPU. Sent when it gets one again, or dies; one that is still
 * open when the capture ends is found in the map. A thread that is first seen getting a CPU left it at a
 * time that is not known.
 */
struct wc_stretch {
    struct wc_header header;
    struct wc_actor thread;
    wc_u64 leader_start_ns;
    wc_u64 left_ns;  /* 0: before it was followed */
    wc_u64 woken_ns; /* the last time somebody woke it; of no meaning when it did not sleep. 0: never seen */
    wc_u64 on_ns;    /* 0: it has not got a CPU since */
    wc_u64 stack;    /* where it went to sleep; 0: not known */
    wc_u64 switches; /* voluntary and involuntary, of the thread in its life, up to this stretch */
    wc_u64 arguments[4];
    wc_u32 syscall;  /* ~0 when it is in none */
    wc_u32 sequence; /* counts the records of the thread: a gap tells of lost ones */
    wc_u32 how;      /* enum wc_off_cpu */
    wc_u16 in_iowait;
    wc_u16 missed;         /* since its last record it did something that was left out to save time */
    struct wc_actor waker; /* all zero: no thread, or not known */
    struct wc_sleep_file file;
};
WC_ASSERT_SIZE(struct wc_stretch, 168 + sizeof(struct wc_sleep_file));

#define WC_TOP_WORDS 64

/* A thread that is followed: its stretch now, and where it went to sleep the last time. */
struct wc_followed {
    struct wc_stretch stretch;
    wc_u64 stack; /* the id; 0: not known */
    wc_u64 pc;
    wc_u64 sp;
    wc_u64 arguments[4];
    wc_u32 syscall;
    wc_u32 state;
    wc_u32 in_iowait;
    wc_u32 pages; /* how much of the memory was read at most */
    wc_u32 round; /* in which its records are counted */
    wc_u32 in_round;
    wc_u64 top[WC_TOP_WORDS]; /* of the stack's memory */
};
WC_ASSERT_SIZE(struct wc_followed, sizeof(struct wc_stretch) + 80 + 8 * WC_TOP_WORDS);

/* The sampling clock found a followed thread on a CPU. */
struct wc_sample {
    struct wc_header header;
    wc_u64 at_ns;
    wc_u64 stack;
    wc_u64 leader_start_ns;
    struct wc_actor thread;
};
WC_ASSERT_SIZE(struct wc_sample, 64);

struct wc_opening {
    struct wc_header header;
    wc_u64 at_ns;  /* as in the wc_touches of the socket */
    wc_u64 cookie; /* 0: not known here */
    wc_u64 address;
    wc_u64 inode;
    wc_u64 stack;
    wc_u32 netns;
    wc_u32 operation;
    struct wc_actor actor;
};
WC_ASSERT_SIZE(struct wc_opening, 88);

/* A thread as the iterator found it. */
struct wc_resting {
    struct wc_header header;
    struct wc_actor thread;
    wc_u64 leader_start_ns;
    wc_u64 taken_ns;
    wc_u64 switches; /* voluntary and involuntary */
    wc_u64 arguments[4];
    wc_u32 state;
    wc_u32 exit_state;
    wc_u32 flags;
    wc_u32 syscall; /* ~0 when it is in none */
    wc_u8 frozen;
    wc_u8 in_iowait;
    wc_u8 on_cpu; /* enum wc_on_cpu */
    wc_u8 has_registers;
    wc_u32 kernel_depth;
    struct wc_sleep_file file;
    struct wc_registers registers;
    wc_u64 kernel[WC_KERNEL_DEPTH];
};
WC_ASSERT_SIZE(struct wc_resting,
               120 + sizeof(struct wc_sleep_file) + sizeof(struct wc_registers) + 8 * WC_KERNEL_DEPTH);

#ifdef __cplusplus
}
#endif
#endif
