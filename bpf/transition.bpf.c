/* SPDX-License-Identifier: BSD-2-Clause */
/* State changes, from the tracepoint with BTF. */
#include "transition.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_transition, struct sock* sk, int old_state, int new_state) {
    note_transition(sk, old_state, new_state);
    return 0;
}
