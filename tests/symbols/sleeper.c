// SPDX-License-Identifier: BSD-2-Clause
// Stands still in one of four functions, whose names a stack of it must tell; in a thread of its own, two
// calls deep.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline, noclone))
/// So that no call is the last thing a function does: its frame would be gone.
#define STAY __asm__ volatile("" ::: "memory")

static pthread_mutex_t quota = PTHREAD_MUTEX_INITIALIZER;
volatile unsigned long parsed;

FUNCTION void write_audit_log(void) {
    char name[] = "/tmp/sleeper.XXXXXX";
    const int file = mkstemp(name);
    unlink(name);
    for (;;) {
        if (write(file, "x", 1) < 0 || fdatasync(file) != 0) abort();
        STAY;
    }
}

FUNCTION void wait_for_quota(void) {
    pthread_mutex_lock(&quota);
    STAY;
}

FUNCTION void call_backend(void) {
    int pair[2];
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) abort();
    if (recv(pair[0], &byte, 1, 0) < 0) abort();
    STAY;
}

/// Asked for, since a function that calls no other gets no frame from GCC, whatever the options are.
#define FRAME __asm__ volatile("" ::"r"(__builtin_frame_address(0)))

FUNCTION void spin_parse(void) {
    FRAME;
    for (;;) parsed = parsed * 31 + 7;
}

FUNCTION void handle_request(const char* what) {
    if (strcmp(what, "write") == 0) write_audit_log();
    if (strcmp(what, "lock") == 0) wait_for_quota();
    if (strcmp(what, "recv") == 0) call_backend();
    if (strcmp(what, "spin") == 0) spin_parse();
    STAY;
}

static void* serve(void* what) {
    handle_request(what);
    STAY;
    return NULL;
}

int main(int count, char** arguments) {
    pthread_t thread;
    if (count != 2) return 2;
    pthread_mutex_lock(&quota);
    if (pthread_create(&thread, NULL, serve, arguments[1]) != 0) return 1;
    puts("ready");
    fflush(stdout);
    pthread_join(thread, NULL);
    return 0;
}
