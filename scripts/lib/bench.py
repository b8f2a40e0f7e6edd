"""Measures waitclose against its targets and its peers, on this machine, in one run.

Every figure that compares is a ratio of two things measured alternately, and the median of the runs is taken, so that a
slow or busy machine moves both sides alike.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import stage
import throughput
import view
from measuring import Churn, conditions, duration, held_sockets, peak_memory, programs, progress, run, setting, table, totals_of, verdict


def measure_census(options):
    counts = options.sockets or ([20000, 145000] if options.large else [20000])
    for count in counts:
        progress(f"census: opening and abandoning {count} connections")
        with held_sockets(count, "keep" if options.keep_peers else "close"):
            header, rows = one_census(count, options.runs or 5, "10 x" if count < 100000 else "20 x")
        table(f"Census of {count:,} held sockets (median of {options.runs or 5})", header, rows)


def one_census(count, runs, target):
    commands = {
        "waitclose snapshot": stage.waitclose("snapshot"),
        "waitclose snapshot --json": stage.waitclose("snapshot", "--json"),
        "ss -tanp state close-wait": ["ss", "-tanp", "state", "close-wait"],
        "lsof -nP -iTCP -sTCP:CLOSE_WAIT": ["lsof", "-nP", "-iTCP", "-sTCP:CLOSE_WAIT"],
    }
    commands = {name: command for name, command in commands.items() if shutil.which(command[0])}
    seconds = {name: [] for name in commands}
    for turn in range(runs):
        for name, command in commands.items():
            progress(f"census of {count}: run {turn + 1} of {runs}: {name}")
            seconds[name].append(run(command))
    ours = statistics.median(seconds["waitclose snapshot"])
    rows = []
    for name, command in commands.items():
        progress(f"census of {count}: peak memory of {name}")
        memory = peak_memory(command)
        middle = statistics.median(seconds[name])
        ratio, aim = f"{middle / ours:.1f} x", ""
        if not name.startswith("waitclose"):
            aim = verdict(middle / ours >= float(target[:-2]), f">= {target}")
        elif count >= 100000:
            aim = verdict(memory < 120e6, "< 120 MB")
        rows.append((name, duration(middle), duration(min(seconds[name])), duration(max(seconds[name])), ratio,
                     f"{memory / 1e6:.0f} MB", aim))
    return ("command", "time", "least", "most", "ratio", "peak memory", "target"), rows


def measure_diagnosis(options):
    """What naming the causes costs on top of a census: the same census, with everything left out of the answer."""
    count, processes, runs = 20000, 500, options.runs or 5
    progress(f"diagnosis: {count} connections held by {processes} processes")
    commands = {
        "census alone (all left out)": stage.waitclose("snapshot", "--min-held", "24h"),
        "groups: every hold decided": stage.waitclose("snapshot"),
        "--json: every hold in words": stage.waitclose("snapshot", "--json"),
        "--explain of one group": stage.waitclose("snapshot", "--explain"),
    }
    with held_sockets(count, "close", processes):
        listed = subprocess.run(stage.waitclose("snapshot", "--json"), stdout=subprocess.PIPE, check=True)
        groups = json.loads(listed.stdout)["groups"]
        commands["--explain of one group"].append(f"pid:{groups[0]['owner']['pid']}")
        seconds = {name: [] for name in commands}
        for turn in range(runs):
            for name, command in commands.items():
                progress(f"diagnosis: run {turn + 1} of {runs}: {name}")
                seconds[name].append(run(command))
        memory = {name: peak_memory(command) for name, command in commands.items()}
    census = statistics.median(seconds["census alone (all left out)"])
    rows = []
    for name, measured in seconds.items():
        more = statistics.median(measured) - census
        judged = name.startswith("groups") or name.startswith("--explain")  # JSON is mostly the writing of it
        aim = verdict(more < 1, "< 1 s") if judged else ""
        rows.append((name, duration(census + more), duration(max(more, 0)), f"{memory[name] / 1e6:.0f} MB", aim))
    table(f"Diagnosis of {count:,} holds in {len(groups)} groups (median of {runs})",
          ("command", "time", "more", "peak memory", "target"), rows)


def measure_churn(options):
    pairs = options.runs or 3
    seconds = ("--seconds", str(options.seconds))
    rows, ratios = [], []

    def row(name, untraced, traced, watch):
        entered, closed, lost = totals_of(watch)
        ratio = f"{100 * traced.rate / untraced.rate:.1f} %" if untraced else ""
        complete = entered == closed == traced.connections
        rows.append((name, f"{untraced.rate:,.0f}/s" if untraced else "", f"{traced.rate:,.0f}/s", ratio,
                     f"{traced.connections:,}", f"{entered:,}", f"{closed:,}", f"{lost:,}",
                     "complete" if complete else f"{entered - traced.connections:+,} entered"))

    def traced_run(*arguments):
        with stage.Watch() as watch:
            run = Churn(*seconds, *arguments)
        return run, watch

    progress("churn: a run to warm up, which fills the table of TIME_WAIT")
    Churn("--seconds", "3")
    for turn in range(pairs):
        progress(f"churn: pair {turn + 1} of {pairs}")
        if turn % 2 == 0:
            untraced, (traced, watch) = Churn(*seconds), traced_run()
        else:
            (traced, watch), untraced = traced_run(), Churn(*seconds)
        ratios.append(traced.rate / untraced.rate)
        row(f"as fast as it can, {turn + 1}", untraced, traced, watch)
    progress("churn: 25,000 connections a second")
    row("25,000 a second", None, *traced_run("--rate", "25000"))
    middle = statistics.median(ratios)
    rows.append(("median", "", "", f"{100 * middle:.1f} %", "", "", "", "", verdict(middle >= 0.97, ">= 97 %")))
    table(f"Healthy connections through CLOSE_WAIT, {options.seconds} s each, under watch",
          ("", "untraced", "traced", "ratio", "connections", "entered", "closed", "lost", ""), rows)


def measure_precision(options):
    count = 1000
    progress(f"precision: {count} holds of 1 to 5 ms")
    with stage.Culprit("exact_holds", "--count", str(count)) as holds, tempfile.TemporaryFile("w+") as lines:
        with stage.Watch("--json", "-L", str(holds.truth["port"]), "--min-held", "0ms", stdout=lines):
            truths = [holds.obey("fin"), *(holds.hear() for _ in range(count - 1))]
        lines.seek(0)
        events = map(json.loads, lines)
        found = {event["socket"]["remote"]["port"]: event["socket"]["held_ns"]
                 for event in events if event["event"] == "closed"}
    errors = []
    for truth in truths:
        held = (truth["close_before_ns"] + truth["close_after_ns"] - truth["fin_before_ns"] - truth["fin_after_ns"]) / 2
        if truth["remote_port"] in found:
            errors.append(abs(found[truth["remote_port"]] - held) / 1e9)
    if len(errors) < 100:
        raise stage.CannotGoOn(f"waitclose watch told the length of {len(errors)} of {count} holds")
    percentiles = statistics.quantiles(errors, n=100)
    table("Length of a hold against the program's own clock", ("holds", "seen", "p50", "p99", "most", "target"),
          [(f"{count:,}", f"{len(errors):,}", *map(duration, (percentiles[49], percentiles[98], max(errors))),
            verdict(percentiles[98] <= 100e-6, "p99 <= 100 us"))])


def measure_start(options):
    runs = options.runs or 10
    seconds = []
    for turn in range(runs):
        progress(f"start: run {turn + 1} of {runs}")
        with stage.Watch() as watch:
            seconds.append(watch.start_seconds)
    middle = statistics.median(seconds)
    table(f"From start to all probes attached (median of {runs})", ("command", "time", "least", "most", "target"),
          [("waitclose watch", duration(middle), duration(min(seconds)), duration(max(seconds)),
            verdict(middle <= 0.150, "<= 150 ms"))])


def measure_kernel(options):
    with setting("kernel.bpf_stats_enabled", "1"), stage.Watch() as watch:
        progress("kernel time: churn under watch")
        before = programs(watch)
        Churn("--seconds", str(options.seconds))
        after = programs(watch)
    rows = []
    for program, (runs, nanoseconds) in sorted(after.items()):
        runs_before, nanoseconds_before = before.get(program, (0, 0))
        runs, nanoseconds = runs - runs_before, nanoseconds - nanoseconds_before
        if runs:
            name = program[0]
            rows.append((name, f"{runs:,}", f"{nanoseconds / runs:.0f} ns", limit_of(name, nanoseconds / runs)))
    table("Time in the kernel, by the kernel's own count", ("program", "runs", "a run", "target"), rows)


def limit_of(program, nanoseconds):
    for word, limit in (("transition", 100), ("receive", 120), ("recv", 120)):
        if word in program:
            return verdict(nanoseconds <= limit, f"<= {limit} ns")
    return ""


def measure_live(options):
    """What the view costs where very much is held, and whether a key is answered at once, whatever else it does."""
    count, runs = (options.sockets or [150000])[0], options.runs or 3
    progress(f"live: opening and abandoning {count} connections")
    with held_sockets(count, "close"), view.View() as live:
        began = time.perf_counter()
        before = live.cpu_seconds()
        progress("live: looking on for 20 s")
        live.rest(20)
        share = (live.cpu_seconds() - before) / (time.perf_counter() - began)
        progress("live: pressing keys")
        watching = [keys_answered(live) for _ in range(runs)]
        live.press("r", "REC")
        recording = [keys_answered(live) for _ in range(runs)]
        began, before = time.perf_counter(), live.cpu_seconds()
        progress("live: looking on for 10 s more, recording")
        live.rest(10)
        recording_share = (live.cpu_seconds() - before) / (time.perf_counter() - began)
        memory = live.resident_bytes()
    rows = [
        ("from start to the first census on the screen", duration(live.start_seconds), ""),
        ("CPU after that, at 1 Hz", f"{100 * share:.1f} %", verdict(share <= 0.05, "<= 5 %")),
        ("a key until it is redrawn", *key_times(watching)),
        ("CPU while it records", f"{100 * recording_share:.1f} %", ""),
        ("a key until it is redrawn, while it records", *key_times(recording)),
        ("memory", f"{memory / 1e6:.0f} MB", ""),
    ]
    table(f"The view of {count:,} held sockets", ("", "measured", "target"), rows)


def measure_record(options):
    """What it costs to record very many connections, as it is by default and with every hold in the file."""
    rows = []
    for name, arguments in (("as it is", ()), ("every hold (--min-held 0)", ("--min-held", "0ms"))):
        progress(f"record: 25,000 connections a second, {name}")
        with stage.Record(*arguments) as record:
            began, before = time.perf_counter(), record.user_seconds()
            churn = Churn("--seconds", str(options.seconds), "--rate", "25000")
            share = (record.user_seconds() - before) / (time.perf_counter() - began)
        entered, closed, lost = totals_of(record)
        complete = entered == closed == churn.connections and lost == 0
        rows.append((name, f"{churn.rate:,.0f}/s", f"{entered:,}", f"{closed:,}", f"{lost:,}", f"{100 * share:.1f} %",
                     verdict(share <= 0.10 and complete, "all, <= 10 %")))
    table(f"A recording of {options.seconds} s, and what it takes of one CPU in user space",
          ("", "connections", "entered", "closed", "lost", "CPU", "target"), rows)


def measure_recordings(_):
    """A million events: from a recording to every format, and from memory. The tests check that what they write is right."""
    progress("recordings: a million events in every format")
    program = str(stage.build_directory / "tests" / "timeline" / "waitclose_timeline")
    done = subprocess.run([program, "--gtest_filter=*Speed.*"], env={**os.environ, "WAITCLOSE_MOST_SECONDS": "2"},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    row = re.compile(r"^(.+): ([\d.]+) s of a CPU, (.+?)(?:, at most ([\d.]+) s)?$", re.MULTILINE)
    rows = [(what, f"{seconds} s", details, verdict(float(seconds) <= float(most), f"<= {most} s") if most else "")
            for what, seconds, details, most in row.findall(done.stdout)]
    if not rows:
        raise stage.CannotGoOn("the build is not optimised" if done.returncode == 0 else f"{program} said: {done.stdout}")
    table("Recordings of a million events, seconds of a CPU", ("", "time", "", "target"), rows)
    if done.returncode != 0 and not any("MISSED" in row[-1] for row in rows):
        raise stage.CannotGoOn(f"{program} found something wrong: {done.stdout}")


def measure_capture(options):
    """What a capture takes from the program that it looks at: redis under load, alternately captured and not."""
    pairs, seconds = options.runs or 5, min(options.seconds, 5)
    rows = []
    with throughput.Redis() as redis, throughput.Load(redis) as load:
        load.rate(2)  # warm
        rows.append(capture_row("redis alone", pairs, seconds, load, ("-p", str(redis.pid))))
        with stage.Culprit("functions", "--mode", "crowd") as crowd:
            selected = ("-p", str(redis.pid), "-p", str(crowd.truth["pid"]))
            rows.append(capture_row("redis, and 2,000 threads asleep", pairs, seconds, load, selected))
    table(f"A redis server under load while waitclose captures, {pairs} pairs of {seconds} s each",
          ("", "untraced", "captured", "ratio", "least", "most", "threads", "overhead", "events lost", "target"), rows)


def capture_row(name, pairs, seconds, load, selected):
    untraced, captured, manifests = [], [], []
    for turn in range(pairs):
        progress(f"capture: {name}: pair {turn + 1} of {pairs}")
        if turn % 2 == 0:
            untraced.append(load.rate(seconds))
        with throughput.Capture(seconds + 1, *selected) as capture:
            captured.append(load.rate(seconds))
            manifests.append(capture.manifest())
        if turn % 2 == 1:
            untraced.append(load.rate(seconds))
    ratios = [there / alone for there, alone in zip(captured, untraced)]
    overhead = statistics.median(manifest["cost"]["overhead"] for manifest in manifests)
    threads = manifests[-1]["captured"]["threads"]
    lost = sum(manifest["losses"]["activity"] for manifest in manifests)
    return (name, f"{statistics.median(untraced):,.0f}/s", f"{statistics.median(captured):,.0f}/s",
            f"{100 * statistics.median(ratios):.1f} %", f"{100 * min(ratios):.1f} %", f"{100 * max(ratios):.1f} %",
            f"{threads:,}", f"{100 * overhead:.1f} %", f"{lost:,}", verdict(overhead <= 0.03, "overhead <= 3 %"))


def keys_answered(live):
    """Seconds from key to redraw, of keys that come at any time within the second between two looks."""
    seconds = []
    for turn in range(20):
        live.rest(0.13 + turn % 7 * 0.05)
        seconds.append(live.press("?", "inside:", "pause", "arrows"))
        live.rest(0.07 + turn % 5 * 0.05)
        seconds.append(live.press("h", "SOCKETS", "states", "OWNER"))
    return seconds


def key_times(rounds):
    """The best of the medians: what other programs take from this one is not its doing."""
    best = min(statistics.median(seconds) for seconds in rounds)
    every = sorted(second for seconds in rounds for second in seconds)
    slow = every[int(0.95 * (len(every) - 1))]
    return (f"{duration(best)} (95 % within {duration(slow)}, most {duration(every[-1])})",
            verdict(best <= 0.050, "<= 50 ms"))


MEASURES = {
    "census": measure_census,
    "diagnosis": measure_diagnosis,
    "precision": measure_precision,
    "start": measure_start,
    "live": measure_live,
    "record": measure_record,
    "recordings": measure_recordings,
    "churn": measure_churn,
    "capture": measure_capture,
    "kernel": measure_kernel,
}


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__.splitlines()[0],
        epilog="what: census (against ss and lsof), diagnosis (what it costs on top), churn (connections a second, traced and not), precision (length of "
               "1,000 holds), start (until all probes are attached), live (what the view of 150,000 sockets costs, how soon it answers a key), record (what recording 25,000 connections a second takes), "
               "recordings (a million events, read and written), capture (redis under load, captured and not), kernel (time in each BPF program); default: all")
    parser.add_argument("what", nargs="*", help="census, diagnosis, precision, start, live, record, recordings, churn, capture, kernel, all")
    parser.add_argument("--large", action="store_true", help="census: 145,000 sockets too")
    parser.add_argument("--sockets", type=int, action="append", metavar="N", help="census, live: this many instead")
    parser.add_argument("--keep-peers", action="store_true", help="census: the clients are processes of this machine too")
    parser.add_argument("--seconds", type=int, default=10, metavar="N", help="churn, record, capture, kernel: how long a run lasts (10; capture 5)")
    parser.add_argument("--runs", type=int, metavar="N", help="how often (census 5, churn 3, start 10, live 3, capture 5)")
    parser.add_argument("--build", type=pathlib.Path, metavar="DIR", help="measure this build, and do not build")
    options = parser.parse_args()
    for name in options.what:
        if name not in {*MEASURES, "all"}:
            parser.error(f"there is no {name!r} to measure: {', '.join([*MEASURES, 'all'])}")
    if min(options.seconds, *(options.sockets or [1]), 1 if options.runs is None else options.runs) < 1:
        parser.error("numbers start at 1")

    if options.build:
        stage.build_directory = options.build.resolve()
    else:
        stage.prepare("scripts/bench")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    conditions()
    for name in MEASURES if not options.what or "all" in options.what else options.what:
        MEASURES[name](options)


if __name__ == "__main__":
    try:
        main()
    except (stage.CannotGoOn, OSError) as reason:
        progress("")
        sys.exit(f"bench: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
