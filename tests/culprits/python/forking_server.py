# SPDX-License-Identifier: BSD-2-Clause
"""A multiprocessing worker, started while a connection is open, inherits it; its parent reads to the end and closes."""

import multiprocessing
import os
import threading

import line

forking = multiprocessing.get_context("fork")
orders, worker_orders = forking.Pipe()


def work(parent, connection):
    line.die_with(parent)
    while worker_orders.recv() != "close":
        pass
    connection.close()
    worker_orders.send(threading.get_native_id())
    worker_orders.recv()


def serve(listener):
    connection, _ = listener.accept()
    connection.recv(4096)
    worker = forking.Process(target=work, args=(os.getpid(), connection), daemon=True)
    worker.start()
    line.say_from("accepted")
    while connection.recv(4096):
        pass
    connection.close()
    line.say(leaked=1, pid=worker.pid, tid=worker.pid)


def close():
    orders.send("close")
    line.say(closed=1, tid=orders.recv())


listener = line.listen()
# Who reads to the end and who holds it are two processes: without having seen the close(), it looks like a plain leak.
line.announce(listener, cause="inherited-fd", eof_read=True, acceptable_untraced=["eof-ignored", "unknown"])
serve(listener)
line.obey(close)
os._exit(0)
