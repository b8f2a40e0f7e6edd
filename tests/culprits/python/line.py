# SPDX-License-Identifier: BSD-2-Clause
"""The line between a Python server and the judge: a line of JSON each way; see ../real_runtime.cpp."""

import ctypes
import json
import os
import signal
import socket
import sys
import threading


PR_SET_PDEATHSIG = 1


def die_with(parent):
    """For a forked child: whatever happens to its parent, it stays behind nowhere."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


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
