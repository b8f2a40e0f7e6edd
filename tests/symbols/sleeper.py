# SPDX-License-Identifier: BSD-2-Clause
# The same as sleeper.c, in Python.
import os
import socket
import sys
import tempfile
import threading

quota = threading.Lock()


def write_audit_log():
    with tempfile.TemporaryFile() as log:
        while True:
            log.write(b"x")
            log.flush()
            os.fdatasync(log.fileno())


def wait_for_quota():
    with quota:
        pass


class Größe:
    def call_backend(self):
        ours, theirs = socket.socketpair()
        ours.recv(1)
        theirs.close()


def spin_parse():
    parsed = 0
    while True:
        parsed = parsed * 31 + 7 & 0xFFFF


def handle_request(what):
    # map() is C code, so that the interpreter's loop is entered anew.
    list(map(lambda f: f(), [{"write": write_audit_log, "lock": wait_for_quota, "recv": Größe().call_backend,
                              "spin": spin_parse}[what]]))


quota.acquire()
thread = threading.Thread(target=handle_request, args=(sys.argv[1],), daemon=True)
thread.start()
print("ready", flush=True)
thread.join()
