/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings and maps that several kernel-side files use. */
#include "schedule.h"
#include "shared.h"
#include "touch.h"
#include "transition.h"

const volatile struct wc_filter filter = {.ipv4 = 1, .ipv6 = 1};
const volatile bool all_transitions = false;
const volatile bool tracing = false;
const volatile bool want_peers = false;
const volatile bool own_identities = false;

volatile __u32 pid_level = 0;
volatile __u64 pid_namespace = 0;
volatile __u64 census_number = 0;
volatile __u64 tick_ns = 0;

struct wc_counters counters = {};

volatile bool marks_processes = false;
volatile bool window_is_open = false;
volatile __u8 followed_bits[WC_FOLLOWED_BITS / 8] = {};

struct touches_map touches SEC(".maps");
struct identities_map identities SEC(".maps");
struct events_map events SEC(".maps");
struct followed_map followed_processes SEC(".maps");

char license_text[] SEC("license") = "Dual BSD/GPL";
