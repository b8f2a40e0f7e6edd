"""What the demo and the benchmarks share: the build, the culprits in position, waitclose with its probes attached."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
build_directory = ROOT / "build"


class CannotGoOn(Exception):
    """What stands in the way, in one sentence."""


def prepare(script, *setup_arguments):
    """Root, kernel, packages, build; ends the program where one of them cannot be had, which has been said by then."""
    steps = "set -euo pipefail; . scripts/lib/prepare.sh; prepare \"$@\""
    done = subprocess.run(["bash", "-c", steps, script, *setup_arguments], cwd=ROOT)
    if done.returncode != 0:
        sys.exit(done.returncode)


def waitclose(*arguments):
    return [str(build_directory / "waitclose"), *arguments]


def cpu_times(pid):
    """Seconds of CPU time that a process has used so far, all threads together: in user space, in the kernel."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return tuple(int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])


class Culprit:
    """A program of tests/culprits: tells the truth as lines of JSON, obeys commands, ends when its stdin does."""

    def __init__(self, name, *arguments):
        self.name = " ".join([name, *arguments])
        program = str(build_directory / "tests" / "culprits" / name)
        self.child = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.truth = None

    def hear(self):
        line = self.child.stdout.readline()
        if not line:
            raise CannotGoOn(f"{self.name} ended with code {self.child.wait()} and said nothing")
        return json.loads(line)

    def obey(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        return self.hear()

    def __enter__(self):
        try:
            self.truth = self.hear()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        self.child.stdout.read()
        self.child.wait()


class Traced:
    """A command that traces, from all probes attached until it has printed its totals."""

    def __init__(self, command, *arguments, stdout=subprocess.DEVNULL):
        self.command = command
        self.arguments = arguments
        self.stdout = stdout

    def user_seconds(self):
        return cpu_times(self.child.pid)[0]

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="waitclose-stage.")
        self.stderr_file = pathlib.Path(self.directory.name, "stderr")
        ready_file = pathlib.Path(self.directory.name, "ready")
        began = time.perf_counter()
        with self.stderr_file.open("w") as stderr:
            self.child = subprocess.Popen(waitclose(self.command, "--ready-file", str(ready_file), *self.arguments),
                                          stdin=subprocess.DEVNULL, stdout=self.stdout, stderr=stderr, text=True)
        try:
            while not ready_file.exists():
                if self.child.poll() is not None:
                    raise CannotGoOn(f"waitclose {self.command} could not start: {self.stderr_file.read_text().strip()}")
                if time.perf_counter() - began > 30:
                    raise CannotGoOn(f"waitclose {self.command} was not ready after 30 s")
                time.sleep(0.0002)
        except BaseException:
            self.child.kill()
            self.child.wait()
            self.directory.cleanup()
            raise
        self.start_seconds = time.perf_counter() - began
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise CannotGoOn(f"waitclose {self.command} did not end within 30 s of SIGINT") from None
        finally:
            self.totals = self.stderr_file.read_text().strip()
            self.directory.cleanup()


class Watch(Traced):
    """`waitclose watch`."""

    def __init__(self, *arguments, stdout=subprocess.DEVNULL):
        super().__init__("watch", *arguments, stdout=stdout)


class Record(Traced):
    """`waitclose record` into a file that is gone when it ends."""

    def __init__(self, *arguments):
        super().__init__("record", *arguments)

    def __enter__(self):
        self.recordings = tempfile.TemporaryDirectory(prefix="waitclose-stage.")
        self.arguments += ("-o", str(pathlib.Path(self.recordings.name, "recording.db")))
        return super().__enter__()

    def __exit__(self, *reason):
        super().__exit__(*reason)
        self.recordings.cleanup()
