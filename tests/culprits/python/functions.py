# SPDX-License-Identifier: BSD-2-Clause
"""A Python server whose handler is stuck in a function of a known name; see ../hosted_functions.cpp.

Run with: functions.py write_audit_log|wait_for_quota|call_backend|spin_parse BACKEND FILE
"""

import os
import sys
import threading

import line

mode, backend, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
quota = threading.Lock()
sessions = []


def write_audit_log():
    os.fdatasync(os.open(path, os.O_RDWR))


def wait_for_quota():
    with quota:
        return


def call_backend():
    connection = line.connect(backend)
    connection.sendall(b"question")
    connection.recv(1)


def spin_parse():
    parsed = 0
    while True:
        parsed = (parsed * 31 + 7) % 1000003


def refill_quota(locked):
    with quota:
        locked.set()
        call_backend()


def handle_request(connection):
    connection.recv(1)
    line.say_from("accepted")
    globals()[mode]()


def accept_all(listener):
    while True:
        connection, _ = listener.accept()
        sessions.append(connection)
        threading.Thread(target=handle_request, args=(connection,), daemon=True).start()


def close():
    sessions[0].close()
    line.say_from("closed")


listener = line.listen()
if mode == "wait_for_quota":
    locked = threading.Event()
    threading.Thread(target=refill_quota, args=(locked,), daemon=True).start()
    locked.wait()
threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
line.announce(listener)
line.obey(close)
os._exit(0)
