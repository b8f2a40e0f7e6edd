"""Makes field cases 3, 4, 8 and 17 happen at once, records them, and writes all six outputs of the recording."""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import stage

PATIENCE_SECONDS = 60
# What happened, in short; the culprit that does it; and what has to be said of it.
CASES = (
    (3, "handlers write to a disk that takes no more", ("stuck", "--mode", "disk-frozen"), "handler-blocked", "disk"),
    (4, "the accept queue fills up", ("acceptor", "--mode", "sleep"), "never-accepted", "sleep"),
    (8, "handlers wait for a third party", ("chain", "--mode", "third-party"), "handler-blocked", "downstream"),
    (17, "a child keeps what its parent closed", ("inherited", "--mode", "fork-after"), "inherited-fd", None),
)
ENDING = (17,)  # closes in the end, so that somebody is seen to
OUTPUTS = (
    ("perfetto", "incident.pftrace"),
    ("chrome", "incident.chrome.json"),
    ("folded", "incident.folded"),
    ("speedscope", "incident.speedscope.json"),
    ("ndjson", "incident.ndjson"),
)


class Record:
    """`waitclose record`, from all probes attached until it has printed its totals."""

    def __init__(self, recording):
        self.recording = recording

    def __enter__(self):
        ready = self.recording.with_suffix(".ready")
        self.child = subprocess.Popen(
            stage.waitclose("record", "-o", str(self.recording), "--ready-file", str(ready)),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        began = time.monotonic()
        while not ready.exists():
            if self.child.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
                self.child.kill()
                raise stage.CannotGoOn(f"waitclose record did not start: {self.child.communicate()[1].strip()}")
            time.sleep(0.01)
        ready.unlink()
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        try:
            self.totals = self.child.communicate(timeout=PATIENCE_SECONDS)[1].strip()
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise stage.CannotGoOn("waitclose record did not end within a minute of SIGINT") from None


def run(*arguments):
    done = subprocess.run(stage.waitclose(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise stage.CannotGoOn(f"waitclose {arguments[0]} ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def set_stage(stack):
    """Starts the culprits, not yet connected. Gives those that can run here, and says which cannot."""
    ready = []
    for number, what, command, cause, wait in CASES:
        culprit = stack.enter_context(stage.Culprit(*command, "--wait-for-start"))
        if "skip" in culprit.truth:
            print(f"case {number} cannot happen here: {culprit.truth['skip']}")
        else:
            ready.append((number, what, culprit, cause, wait))
    return ready


def group_of(report, truth, cause, wait):
    """The report's group about this culprit, if it says what it has to."""
    for group in report["groups"]:
        links = group["longest"]["cause"]["because"]
        waits = [link["waits_for"] for link in links]
        if group["local_port"] == truth["port"] and group["cause"] == cause and (wait is None or wait in waits):
            return group
    return None


def found_in(recording, happened):
    """The groups that are right, by the number of their case. The recording may still grow."""
    ports = ",".join(sorted({str(culprit.truth["port"]) for _, _, culprit, _, _ in happened}))
    report = json.loads(run("report", "--json", "-L", ports, str(recording)))
    found = {}
    for number, _, culprit, cause, wait in happened:
        if group := group_of(report, culprit.truth, cause, wait):
            found[number] = group
    return ports, found


def make_it_happen(recording, seconds):
    with contextlib.ExitStack() as stack:
        happened = set_stage(stack)
        with Record(recording) as record:
            for _, _, culprit, _, _ in happened:
                culprit.truth = culprit.obey("start")
            began = time.monotonic()
            while True:
                time.sleep(1)
                _, found = found_in(recording, happened)
                lasted = time.monotonic() - began
                if lasted > PATIENCE_SECONDS or (lasted > seconds and len(found) == len(happened)):
                    break
            for number, _, culprit, _, _ in happened:
                if number in ENDING:
                    culprit.obey("close")
        print(record.totals)
    return happened, *found_in(recording, happened)[:1]


def write_outputs(directory, recording, ports):
    for name, file in OUTPUTS:
        run("export", "--format", name, "-L", ports, "-o", str(directory / file), str(recording))
    run("report", "--html", str(directory / "incident.html"), "-L", ports, str(recording))
    (directory / "incident.txt").write_text(run("report", "-L", ports, str(recording)))


def describe(number, what, culprit, group):
    if group is None:
        return f"case {number:2}  {what}: NOT FOUND"
    culprit_found = group["longest"]["culprit"] or {}
    who = culprit_found.get("comm") or "nobody"
    return (f"case {number:2}  {what}: {group['cause']} ({group['confidence']}), {group['sockets']} held, "
            f"{who} ({culprit_found.get('tid') or culprit_found.get('pid')})\n         "
            f"{group['longest']['cause']['summary']}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/incident", description=__doc__)
    parser.add_argument("directory", nargs="?", help="where to write to; a new one under /tmp unless given")
    parser.add_argument("--seconds", type=float, default=10, metavar="N", help="how long it lasts at least (10)")
    parser.add_argument("--build", metavar="DIR", help="use this build, and do not build")
    options = parser.parse_args()
    if options.build:
        stage.build_directory = pathlib.Path(options.build).resolve()
    else:
        stage.prepare("scripts/incident", "--build-only")
    directory = pathlib.Path(options.directory or tempfile.mkdtemp(prefix="waitclose-incident."))
    directory.mkdir(parents=True, exist_ok=True)
    recording = directory / "incident.db"
    if recording.exists():
        raise stage.CannotGoOn(f"{recording} is there already")
    happened, ports = make_it_happen(recording, options.seconds)
    write_outputs(directory, recording, ports)
    _, found = found_in(recording, happened)
    for number, what, culprit, _, _ in happened:
        print(describe(number, what, culprit, found.get(number)))
    print(f"\nwritten to {directory}:")
    for path in sorted(directory.iterdir()):
        print(f"  {os.path.getsize(path):>10,}  {path.name}")
    return 0 if len(found) == len(happened) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except stage.CannotGoOn as failure:
        sys.exit(f"scripts/incident: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
