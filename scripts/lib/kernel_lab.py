"""Runs waitclose's tests on real Debian kernels in QEMU and prints the matrix: kernels x hooks, tests, seconds."""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import kernel_lab_archive as archive
import kernel_lab_machine as machine
import stage
from stage import CannotGoOn

SUPPORTING = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "bpftool": "bpftool",
              "setcap": "libcap2-bin", "dpkg": "dpkg", "ldd": "libc-bin"}
# Nothing that measures speed, nothing that needs what the machines do not have, nothing that no kernel changes.
THOROUGH = "-Measure.*:Redis.*:PythonPool.*:Case1/*:Arguments/*"
# Emulated, a test takes a second or two: each culprit is looked at once afterwards, and once from its very beginning.
FILTER = THOROUGH + ":*.WatchComesAfterwards/*:*.WatchComesBeforeTheFin/*"
RIGHT = ("Culprits/", "Healthy/")  # the suites that compare waitclose with what the culprits say of themselves


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    release: str = ""
    package: str = ""
    must_run: bool = False


KERNELS = {kernel.name: kernel for kernel in (
    Kernel("5.10", "bullseye", "linux-image-cloud-amd64"),
    Kernel("6.1", "bookworm", "linux-image-cloud-amd64", must_run=True),
    Kernel("6.12", "bookworm", "linux-image-6.12-cloud-amd64", must_run=True),
    Kernel("native"),
    Kernel("newest", "unstable", "linux-image-cloud-amd64"),
)}


@dataclasses.dataclass
class Outcome:
    """One row of the matrix."""

    kernel: Kernel
    not_run: str = ""  # why, when it did not run
    ended: str = ""  # how the run was cut short
    package_version: str = ""
    release: str = ""
    seconds: float = 0
    doctor: dict = dataclasses.field(default_factory=dict)
    doctor_said: str = ""
    verifier: dict = dataclasses.field(default_factory=dict)
    tests: dict = dataclasses.field(default_factory=dict)  # name -> (passed | failed | skipped | not run, words)

    def count(self, *results, prefixes=("",)):
        return sum(result in results and name.startswith(prefixes) for name, (result, _) in self.tests.items())

    def fails(self):
        return bool(self.not_run and self.kernel.must_run) or bool(self.ended) or \
            not self.not_run and (not self.tests or self.count("failed", "not run") > 0)


# --- reading what a run left ---


def parsed(text):
    try:
        return json.loads(text or "")
    except ValueError:
        return {}


def tests_in_report(report):
    tests = {}
    for suite in parsed(report).get("testsuites", []):
        for test in suite["testsuite"]:
            words = "\n".join(failure["failure"] for failure in test.get("failures", []))
            result = "failed" if words else {"COMPLETED": "passed", "SKIPPED": "skipped"}.get(test.get("result"), "not run")
            tests[f"{test.get('classname', suite['name'])}.{test['name']}"] = (result, words)
    return tests


def tests_on_console(console):
    """When the suite did not come to its end, its lines say how far it came."""
    results = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
    ended = re.findall(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] ([^\s,]+).*\(\d+ ms\)$", console, re.M)
    return {name: (results[mark], "") for mark, name in ended}


def take(outcome, run, expected):
    outcome.seconds = run.seconds
    outcome.ended = run.ended or ""
    outcome.release = run.results.get("release", "").strip()
    outcome.doctor = parsed(run.results.get("doctor.json"))
    outcome.doctor_said = run.results.get("doctor.err", "").strip()
    outcome.verifier = parsed(run.results.get("verifier.json"))
    outcome.tests = tests_in_report(run.results.get("runtime.json")) or tests_on_console(run.console)
    if not outcome.ended and not outcome.tests:
        outcome.ended = f"the suite ended with code {run.results.get('runtime.code', '?').strip()} and left no report"
    for name in expected:
        outcome.tests.setdefault(name, ("not run", ""))


