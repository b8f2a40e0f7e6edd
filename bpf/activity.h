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
extern volatile __u32 most_stretches; /* of a thread; more of them cost too much */
extern __u64 lost_activity;           /* records that had no room in the ring buffer */
extern __u64 lost_followed;           /* threads that had no room in the map */

#endif
