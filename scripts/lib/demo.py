"""Shows waitclose at work on services that leak connections: who holds them, how long, why, and whether it is true."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import stage

COLOR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
SERVICES = (
    ("read_eof", "--mode", "one-of-20", "--comm", "orders"),
    ("never_accepted", "--mode", "single", "--comm", "billing"),
    ("client_side", "--mode", "idle-pool", "--comm", "gateway"),
)
LIVE_SERVICE = ("read_eof", "--mode", "one-of-20", "--comm", "checkout", "--wait-for-fin")


# --- the stage ---


def bold(text):
    return f"\033[1m{text}\033[m" if COLOR else text


def dim(text):
    return f"\033[2m{text}\033[m" if COLOR else text


def say(*lines):
    print(*lines, sep="\n", flush=True)


def act(number, title, *lines):
    say("", bold(f"{number}  {title}"), *(f"   {line}".rstrip() for line in lines), "")


def show(command):
    """Prints a command as one would type it, and runs it."""
    words = [os.path.relpath(command[0], stage.ROOT) if "/" in command[0] else command[0], *command[1:]]
    say(dim("$ " + shlex.join(words)))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, cwd=stage.ROOT)
    if done.returncode != 0:
        raise stage.CannotGoOn(f"{' '.join(words)} ended with code {done.returncode}")


def clock():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def seconds(nanoseconds):
    return f"{nanoseconds / 1e9:.3f} s"


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

    def add(self, name, truth, ended_ns, socket, traced):
        """ended_ns: by the service's own clock, the moment at which waitclose looked or the hold ended."""
        # The FIN is acknowledged up to 40 ms after it came (a delayed ACK): in between lies when it came.
        held_ns, at_least_ns = ended_ns - truth["fin_before_ns"], ended_ns - truth["fin_after_ns"]
        self.add_row(name, "itself", truth["pid"], truth["tid"], truth["fd"], seconds(held_ns), truth["cause"], "")
        if socket is None:
            self.add_row("", "waitclose", *[None] * len(self.COLUMNS), "NOT FOUND")
            self.all_agree = False
            return
        holders = socket["holders"] or []
        holder = holders[0] if holders else {}
        culprit = socket["culprit"] or {}
        pid, tid = culprit.get("pid", holder.get("pid")), culprit.get("tid")
        cause = (socket["cause"] or {}).get("id", "-")
        exact = socket["held_precision"] == "exact"
        agrees = (
            pid in (truth["pid"], None)
            and (tid in (truth["tid"], None) or truth["tid"] is None)
            and [(holder["pid"], holder["fd"]) for holder in holders]
            == [(holder["pid"], holder["fd"]) for holder in truth["holders"]]
            and cause in [truth["cause"], *truth["acceptable"], *([] if traced else truth["acceptable_untraced"])]
            and socket["held_ns"] < held_ns + 1_000_000
            and socket["held_ns"] > at_least_ns - (1_000_000 if exact else 20_000_000)
        )
        self.all_agree &= agrees
        held = seconds(socket["held_ns"]) if exact else f"≥ {seconds(socket['held_ns'])}"
        self.add_row("", "waitclose", pid, tid, holder.get("fd"), held, cause, "agrees" if agrees else "DIFFERS")

    def add_row(self, *cells):
        self.rows.append(tuple("-" if cell is None else str(cell) for cell in cells))

    def print(self):
        rows = [("service", "says", *self.COLUMNS, ""), *self.rows]
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            say("   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


# --- the show ---


def play():
    say("", bold("waitclose: who never called close(), for how long, and why"))
    comparison = Comparison()
    with contextlib.ExitStack() as running:
        services = [running.enter_context(stage.Culprit(*service)) for service in SERVICES]
        meet(services)
        look(services, comparison)
        live = running.enter_context(stage.Culprit(*LIVE_SERVICE))
        watch_live(live, comparison)
    act(4, "Is it true? Each service's own account, and waitclose's")
    comparison.print()
    say("",
        "   ≥  the hold is older than waitclose's first look, so it lasted at least that long",
        "   -  there is none, or one look cannot tell which: waitclose does not guess",
        "",
        "   Everything that this demo started has been stopped.")
    what_next()
    return 0 if comparison.all_agree else 1


def name_of(pid):
    """As the kernel knows it, and so as ss and waitclose show it."""
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def meet(services):
    orders, billing, gateway = services
    act(1, "Three services, and a connection each that nobody closes",
        f"{name_of(orders.truth['pid'])}, port {orders.truth['port']}",
        "   20 threads serve 20 clients; all clients hang up. 19 threads close their",
        "   connection, one reads end-of-file and goes on to the next request.",
        f"{name_of(billing.truth['pid'])}, port {billing.truth['port']}",
        "   Is busy elsewhere. A client connects, waits, and gives up.",
        f"{name_of(gateway.truth['pid'])}, a client of port {gateway.truth['remote_port']}",
        "   Keeps its connection in a pool. The server has hung up.",
        "",
        "For ten seconds waitclose gives a program the benefit of the doubt: it may",
        "still be working on an answer. So the connections age for 11 s; then ss:")
    let_it_age(services, 11_000_000_000)
    ports_filter = " or ".join(f"sport = :{service.truth['port']}" for service in services)
    show(["ss", "-tnp", "state", "close-wait", f"( {ports_filter} )"])


def look(services, comparison):
    ports = [service.truth["port"] for service in services]
    act(2, "waitclose snapshot: who holds them, for how long, and why",
        "Nothing was traced beforehand; this is one look at what the kernel knows.",
        f"Look at the causes, and at {name_of(services[1].truth['pid'])}, which ss cannot name.")
    show(stage.waitclose("snapshot", "-L", ",".join(map(str, ports))))
    found, looked = snapshot_of(ports)
    for service in services:
        truth = service.truth
        comparison.add(name_of(truth["pid"]), truth, looked, found.get(truth["port"]), traced=False)


def watch_live(service, comparison):
    act(3, "waitclose watch: a fourth service leaks one before our eyes",
        "checkout is like orders. But now reads and close() are seen as they happen:",
        "look at the thread, one of 20, that read end-of-file, and at the exact time.",
        "Once waitclose has said so, checkout closes the connection at last.")
    options = ("-L", str(service.truth["port"]), "--min-held", "10500ms")
    say(dim("$ build/waitclose watch " + " ".join(options)))
    color = ("--color", "always" if COLOR else "never")
    with Told(*options, "--json") as in_json, Told(*options, *color, show=say) as shown:
        truth = service.obey("fin")
        name = name_of(truth["pid"])
        in_json.wait_for('"event":"held"')
        shown.wait_for("held")
        closed = service.obey("close")
    say(dim(shown.totals))
    about = [json.loads(line)["socket"] for line in in_json.lines if f'"port":{truth["remote_port"]}' in line]
    comparison.add(name, truth, closed["close_after_ns"], about[-1] if about else None, traced=True)


class Told(stage.Watch):
    """`waitclose watch` whose lines are kept, and passed on as they come."""

    def __init__(self, *arguments, show=lambda line: None):
        super().__init__(*arguments, stdout=subprocess.PIPE)
        self.show = show
        self.lines = []
        self.news = threading.Condition()

    def __enter__(self):
        super().__enter__()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        return self

    def read(self):
        for line in self.child.stdout:
            self.show(line.rstrip())
            with self.news:
                self.lines.append(line)
                self.news.notify_all()

    def wait_for(self, words, patience=30):
        """On a machine with very many sockets waitclose looks less often, to stay cheap."""
        with self.news:
            self.news.wait_for(lambda: any(words in line for line in self.lines), patience)

    def __exit__(self, *_):
        super().__exit__()
        self.reader.join()


def what_next():
    say("", bold("Next, on the real sockets of this machine:"),
        "   sudo build/waitclose snapshot   every socket in CLOSE_WAIT, by owner and cause",
        "   sudo build/waitclose watch      the holds as they begin, last and end",
        "   sudo build/waitclose doctor     what this kernel and these privileges allow",
        "   sudo scripts/test               all tests")


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
