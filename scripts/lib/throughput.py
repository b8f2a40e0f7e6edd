"""A redis server under a load generator: what it gets done, alone and while waitclose captures."""

import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import stage


class Redis:
    """A redis server of our own, on a port of its own, with nothing on disk."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="waitclose-redis.")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.child = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.directory.name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        patience = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.child.poll() is not None or time.monotonic() > patience:
                    self.__exit__()
                    raise stage.CannotGoOn("redis-server could not be started") from None
                time.sleep(0.01)

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        self.directory.cleanup()

    @property
    def pid(self):
        return self.child.pid

    def requests_done(self):
        with socket.create_connection(("127.0.0.1", self.port)) as asking:
            asking.sendall(b"INFO stats\r\n")
            said = b""
            while b"total_commands_processed" not in said or not said.endswith(b"\r\n"):
                said += asking.recv(65536)
        return int(re.search(rb"total_commands_processed:(\d+)", said)[1])


class Load:
    """redis-benchmark against it, for as long as it is needed."""

    def __init__(self, redis):
        self.redis = redis

    def __enter__(self):
        self.child = subprocess.Popen(
            ["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.redis.port), "-t", "get", "-n", "2000000000", "-q"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)  # its fifty connections are there
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def rate(self, seconds):
        """Requests a second within so many."""
        began, before = time.perf_counter(), self.redis.requests_done()
        time.sleep(seconds)
        return (self.redis.requests_done() - before) / (time.perf_counter() - began)


class Capture:
    """`waitclose capture` while threads are followed: from the ready file to its end."""

    def __init__(self, seconds, *arguments):
        self.seconds = seconds
        self.arguments = arguments

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="waitclose-capture.")
        self.bundle = pathlib.Path(self.directory.name, "bundle")
        ready = pathlib.Path(self.directory.name, "ready")
        self.child = subprocess.Popen(
            stage.waitclose("capture", "-o", str(self.bundle), "--duration", f"{self.seconds}s", "--ready-file", str(ready),
                            *self.arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not ready.exists():
            if self.child.poll() is not None:
                raise stage.CannotGoOn(f"waitclose capture ended before it followed anything: {self.child.stderr.read()}")
            time.sleep(0.001)
        return self

    def manifest(self):
        """Waits for its end."""
        _, said = self.child.communicate()
        if self.child.returncode != 0:
            raise stage.CannotGoOn(f"waitclose capture ended with code {self.child.returncode}: {said}")
        return json.loads((self.bundle / "manifest.json").read_text())

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
            self.child.communicate()
        self.directory.cleanup()
