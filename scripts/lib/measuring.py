"""What the measurements of scripts/bench share: how things are run and loaded, and how figures are shown."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import stage


# --- running things ---


def run(command):
    """Runs to the end with output thrown away: seconds."""
    began = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - began
    if done.returncode not in ((0, 1) if command[0] == "lsof" else (0,)):  # lsof: 1 when a process ends under its eyes
        said = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise stage.CannotGoOn(f"{' '.join(command)} ended with code {done.returncode}: {said}")
    return seconds


def peak_memory(command):
    """Bytes: the kernel's own high-water mark, read until the process ends. (The one in rusage starts at our size.)"""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{child.pid}/status").read_text())
            peak = max(peak, int(found[1]) * 1024) if found else peak
        time.sleep(0.001)
    return peak


def programs(watch):
    """Name, runs and nanoseconds of every BPF program that it holds."""
    ids = set()
    for info in pathlib.Path(f"/proc/{watch.child.pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            found = re.search(r"^prog_id:\s+(\d+)", info.read_text(), re.MULTILINE)
            ids |= {int(found[1])} if found else set()
    shown = subprocess.run(["bpftool", "prog", "show", "--json"], stdout=subprocess.PIPE, check=True)
    return {(program.get("name", "?"), program["id"]): (program.get("run_cnt", 0), program.get("run_time_ns", 0))
            for program in json.loads(shown.stdout) if program["id"] in ids}


@contextlib.contextmanager
def setting(name, value):
    """A kernel setting for as long as it is needed."""
    file = pathlib.Path("/proc/sys", name.replace(".", "/"))
    before = file.read_text()
    file.write_text(value)
    try:
        yield
    finally:
        file.write_text(before)


def sockets_in_time_wait():
    found = re.search(r"\btw (\d+)", pathlib.Path("/proc/net/sockstat").read_text())
    return int(found[1]) if found else 0


@contextlib.contextmanager
def held_sockets(count, peers, processes=0):
    """So many connections that clients have closed. With peers "close" the clients' ends are gone, as if elsewhere."""
    with setting("net.ipv4.tcp_fin_timeout", "1"):
        with stage.Culprit("hold_many", "--sockets", str(count), "--peers", peers, "--processes", str(processes)):
            patience = time.monotonic() + 70
            while sockets_in_time_wait() > count // 100 and time.monotonic() < patience:
                time.sleep(0.1)
            yield
            with open("/proc/net/tcp", encoding="ascii") as sockets:
                held = sum(line.split()[3] == "08" for line in sockets)
            if held < 0.999 * count:  # a few are reset where the kernel runs short of orphans
                raise stage.CannotGoOn(f"only {held} of {count} connections were still held at the end of the measurement")


class Churn:
    """One run of healthy connections: how many there were, and how many a second."""

    def __init__(self, *arguments):
        with stage.Culprit("churn", *arguments) as churn:
            self.connections = churn.truth["connections"]
            self.rate = churn.truth["per_second"]


def totals_of(watch):
    """Entered, closed, lost: the last words of `watch` and `record`."""
    found = re.search(r"entered (\d+), closed (\d+), .*lost: ring (\d+), storage (\d+)", watch.totals)
    if not found:
        raise stage.CannotGoOn(f"waitclose watch ended without its totals: {watch.totals}")
    entered, closed, ring, storage = map(int, found.groups())
    return entered, closed, ring + storage


# --- showing things ---


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def duration(seconds):
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 0.001:
        return f"{seconds * 1e3:.1f} ms"
    if seconds >= 1e-6:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e9:.0f} ns"


def table(title, header, rows):
    progress("")
    rows = [tuple(map(str, row)) for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    print(f"\n{title}")
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1])]
        print("   ".join(["  " + cells[0], *cells[1:], row[-1]]).rstrip())
    sys.stdout.flush()


def conditions():
    """What else may explain a figure. Every socket in TIME_WAIT, which churn leaves behind, is one to walk past."""
    print(f"Linux {os.uname().release}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, "
          f"{sockets_in_time_wait():,} sockets in TIME_WAIT")


def verdict(met, target):
    return f"{target}  {'met' if met else 'MISSED'}"