def expected_tests(build, gtest_filter):
    """By name, whether a kernel gets as far as running them or not."""
    program = build / "tests/runtime/waitclose_runtime"
    listed = subprocess.run([str(program), "--gtest_list_tests", f"--gtest_filter={gtest_filter}"], capture_output=True,
                            text=True).stdout
    names, suite = [], ""
    for line in listed.splitlines():
        word = line.split("#")[0].strip()
        if line.startswith(" "):
            names.append(suite + word)
        else:
            suite = word
    return names


# --- running ---


def run_kernel(kernel, options, image, expected, logs):
    outcome = Outcome(kernel)
    logs.mkdir()
    try:
        if kernel.release:
            outcome.package_version, vmlinuz = archive.kernel_image(options.cache, kernel.release, kernel.package,
                                                                    logs / "apt.log")
            if isinstance(image, CannotGoOn):
                raise image
            say(f"{kernel.name}: booting {outcome.package_version}")
            run = machine.boot(vmlinuz, image, logs, options.deadline)
        else:
            if os.geteuid() != 0:
                raise CannotGoOn("loading BPF programs natively needs root")
            say("native: running")
            run = machine.run_natively(options.build, logs, options.deadline, LAB_FILTER=options.filter,
                                       LAB_COMMAND=options.run)
    except (CannotGoOn, OSError, subprocess.CalledProcessError) as reason:
        outcome.not_run = str(reason)
        say(f"{kernel.name}: not run: {reason}")
        return outcome
    if options.run:
        print(f"== {kernel.name}: {run.results.get('release', '').strip()}", run.console.strip(), sep="\n", flush=True)
        outcome.ended = run.ended or ""
        return outcome
    take(outcome, run, expected)
    say(f"{kernel.name}: {outcome.count('passed')} passed, {outcome.count('failed')} failed in {outcome.seconds:.0f} s"
        + (f"; {outcome.ended}" if outcome.ended else ""))
    return outcome


def run_all(options, logs):
    kernels = [KERNELS[name] for name in options.kernels]
    expected = expected_tests(options.build, options.filter)
    image = logs / "initramfs"
    if any(kernel.release for kernel in kernels):
        try:
            have_tools()
            machine.make_initramfs(image, options.build, options.add, LAB_FILTER=options.filter, LAB_COMMAND=options.run)
        except CannotGoOn as reason:
            image = reason
    # The native run disturbs, and is disturbed by, nobody.
    outcomes = {kernel: run_kernel(kernel, options, image, expected, logs / kernel.name)
                for kernel in kernels if not kernel.release}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {kernel: pool.submit(run_kernel, kernel, options, image, expected, logs / kernel.name)
                   for kernel in kernels if kernel.release}
        outcomes |= {kernel: future.result() for kernel, future in running.items()}
    if isinstance(image, pathlib.Path):
        image.unlink(missing_ok=True)
    return [outcomes[kernel] for kernel in kernels]


