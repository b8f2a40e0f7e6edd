/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes, from hooks with BTF. */
#include "touch.h"

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock* sk, int result, int flags) {
    touch(sk, result, flags, WC_OPERATION_READ);
    return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock* sk, int result, int flags) {
    touch(sk, result, flags, WC_OPERATION_WRITE);
    return 0;
}

/* Six arguments until 5.18, five since (ec095263a965 dropped `nonblock`); the flags are the last but one. */
SEC("fexit/tcp_recvmsg")
int on_tcp_recvmsg(__u64* arguments) {
    __u64 result = 0;
    __u64 flags = 0;
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret)) {
        if (bpf_get_func_ret(arguments, &result) ||
            bpf_get_func_arg(arguments, bpf_get_func_arg_cnt(arguments) - 2, &flags))
            return 0;
    } else {
        flags = arguments[4];
        result = arguments[6];
    }
    touch((void*)arguments[0], (int)result, (int)flags, WC_OPERATION_READ);
    return 0;
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(on_tcp_sendmsg, struct sock* sk, void* message, unsigned long size, int result) {
    touch(sk, result, 0, WC_OPERATION_WRITE);
    return 0;
}

/* sendfile() until 6.4; since 6.5 it goes through tcp_sendmsg (c5c37af6ecad). */
SEC("fexit/tcp_sendpage")
int BPF_PROG(on_tcp_sendpage, struct sock* sk, void* page, int offset, unsigned long size, int flags,
             int result) {
    touch(sk, result, 0, WC_OPERATION_WRITE);
    return 0;
}
