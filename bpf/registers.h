/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of a program's registers. How they lie in memory is part of the interface with user programs
 * (PTRACE_GETREGS, PTRACE_GETREGSET; arch/x86/include/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h), so
 * they are copied at once and no field is looked up.
 */
#ifndef WAITCLOSE_REGISTERS_H
#define WAITCLOSE_REGISTERS_H

#include "activity_records.h"
#include "shared.h"

#if defined(__TARGET_ARCH_x86)
struct wc_frame {
    __u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#else
struct wc_frame {
    __u64 regs[31];
    __u64 sp;
    __u64 pc;
    __u64 pstate;
};
#endif

/* What a program for a perf event is given (struct bpf_perf_event_data): the registers of what was
 * interrupted. */
struct wc_sampled {
    struct wc_frame frame;
    __u64 sample_period;
    __u64 addr;
};

/* Of a 64-bit program in user mode. */
static __always_inline bool is_of_program(const struct wc_frame* frame) {
#if defined(__TARGET_ARCH_x86)
    return frame->cs == WC_X86_USER_CS && frame->ip;
#else
    return (frame->pstate & WC_ARM64_MODE) == 0 && frame->pc;
#endif
}

static __always_inline void copy_registers(const struct wc_frame* frame, struct wc_registers* out) {
#if defined(__TARGET_ARCH_x86)
    out->values[0] = frame->ax;
    out->values[1] = frame->dx;
    out->values[2] = frame->cx;
    out->values[3] = frame->bx;
    out->values[4] = frame->si;
    out->values[5] = frame->di;
    out->values[6] = frame->bp;
    out->values[7] = frame->sp;
    out->values[8] = frame->r8;
    out->values[9] = frame->r9;
    out->values[10] = frame->r10;
    out->values[11] = frame->r11;
    out->values[12] = frame->r12;
    out->values[13] = frame->r13;
    out->values[14] = frame->r14;
    out->values[15] = frame->r15;
    out->values[16] = frame->ip;
    out->pc = frame->ip;
    out->sp = frame->sp;
#else
#pragma unroll
    for (int i = 0; i < 31; i++) out->values[i] = frame->regs[i];
    out->values[31] = frame->sp;
    out->pc = frame->pc;
    out->sp = frame->sp;
#endif
}

/* Those a thread saved when it entered the kernel; false where they cannot be had. `frame`: room to work. */
static __always_inline bool read_registers(struct task_struct* task, struct wc_frame* frame,
                                           struct wc_registers* out) {
    struct pt_regs* saved = saved_registers(task);
    if (!saved || bpf_probe_read_kernel(frame, sizeof(*frame), saved)) return false;
    if (!is_of_program(frame)) return false;
    copy_registers(frame, out);
    return true;
}

#endif
