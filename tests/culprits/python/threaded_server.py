# SPDX-License-Identifier: BSD-2-Clause
"""A thread a connection; the handler reads to the end and forgets close(), as the session is still in a dictionary."""

import threading

import line

sessions = {}


def handle(number, connection):
    sessions[number] = connection
    while connection.recv(4096):
        line.say_from("accepted")
    line.say_from("leaked")
    threading.Event().wait()  # a worker that waits for its next piece of work


def accept_all(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(len(sessions), connection), daemon=True).start()


def close():
    sessions[0].close()
    line.say_from("closed")


listener = line.listen()
threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
line.announce(listener, cause="eof-ignored", eof_read=True, seen_reading=True)
line.obey(close)
