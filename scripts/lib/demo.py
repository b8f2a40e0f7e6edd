"""Shows waitclose at work on services that leak connections: who holds them, how long, why, and whether it is true."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import stage

COLOR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
SERVICES = {
    "orders": ("read_eof", "--mode", "one-of-20"),
    "billing": ("never_accepted", "--mode", "single"),
    "gateway": ("client_side", "--mode", "idle-pool"),
}


# --- the stage ---


def bold(text):
    return f"\033[1m{text}\033[m" if COLOR else text


def dim(text):
    return f"\033[2m{text}\033[m" if COLOR else text


def say(*lines):
    print(*lines, sep="\n", flush=True)


def act(number, title, *lines):
    say("", bold(f"{number}  {title}"), *(f"   {line}" for line in lines), "")


def show(command):
    """Prints a command as one would type it, and runs it."""
    words = [os.path.relpath(command[0], stage.ROOT) if "/" in command[0] else command[0], *command[1:]]
    say(dim("$ " + " ".join(words)))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, cwd=stage.ROOT)
    if done.returncode != 0:
        raise stage.CannotGoOn(f"{' '.join(words)} ended with code {done.returncode}")


def clock():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def seconds(nanoseconds):
    return "-" if nanoseconds is None else f"{nanoseconds / 1e9:.3f} s"


def let_it_age(services, at_least_ns):
    """Waiting is the one thing a hold is made of."""
    youngest = max(service.truth["fin_after_ns"] for service in services)
    time.sleep(max(0, youngest + at_least_ns - clock()) / 1e9)


# --- is it true? ---


def snapshot_of(ports):
    """What waitclose finds, by local port, and when it looked, by the clock of the services."""
    command = stage.waitclose("snapshot", "--json", "-L", ",".join(map(str, ports)))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise stage.CannotGoOn(f"waitclose snapshot --json ended with code {done.returncode}")
    snapshot = json.loads(done.stdout)
    ago = time.time() - datetime.datetime.fromisoformat(snapshot["taken_at"]).timestamp()
    return {socket["local"]["port"]: socket for socket in snapshot["sockets"]}, clock() - int(ago * 1e9)


class Comparison:
    """What a service says of itself beside what waitclose found."""

    COLUMNS = ("process", "thread", "fd", "held", "cause")

    def __init__(self):
        self.rows = []
        self.all_agree = True

    def add(self, name, truth, held_ns, socket, traced):
        """held_ns: by the service's own clock, at the moment at which waitclose looked or the hold ended."""
        self.rows.append((name, "itself", *self.cells(truth["pid"], truth["tid"], truth["fd"], held_ns, truth["cause"]), ""))
        if socket is None:
            self.rows.append(("", "waitclose", *["-"] * len(self.COLUMNS), "NOT FOUND"))
            self.all_agree = False
            return
        holder = next(iter(socket["holders"]), {})
        culprit = socket["culprit"] or {}
        pid, tid, cause = culprit.get("pid", holder.get("pid")), culprit.get("tid"), socket["cause"]["id"]
        error_ns = held_ns - socket["held_ns"]
        agrees = (
            pid in (truth["pid"], None)
            and tid in (truth["tid"], None)
            and [(holder["pid"], holder["fd"]) for holder in socket["holders"]]
            == [(holder["pid"], holder["fd"]) for holder in truth["holders"]]
            and cause in [truth["cause"], *truth["acceptable"], *([] if traced else truth["acceptable_untraced"])]
            and abs(error_ns) < (1_000_000 if socket["held_precision"] == "exact" else 20_000_000)
        )
        self.all_agree &= agrees
        self.rows.append(("", "waitclose", *self.cells(pid, tid, holder.get("fd"), socket["held_ns"], cause),
                          "agrees" if agrees else "DIFFERS"))

    @staticmethod
    def cells(pid, tid, fd, held_ns, cause):
        return tuple("-" if value is None else str(value) for value in (pid, tid, fd)) + (seconds(held_ns), cause)

    def print(self):
        rows = [("service", "says", *self.COLUMNS, ""), *self.rows]
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            say("   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


# --- the show ---


def play():
    comparison = Comparison()
    with contextlib.ExitStack() as running:
        services = {name: running.enter_context(stage.Culprit(*how, "--comm", name)) for name, how in SERVICES.items()}
        meet(services)
        look(services, comparison)
        live = running.enter_context(stage.Culprit("read_eof", "--mode", "one-of-20", "--comm", "checkout", "--wait-for-fin"))
        watch_live(live, comparison)
    act(4, "Is it true? Each service's own account, and waitclose's")
    comparison.print()
    say("", "   All that this demo started has been stopped.")
    what_next()
    return 0 if comparison.all_agree else 1


def meet(services):
    ports = {name: service.truth["port"] for name, service in services.items()}
    act(1, "Three services, and one connection each that nobody closes",
        f"orders   (pid {services['orders'].truth['pid']}, port {ports['orders']}): 20 threads serve 20 clients. The clients hang up;",
        "         19 threads close, one reads end-of-file and goes on to the next request.",
        f"billing  (port {ports['billing']}): its acceptor is busy elsewhere; a client connects, waits, and gives up.",
        f"gateway  (pid {services['gateway'].truth['pid']}, to port {services['gateway'].truth['remote_port']}): keeps a connection in a pool; its server hung up.")
    let_it_age(services.values(), 1_500_000_000)
    say("", "   This is what ss knows about it:", "")
    ports_filter = " or ".join(f"sport = :{port}" for port in ports.values())
    show(["ss", "-tnp", "state", "close-wait", f"( {ports_filter} )"])


def look(services, comparison):
    ports = [service.truth["port"] for service in services.values()]
    act(2, "waitclose snapshot: who holds them, for how long, and why")
    show(stage.waitclose("snapshot", "-L", ",".join(map(str, ports))))
    found, looked = snapshot_of(ports)
    for name, service in services.items():
        socket = found.get(service.truth["port"])
        comparison.add(name, service.truth, looked - service.truth["fin_after_ns"], socket, traced=False)


def watch_live(service, comparison):
    act(3, "waitclose watch: a fourth service leaks one, while we look on",
        "checkout is like orders, but this time every read and every close() is seen as it happens, so the thread",
        "that read end-of-file can be named. After 1.5 s somebody closes the connection at last.")
    port = str(service.truth["port"])
    with tempfile.TemporaryFile("w+") as lines:
        with stage.Watch("--json", "-L", port, "--min-held", "500ms", stdout=lines):
            say(dim(f"$ build/waitclose watch -L {port} --min-held 500ms"))
            with stage.Watch("-L", port, "--min-held", "500ms", stdout=None) as shown:
                truth = service.obey("fin")
                time.sleep(1.5)
                closed = service.obey("close")
        say(dim(shown.totals))
        lines.seek(0)
        events = [json.loads(line) for line in lines]
    last = events[-1]["socket"] if events else None
    comparison.add("checkout", truth, closed["close_after_ns"] - truth["fin_after_ns"], last, traced=True)


def what_next():
    say("", bold("Next, on this machine's real sockets:"),
        "   sudo build/waitclose snapshot             every socket in CLOSE_WAIT, grouped by owner and cause",
        "   sudo build/waitclose watch --min-held 1s  the holds as they begin, last and end",
        "   sudo build/waitclose doctor               what this kernel and these privileges allow",
        "   sudo scripts/test                         all tests")


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--build", metavar="DIR", help="show this build, and do not build")
    options = parser.parse_args()
    if options.build:
        stage.build_directory = pathlib.Path(options.build).resolve()
    else:
        stage.prepare("scripts/demo", "--build-only")
    return play()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (stage.CannotGoOn, OSError) as reason:
        sys.exit(f"demo: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
