/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether `current` does what is being done, or was interrupted by it. Where the kernel keeps the count of
 * interrupts differs: a variable of each CPU on x86_64 (__preempt_count; in pcpu_hot from 6.2,
 * 64701838bf05, until 6.14), thread_info on arm64.
 */
#ifndef WAITCLOSE_INTERRUPT_H
#define WAITCLOSE_INTERRUPT_H

#include "shared.h"

/* include/linux/preempt.h: while a softirq is served, in a hard interrupt, in an NMI */
#define WC_INTERRUPTED 0x00ff0100

#if defined(__TARGET_ARCH_x86)
struct pcpu_hot___6_2 {
    int preempt_count;
} __attribute__((preserve_access_index));

extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot___6_2 pcpu_hot __ksym __weak;

static __always_inline bool is_interrupted(struct task_struct* task) {
    if (&__preempt_count) return *(const int*)bpf_this_cpu_ptr(&__preempt_count) & WC_INTERRUPTED;
    if (&pcpu_hot)
        return ((const struct pcpu_hot___6_2*)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count & WC_INTERRUPTED;
    return true; /* nobody is named where it cannot be told */
}
#else
static __always_inline bool is_interrupted(struct task_struct* task) {
    return BPF_CORE_READ(task, thread_info.preempt.count) & WC_INTERRUPTED;
}
#endif

#endif
