/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes, from kprobes, and from the tracepoints of system calls. */
#define WC_POINTERS_ARE_PLAIN
#include "descriptor.h"
#include "touch.h"

/* ---- kprobes --------------------------------------------------------------------------------------------
 * No kretprobes: one takes a slot for as long as a thread sleeps in the function, there are few, and what
 * happens beyond them is lost without a word.
 */

/* Called towards the end of each read with what it returns, and also before one goes to sleep. */
SEC("kprobe/tcp_cleanup_rbuf")
int BPF_KPROBE(on_tcp_cleanup_rbuf, struct sock* sk, int copied) {
    if (copied > 0 || (copied == 0 && has_consumed_fin(sk))) touch(sk, copied, 0, WC_OPERATION_READ);
    return 0;
}

SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(on_tcp_sendmsg_enter, struct sock* sk) {
    touch(sk, RESULT_IS_TO_COME, 0, WC_OPERATION_WRITE);
    return 0;
}

/* sendfile() until 6.4 */
SEC("kprobe/tcp_sendpage")
int BPF_KPROBE(on_tcp_sendpage_enter, struct sock* sk) {
    touch(sk, RESULT_IS_TO_COME, 0, WC_OPERATION_WRITE);
    return 0;
}

/* ---- system calls ---------------------------------------------------------------------------------------
 */

/* The call a thread is in, when it is one on a TCP socket. */
struct touch_to_come {
    __u64 sk;
    __u64 inode; /* tells at the end that it is still the same socket */
    __u32 flags;
    __u32 operation;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1 << 15);
    __type(key, __u64); /* as bpf_get_current_pid_tgid gives it */
    __type(value, struct touch_to_come);
} touches_to_come SEC(".maps");

static __always_inline int begin(__u64 fd, __u32 flags, __u32 operation) {
    struct file* file = file_at(current_task(), (__u32)fd);
    struct sock* sk = file ? tcp_sock_of(file) : NULL;
    if (!sk) return 0;
    struct touch_to_come call = {(__u64)sk, BPF_CORE_READ(file, f_inode, i_ino), flags, operation};
    __u64 thread = bpf_get_current_pid_tgid();
    if (bpf_map_update_elem(&touches_to_come, &thread, &call, BPF_ANY)) count(&counters.lost_storage);
    return 0;
}

/* read, readv */
SEC("tracepoint")
int on_read_enter(struct trace_event_raw_sys_enter* event) {
    return begin(event->args[0], 0, WC_OPERATION_READ);
}

/* recvmsg */
SEC("tracepoint")
int on_recvmsg_enter(struct trace_event_raw_sys_enter* event) {
    return begin(event->args[0], event->args[2], WC_OPERATION_READ);
}

/* recvfrom, recvmmsg */
SEC("tracepoint")
int on_recvfrom_enter(struct trace_event_raw_sys_enter* event) {
    return begin(event->args[0], event->args[3], WC_OPERATION_READ);
}

/* write, writev, sendto, sendmsg, sendmmsg, sendfile */
SEC("tracepoint")
int on_write_enter(struct trace_event_raw_sys_enter* event) {
    return begin(event->args[0], 0, WC_OPERATION_WRITE);
}

/* The end of any of them. */
SEC("tracepoint")
int on_touch_exit(struct trace_event_raw_sys_exit* event) {
    __u64 thread = bpf_get_current_pid_tgid();
    struct touch_to_come* found = bpf_map_lookup_elem(&touches_to_come, &thread);
    if (!found) return 0;
    struct touch_to_come call = *found;
    bpf_map_delete_elem(&touches_to_come, &thread);
    struct sock* sk = (struct sock*)call.sk;
    long result = event->ret < RESULT_IS_TO_COME ? event->ret : RESULT_IS_TO_COME - 1;
    if (inode_of(sk) == call.inode) touch(sk, (int)result, call.flags, call.operation);
    return 0;
}
