/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether `current` does what is being done, or was only interrupted by it. */
#ifndef WAITCLOSE_INTERRUPT_H
#define WAITCLOSE_INTERRUPT_H

#include "shared.h"

/* include/linux/preempt.h: while a softirq is served, in a hard interrupt, in an NMI */
#define WC_SERVES_SOFTIRQ 0x00000100
#define WC_INTERRUPTED 0x00ff0100

/* With PREEMPT_RT a softirq is served by whoever raised it, on its own stack. */
static __always_inline bool serves_softirq(struct task_struct* task) {
    return bpf_core_field_exists(task->softirq_disable_cnt) &&
           OF_TASK(task, softirq_disable_cnt) & WC_SERVES_SOFTIRQ;
}

#if defined(__TARGET_ARCH_x86)
/*
 * The count of interrupts is a variable of each CPU that few kernels let programs see. But interrupts have a
 * stack of their own, softirqs too, unless they come while the thread is in user mode
 * (call_on_irqstack_cond; 931b94145981, 5.8): then its stack is theirs, and what it saved is no system call.
 * `on_stack`: anything that lies on the stack that is in use.
 */
static __always_inline bool does_it_itself(struct task_struct* task, void* on_stack) {
    __u64 here = 0;
    bpf_probe_read_kernel(&here, sizeof(here), &on_stack);
    __u64 stack = (__u64)OF_TASK(task, stack);
    if (here < stack || here >= stack + WC_X86_THREAD_SIZE || serves_softirq(task)) return false;
    if (OF_TASK(task, flags) & PF_KTHREAD) return true;
    struct system_call call;
    return read_system_call(task, &call) && (__s32)call.number >= 0;
}
#else
static __always_inline bool does_it_itself(struct task_struct* task, void* on_stack) {
    return !(BPF_CORE_READ(task, thread_info.preempt.count) & WC_INTERRUPTED) && !serves_softirq(task);
}
#endif

#endif
