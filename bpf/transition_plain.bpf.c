/* SPDX-License-Identifier: BSD-2-Clause */
/* State changes, from the classic tracepoint: the same where the kernel refuses programs of the other kind.
 */
#define WC_POINTERS_ARE_PLAIN
#include "transition.h"

SEC("tracepoint/sock/inet_sock_set_state")
int on_classic_transition(struct trace_event_raw_inet_sock_set_state* event) {
    note_transition((void*)event->skaddr, event->oldstate, event->newstate);
    return 0;
}
