/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings and maps that several kernel-side files use. */
#include "shared.h"
#include "activity.h"
#include "opening.h"
#include "schedule.h"
#include "touch.h"
#include "transition.h"

const volatile struct wc_filter filter = {.ipv4 = 1, .ipv6 = 1};
const volatile bool all_transitions = false;
const volatile bool tracing = false;
const volatile bool want_peers = false;
const volatile bool own_identities = false;
const volatile bool opening_stacks = false;

volatile __u32 pid_level = 0;
volatile __u64 pid_namespace = 0;
volatile __u64 census_number = 0;
volatile __u64 tick_ns = 0;

struct wc_counters counters = {};

volatile bool marks_processes = false;
volatile bool window_is_open = false;
volatile __u8 followed_bits[WC_FOLLOWED_BITS / 8] = {};

volatile bool capture_is_open = false;
volatile bool with_stacks = true;
volatile __u32 round_number = 0;
volatile __u32 most_in_round = ~0U;
volatile __u64 resumed_ns = 0;
__s64 records_left = 0;
__u64 ran_out_ns = 0;
bool was_paused = false;
volatile __u32 stack_pages = WC_STACK_PAGES;
__u64 lost_stacks = 0;
__u64 lost_activity = 0;
__u64 lost_followed = 0;
__u64 lost_children = 0;
__u64 lost_openings = 0;

struct touches_map touches SEC(".maps");
struct identities_map identities SEC(".maps");
struct events_map events SEC(".maps");
struct followed_map followed_processes SEC(".maps");
struct activity_map activity SEC(".maps");
struct sent_stacks_map activity_stacks SEC(".maps");
struct openings_map openings SEC(".maps");
struct opening_sent_map opening_sent SEC(".maps");
struct stack_rooms_map stack_rooms SEC(".maps");

char license_text[] SEC("license") = "Dual BSD/GPL";
