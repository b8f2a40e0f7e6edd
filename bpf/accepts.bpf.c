/* SPDX-License-Identifier: BSD-2-Clause */
/* How accept() ends: who takes connections from a listener how fast, and whose calls fail with what. */
#define WC_POINTERS_ARE_PLAIN
#include "descriptor.h"

/* What was counted longest ago makes room: a thread that comes back is counted anew. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1 << 13);
    __type(key, struct wc_accept_key);
    __type(value, struct wc_accept_count);
} accept_results SEC(".maps");

/* Nothing waited, or a signal came first: the program asks again. */
static __always_inline bool is_no_outcome(__u32 error) {
    return error == WC_EAGAIN || error == WC_EINTR || error >= WC_ERESTARTSYS;
}

static __always_inline void count_accept(struct wc_accept_key* key, __u64 now) {
    struct wc_accept_count* known = bpf_map_lookup_elem(&accept_results, key);
    if (known) {
        known->count++; /* by this thread alone */
        known->last_ns = now;
        return;
    }
    struct wc_accept_count fresh = {.count = 1, .last_ns = now};
    if (bpf_map_update_elem(&accept_results, key, &fresh, BPF_ANY)) count(&counters.lost_storage);
}

static __always_inline int note_result(__u32 fd, long result) {
    __u32 error = result < 0 ? (__u32)-result : 0;
    if (is_no_outcome(error)) return 0;
    struct task_struct* task = current_task();
    struct file* file = file_at(task, fd);
    struct sock* sk = file ? tcp_sock_of(file) : NULL;
    if (!sk || FOLLOW(sk, __sk_common.skc_state) != TCP_LISTEN) return 0;
    struct wc_accept_key key;
    __builtin_memset(&key, 0, sizeof(key));
    key.listener = (__u64)sk;
    key.inode = BPF_CORE_READ(file, f_inode, i_ino);
    key.start_ns = OF_TASK(task, start_boottime);
    key.tgid = process_id(task);
    key.tid = thread_id(task);
    key.error = error;
    if (key.tid) count_accept(&key, bpf_ktime_get_boot_ns());
    return 0;
}

/*
 * accept() wants a descriptor and a file before it asks the protocol for a connection: what fails with EMFILE
 * or ENFILE never comes as far as inet_accept. Behind the system calls stands __sys_accept4, which a compiler
 * may have put into both of them; they themselves are there in any case.
 */
#if defined(__TARGET_ARCH_x86)
#define SYSTEM_CALL_PREFIX "__x64_sys_"
#else
#define SYSTEM_CALL_PREFIX "__arm64_sys_"
#endif

SEC("fexit/" SYSTEM_CALL_PREFIX "accept")
int BPF_PROG(on_accept_done, struct pt_regs* registers, long result) {
    return note_result(first_argument_at_exit(registers), result);
}

SEC("fexit/" SYSTEM_CALL_PREFIX "accept4")
int BPF_PROG(on_accept4_done, struct pt_regs* registers, long result) {
    return note_result(first_argument_at_exit(registers), result);
}

/* accept, accept4 */
SEC("tracepoint")
int on_accept_result(struct trace_event_raw_sys_exit* event) {
    struct pt_regs* registers = saved_registers(current_task());
    return registers ? note_result(first_argument_at_exit(registers), event->ret) : 0;
}
