# SPDX-License-Identifier: BSD-2-Clause
"""A urllib3 connection pool towards a server that hangs up after its answer without having said so.

The server is a process of its own (forked before the client's first connection). The client sends one request, gets the
answer, and the pool keeps the connection. Prints {"ready":true,...} first and sends the command to hang up when the line
`fin` arrives; then prints the truth. `close` empties the pool. Ends when its stdin does.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import time

import urllib3

PR_SET_PDEATHSIG = 1


def serve(listener, orders, notes):
    connection, _ = listener.accept()
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
    os.read(orders, 1)
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    connection.shutdown(socket.SHUT_WR)
    after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 4:  # FIN_WAIT1: not acknowledged yet
        os.sched_yield()
    os.write(notes, json.dumps([before, after]).encode())
    os.read(orders, 1)


def start_server(listener):
    orders = os.pipe()
    notes = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            os.close(orders[1])
            serve(listener, orders[0], notes[1])
        os._exit(0)
    os.close(orders[0])
    os.close(notes[1])
    listener.close()
    return orders[1], notes[0]


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server_port = listener.getsockname()[1]
    orders, notes = start_server(listener)

    pool = urllib3.HTTPConnectionPool("127.0.0.1", server_port)
    assert pool.request("GET", "/").data == b"ok"
    kept = pool.pool.get()
    held = kept.sock
    pool.pool.put(kept)
    port, fd = held.getsockname()[1], held.fileno()
    say(ready=True, port=port, remote_port=server_port)
    if sys.stdin.readline() != "fin\n":
        return
    os.write(orders, b"f")
    before, after = json.loads(os.read(notes, 4096))
    pid = os.getpid()
    say(pid=pid, tid=pid, fd=fd, port=port, remote_port=server_port, cause="idle-in-pool", acceptable=[],
        acceptable_untraced=[], holders=[{"pid": pid, "fd": fd}], role="client", accepted=None, eof_read=False,
        unread_bytes=0, seen_reading=False, quiet=True, family="ipv4", local_address="127.0.0.1", remote_address="127.0.0.1", held=True,
        fin_before_ns=before, fin_after_ns=after)
    for command in sys.stdin:
        if command == "close\n":
            before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            pool.close()
            after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            say(closed_ns=after, close_before_ns=before, close_after_ns=after, closer_pid=pid, closer_tid=pid)


main()