def have_tools():
    """Installs what the lab needs beyond scripts/setup, where that can be done."""
    if os.uname().machine != "x86_64":
        raise CannotGoOn("the lab's kernels and our binaries are of different architectures: it needs an x86_64 machine")
    missing = sorted({package for program, package in SUPPORTING.items() if not machine.find_program(program)})
    if not missing:
        return
    command = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0:
        raise CannotGoOn(f"{' and '.join(missing)} must be installed first: sudo {command}")
    say(f"installing {' '.join(missing)}")
    options = ["-qy", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends"]
    for arguments in (["update"], ["install", *options, *missing]):
        done = subprocess.run(["apt-get", *arguments], env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("E: ")] or ["it said nothing"]
        raise CannotGoOn(f"{' and '.join(missing)} could not be installed: {said[0]}")


# --- telling ---


def say(text):
    print(f"kernel-lab: {text}", file=sys.stderr, flush=True)


def table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def verdict(outcome):
    if outcome.not_run:
        return "not run"
    return outcome.doctor.get("verdict") or "no answer"


def share(part, whole):
    return f"{part}/{whole}" if whole else "-"


def matrix(outcomes):
    rows = [("kernel", "release", "doctor", "hooks", "culprits right", "passed", "failed", "skipped", "not run", "seconds")]
    for outcome in outcomes:
        hooks = outcome.doctor.get("hooks", [])
        numbers = [str(outcome.count(result)) for result in ("passed", "failed", "skipped", "not run")]
        rows.append((outcome.kernel.name, outcome.release or "-", verdict(outcome),
                     share(sum(hook["hook"] is not None for hook in hooks), len(hooks)),
                     share(outcome.count("passed", prefixes=RIGHT), outcome.count("passed", "failed", "not run", prefixes=RIGHT)),
                     *(numbers if not outcome.not_run else ["-"] * 4),
                     f"{outcome.seconds:.0f}" if outcome.seconds else "-"))
    return table(rows)


def hooks_table(outcomes):
    ran = [outcome for outcome in outcomes if outcome.doctor.get("hooks")]
    needs = [hook["need"] for hook in ran[0].doctor["hooks"]] if ran else []
    rows = [("hooks chosen", *(outcome.kernel.name for outcome in ran))]
    for need in needs:
        chosen = [next((hook["hook"] for hook in outcome.doctor["hooks"] if hook["need"] == need), None) for outcome in ran]
        rows.append((need, *(hook or "none" for hook in chosen)))
    return table(rows) if needs else []


def verifier_table(outcomes):
    """Instructions the verifier processed and its time, by program and kernel."""
    ran = [outcome for outcome in outcomes if outcome.verifier.get("programs")]
    if not ran:
        return ["verifier: no figures (tests/kernels/waitclose_verifier was not built, or said nothing)"]
    rows = [("verifier: instructions / ms", *(outcome.kernel.name for outcome in ran))]
    loads = {outcome.kernel: {load_name(program): program for program in outcome.verifier["programs"]} for outcome in ran}
    for name in dict.fromkeys(name for of_kernel in loads.values() for name in of_kernel):
        rows.append((name, *(verifier_cell(of_kernel.get(name)) for of_kernel in loads.values())))
    return table(rows)


def load_name(program):
    return program["program"] + (", filtered" if program["settings"] == "all" else "")


def verifier_cell(program):
    if program is None:
        return "-"
    if not program["loads"]:
        return f"refused ({program['error']})"
    time_text = f" / {program['microseconds'] / 1000:.1f}" if program["microseconds"] is not None else ""
    return f"{program['instructions']}{time_text}" + ("" if program["attaches"]["works"] else " (does not attach)")


def troubles(outcome):
    """Why a cell is not green."""
    name = outcome.kernel.name
    if outcome.not_run:
        return [f"{name}: not run: {outcome.not_run}"]
    lines = [f"{name}: {outcome.ended}"] if outcome.ended else []
    if outcome.doctor_said:
        lines.append(f"{name}: doctor: {outcome.doctor_said.splitlines()[0]}")
    for part in ("census", "tracing"):
        if why := (outcome.doctor.get(part) or {}).get("why_not"):
            lines.append(f"{name}: no {part}: {why}")
    for hook in outcome.doctor.get("hooks", []):
        if hook["hook"] is None:
            lines += [f"{name}: {hook['need']}: {one['hook']}: {one['refused']}" for one in hook["alternatives"] if one["refused"]]
    for refused in outcome.verifier.get("maps_refused", []):
        lines.append(f"{name}: map {refused['map'] or '?'}: {refused['error']}")
    failed = [test for test, (result, _) in outcome.tests.items() if result == "failed"]
    lines += [f"{name}: failed: {test}" for test in failed[:20]]
    if len(failed) > 20:
        lines.append(f"{name}: failed: and {len(failed) - 20} more")
    return lines


def as_json(outcomes, logs):
    kernels = []
    for outcome in outcomes:
        kernels.append({
            "kernel": outcome.kernel.name, "package_version": outcome.package_version or None, "release": outcome.release or None,
            "ran": not outcome.not_run, "why_not": outcome.not_run or None, "cut_short": outcome.ended or None,
            "verdict": outcome.doctor.get("verdict"), "hooks": {hook["need"]: hook["hook"] for hook in outcome.doctor.get("hooks", [])},
            "counts": dict(collections.Counter(result for result, _ in outcome.tests.values())),
            "tests": {name: {"result": result, "failure": words or None} for name, (result, words) in outcome.tests.items()},
            "verifier": outcome.verifier or None, "seconds": round(outcome.seconds, 1),
        })
    return json.dumps({"schema": "waitclose.kernel-lab/1", "logs": str(logs), "kernels": kernels}, indent=1)


def print_matrix(outcomes):
    for part in (matrix(outcomes), hooks_table(outcomes), verifier_table(outcomes),
                 [line for outcome in outcomes for line in troubles(outcome)]):
        if part:
            print("", *part, sep="\n")


# --- the command ---


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/kernel-lab", description=__doc__)
    parser.add_argument("kernels", metavar="KERNEL", nargs="*",
                        help=f"{', '.join(KERNELS)}; all of them when none is named; {' and '.join(k.name for k in KERNELS.values() if k.must_run)} must run")
    parser.add_argument("--build", metavar="DIR", type=pathlib.Path, help="test this build, and do not build")
    parser.add_argument("--cache", metavar="DIR", type=pathlib.Path, help="where fetched kernels are kept",
                        default=pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "waitclose-lab")
    parser.add_argument("--logs", metavar="DIR", type=pathlib.Path, help="where the logs go (default: a new one below /tmp)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--filter", default=FILTER, help="the GoogleTest filter (default: %(default)s)")
    which.add_argument("--thorough", dest="filter", action="store_const", const=THOROUGH,
                       help="every test that can run there: twice the time")
    parser.add_argument("--deadline", metavar="S", type=float, default=420, help="for one kernel (default: %(default)s)")
    parser.add_argument("--jobs", metavar="N", type=int, default=max(1, (os.cpu_count() or 2)),
                        help="machines at a time (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one object instead of the tables")
    parser.add_argument("--run", metavar="COMMAND", default="", help="run this shell command in each machine instead of the tests, and print what it says")
    parser.add_argument("--add", metavar="FILE", type=pathlib.Path, action="append", default=[],
                        help="put this file into the machines too, in /lab")
    options = parser.parse_args()
    if wrong := [name for name in options.kernels if name not in KERNELS]:
        parser.error(f"unknown kernel {wrong[0]}; choose among {', '.join(KERNELS)}")
    options.kernels = list(dict.fromkeys(options.kernels)) or list(KERNELS)
    options.cache = options.cache.resolve()
    return options


def main():
    options = arguments()
    if options.build:
        options.build = options.build.resolve()
    else:
        stage.prepare("scripts/kernel-lab", "--build-only")
        options.build = stage.build_directory
    logs = options.logs.resolve() if options.logs else pathlib.Path(tempfile.mkdtemp(prefix="waitclose-lab."))
    logs.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    outcomes = run_all(options, logs)
    if options.run:
        return 1 if any(outcome.not_run or outcome.ended for outcome in outcomes) else 0
    (logs / "matrix.json").write_text(as_json(outcomes, logs) + "\n")
    if options.json:
        print(as_json(outcomes, logs))
    else:
        print_matrix(outcomes)
        print(f"\n{time.monotonic() - began:.0f} s in all; logs and matrix.json: {logs}")
    return 1 if any(outcome.fails() for outcome in outcomes) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotGoOn, OSError) as reason:
        sys.exit(f"kernel-lab: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
