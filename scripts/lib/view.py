"""`waitclose live` in a terminal of its own, as whoever sits before it sees it."""

import contextlib
import fcntl
import os
import pathlib
import pty
import select
import struct
import subprocess
import tempfile
import termios
import time

import stage


class View:
    """The view, from its first census until it has been left. It runs in an empty directory, which goes with it."""

    patience = 60  # seconds; a first census of 150,000 sockets on a busy machine takes some

    def __init__(self, *arguments, rows=24, columns=80):
        self.arguments = arguments
        self.size = struct.pack("HHHH", rows, columns, 0, 0)

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="waitclose-view.")
        self.terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, self.size)
        environment = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
        began = time.perf_counter()
        self.child = subprocess.Popen(stage.waitclose("live", *self.arguments), stdin=inside, stdout=inside, stderr=inside,
                                      cwd=self.directory.name, env=environment, start_new_session=True)
        os.close(inside)
        try:
            self.see("states")
        except BaseException:
            self.end()
            raise
        self.start_seconds = time.perf_counter() - began
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            os.write(self.terminal, b"q")
        self.end()

    def end(self):
        """Reads on until the program has gone: it writes its last words into the terminal, too."""
        deadline = time.monotonic() + self.patience
        while self.child.poll() is None:
            self.read(0.05)
            if time.monotonic() > deadline:
                self.child.kill()
        os.close(self.terminal)
        self.directory.cleanup()

    def read(self, seconds):
        """What was drawn, after waiting for it for so long at most."""
        if not select.select([self.terminal], [], [], max(0, seconds))[0]:
            return b""
        with contextlib.suppress(OSError):
            return os.read(self.terminal, 1 << 16)
        return b""

    def see(self, *words):
        """Waits until one of the words is drawn. Words without blanks: what stands there already is not drawn again."""
        seen, deadline = b"", time.monotonic() + self.patience
        while not any(word.encode() in seen for word in words):
            seen += self.read(deadline - time.monotonic())
            if time.monotonic() > deadline or self.child.poll() is not None:
                raise stage.CannotGoOn(f"waitclose live never showed {' or '.join(words)}")

    def press(self, key, *words):
        """Seconds from the key until one of the words is drawn."""
        while self.read(0):
            pass
        began = time.perf_counter()
        os.write(self.terminal, key.encode())
        self.see(*words)
        return time.perf_counter() - began

    def rest(self, seconds):
        """Looks on."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.read(until - time.monotonic())

    def cpu_seconds(self):
        return sum(stage.cpu_times(self.child.pid))

    def resident_bytes(self):
        return int(pathlib.Path(f"/proc/{self.child.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
