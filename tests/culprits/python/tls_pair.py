# SPDX-License-Identifier: BSD-2-Clause
"""TLS as it should be: the client sends close_notify and hangs up, the server answers in kind and closes.

The server is a thread a connection, the clients are a process of their own, which begins on the line `start`.
"""

import multiprocessing
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import line


def certificate(directory):
    if not shutil.which("openssl"):
        line.say(skip="openssl is not installed, so there is no certificate")
        sys.exit()
    key, cert = f"{directory}/key.pem", f"{directory}/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def handle(context, connection):
    with context.wrap_socket(connection, server_side=True) as secured:
        while data := secured.recv(4096):  # nothing comes after the client's close_notify
            secured.sendall(data)
        secured.unwrap().close()


def serve(context, listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(context, connection), daemon=True).start()


def be_client(parent, port):
    line.die_with(parent)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    while True:
        connection = line.connect(port)
        secured = context.wrap_socket(connection)
        secured.sendall(b"hello")
        assert secured.recv(4096) == b"hello"
        secured.unwrap().close()
        time.sleep(0.005)


def main():
    with tempfile.TemporaryDirectory(prefix="waitclose-tls.") as directory:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(directory))
    listener = line.listen()
    port = listener.getsockname()[1]
    line.announce(listener, cause="none")
    if sys.stdin.readline() != "start\n":
        return
    clients = multiprocessing.get_context("fork").Process(target=be_client, args=(os.getpid(), port), daemon=True)
    clients.start()
    threading.Thread(target=serve, args=(context, listener), daemon=True).start()
    sys.stdin.read()
    clients.kill()
    clients.join()


if __name__ == "__main__":
    main()
