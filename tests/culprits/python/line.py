# SPDX-License-Identifier: BSD-2-Clause
"""The line between a Python server and the judge: a line of JSON each way; see ../real_runtime.cpp."""

import json
import socket
import sys
import threading


def say(**line):
    print(json.dumps(line), flush=True)


def say_from(what, **more):
    say(**{what: 1, "tid": threading.get_native_id()}, **more)


def listen():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def connect(port):
    return socket.create_connection(("127.0.0.1", port))


def announce(listener, **truth):
    say(port=listener.getsockname()[1], truth=truth)


def obey(close):
    """`close` is called for each line `close`; ends with stdin."""
    for order in sys.stdin:
        if order == "close\n":
            close()
