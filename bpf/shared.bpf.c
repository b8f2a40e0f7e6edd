/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings and maps that several kernel-side files use. */
#include "shared.h"

const volatile struct wc_filter filter = {.ipv4 = 1, .ipv6 = 1};
const volatile bool all_transitions = false;
const volatile bool tracing = false;
const volatile bool want_peers = false;

volatile __u32 pid_level = 0;
volatile __u64 pid_namespace = 0;
volatile __u64 census_number = 0;
volatile __u64 tick_ns = 0;

struct wc_counters counters = {};

struct touches_map touches SEC(".maps");

char license_text[] SEC("license") = "Dual BSD/GPL";
