/* SPDX-License-Identifier: BSD-2-Clause */
/* Who got a socket with accept(), and who let go of one with a close() that was not the last. */
#define WC_POINTERS_ARE_PLAIN
#include "descriptor.h"
#include "opening.h"

/* ---- accept() -------------------------------------------------------------------------------------------
 */

static __always_inline void note_accept(struct sock* sk, __u64 inode) {
    struct task_struct* task = current_task();
    if (!inode || OF_TASK(task, flags) & PF_KTHREAD) return;
    struct wc_touches fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.inode = inode;
    describe_actor(task, &fresh.opened.actor);
    fresh.opened.at_ns = bpf_ktime_get_boot_ns();
    fresh.opened_by = WC_OPERATION_ACCEPT;
    store_touches(sk, &fresh);
    send_opening(sk, task, 0, &fresh, SLOT_ACCEPT);
}

/*
 * security_sock_graft is called by accept() alone, once it has the connection. So there is no need to see a
 * function return, which of a thread that slept in it before tracing began nobody sees. (inet_csk_accept
 * would not do: it returns before the socket has a file.)
 */
static __always_inline int note_graft(void* any, struct socket* accepted) {
    struct sock* sk = tcp_of(any);
    if (sk) note_accept(sk, BPF_CORE_READ(accepted, file, f_inode, i_ino));
    return 0;
}

SEC("fentry/security_sock_graft")
int BPF_PROG(on_sock_graft, struct sock* any, struct socket* accepted) {
    return note_graft(any, accepted);
}

SEC("kprobe/security_sock_graft")
int BPF_KPROBE(on_sock_graft_plain, struct sock* any, struct socket* accepted) {
    return note_graft(any, accepted);
}

/* accept, accept4 */
SEC("tracepoint")
int on_accept_exit(struct trace_event_raw_sys_exit* event) {
    struct file* file = event->ret < 0 ? NULL : file_at(current_task(), event->ret);
    struct sock* sk = file ? tcp_sock_of(file) : NULL;
    if (sk) note_accept(sk, BPF_CORE_READ(file, f_inode, i_ino));
    return 0;
}

/* ---- close() --------------------------------------------------------------------------------------------
 * A close() of the last reference shows as a transition; one that is not the last shows only here.
 */

/* `only_reference`: there is no other. */
static __always_inline bool is_of_interest(struct sock* sk, bool only_reference) {
    __u8 state = FOLLOW(sk, __sk_common.skc_state);
    return state == TCP_CLOSE_WAIT || (state == TCP_ESTABLISHED && !only_reference);
}

static __always_inline void fill_let_go(struct wc_touches* seen, struct task_struct* task, __u32 fd) {
    describe_actor(task, &seen->let_go.actor);
    seen->let_go.at_ns = bpf_ktime_get_boot_ns();
    seen->let_go_fd = fd;
}

static __always_inline int note_let_go(struct sock* sk, struct file* file, struct task_struct* task,
                                       __u32 fd) {
    __u64 address = (__u64)sk;
    struct wc_touches* seen = bpf_map_lookup_elem(&touches, &address);
    if (seen) {
        fill_let_go(seen, task, fd);
        return 0;
    }
    struct wc_touches fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.inode = BPF_CORE_READ(file, f_inode, i_ino);
    fill_let_go(&fresh, task, fd);
    store_touches(sk, &fresh);
    return 0;
}

/*
 * Where close() has taken the file from the table and still holds it. filp_close would be the natural place,
 * but close() passes it by since 6.6 (021a160abf62). Exits, dup2() and execve() come here as well: what asked
 * for it stands in the registers, and with it the descriptor.
 */
static __always_inline int note_file_let_go(struct file* file) {
    struct sock* sk = references_of(file) > 1 ? tcp_sock_of(file) : NULL;
    if (!sk || !is_of_interest(sk, false)) return 0;
    struct task_struct* task = current_task();
    struct system_call call;
    if (OF_TASK(task, flags) & (PF_KTHREAD | PF_EXITING)) return 0;
    if (!read_system_call(task, &call) || call.number != WC_NR_CLOSE) return 0;
    return note_let_go(sk, file, task, call.arguments[0]);
}

SEC("fentry/locks_remove_posix")
int BPF_PROG(on_file_let_go, struct file* file) {
    return note_file_let_go(file);
}

SEC("kprobe/locks_remove_posix")
int BPF_KPROBE(on_file_let_go_probed, struct file* file) {
    return note_file_let_go(file);
}

/* close. It has not taken the file from the table yet: until it does, another thread may begin to use it. */
SEC("tracepoint")
int on_close_enter(struct trace_event_raw_sys_enter* event) {
    struct task_struct* task = current_task();
    __u32 fd = event->args[0];
    struct file* file = file_at(task, fd);
    struct sock* sk = file ? tcp_sock_of(file) : NULL;
    bool of_interest = sk && is_of_interest(sk, references_of(file) <= 1);
    return of_interest ? note_let_go(sk, file, task, fd) : 0;
}
