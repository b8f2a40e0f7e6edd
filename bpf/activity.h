/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of a capture share. */
#ifndef WAITCLOSE_ACTIVITY_H
#define WAITCLOSE_ACTIVITY_H

#include "schedule.h"
#include "stacks.h"

struct activity_map {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 32 << 20);
};

extern struct activity_map activity SEC(".maps");
extern struct sent_stacks_map activity_stacks SEC(".maps");

extern volatile bool capture_is_open;
extern volatile bool with_stacks;    /* stacks of threads going to sleep are read */
extern volatile __u32 round_number;  /* userspace looks round after round */
extern volatile __u32 most_in_round; /* records of a thread; more of them cost too much */
extern volatile __u64 resumed_ns;    /* when records were allowed again that had run out */
extern __s64 records_left;           /* until userspace looks again */
extern __u64 ran_out_ns;             /* when the last of them was taken; 0: not yet */
extern bool was_paused;              /* they ran out some time */
extern __u64 lost_activity;          /* records that had no room in the ring buffer */
extern __u64 lost_followed;          /* threads that had no room in the map */
extern __u64 lost_children;          /* processes born meanwhile that had none */

static __always_inline bool may_record(void) {
    return capture_is_open && *(volatile __s64*)&records_left > 0;
}

/* Of what is sent while the capture is open. */
static __always_inline void spend_record(void) {
    __sync_fetch_and_add(&records_left, -1);
    if (*(volatile __s64*)&records_left > 0 || ran_out_ns) return;
    was_paused = true;
    ran_out_ns = bpf_ktime_get_boot_ns();
}

#endif
