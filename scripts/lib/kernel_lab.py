"""Runs waitclose's tests on real Debian kernels in QEMU and prints the matrix: kernels x hooks, tests, seconds."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import kernel_lab_archive as archive
import kernel_lab_figures as figures
import kernel_lab_machine as machine
import kernel_lab_recording as recording
import kernel_lab_tables as tables
import stage
from kernel_lab_outcome import Kernel, Outcome, expected_tests, take
from stage import CannotGoOn

TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "bpftool": "bpftool",
         "setcap": "libcap2-bin", "setpriv": "util-linux", "dpkg": "dpkg", "ldd": "libc-bin"}
# Nothing that measures speed, nothing that needs what the machines do not have, nothing that no kernel changes.
THOROUGH = "-Measure.*:Redis.*:PythonPool.*:Real/*:Arguments/*:Output.*:Capture.*"
# Emulated, a test takes a second or two: each culprit is looked at once afterwards, and where there is time once from its
# very beginning. The suites about one subject run natively; --thorough runs them here, too.
# Of captures what depends on the hooks is seen there: one build's functions, the field cases, a target that is killed.
CAPTURES = ("*/CaptureShowsLate.*", "*/CaptureFunctions.AreIn*", "*/CaptureFunctions.*/functions_*", "CaptureRuntime.*",
            "CaptureIntervals.Fill*", "CaptureStopsNobody.*", "CaptureCrowd.*", "CaptureNamespaces.*", "*/CaptureEnds.*/ex*")
SUBJECTS = ("AcceptSide.*", "*Chains.*", "Runtimes/*", "Explain.*", "Time.*", "Shares.*",
            "Hooks/*", "FieldCases.*", "Touched.*", "Long*", "*LongDecoys*", "Recording.*", "Report.*", "*Reports.*",
            "Exports.*", "Selection*", "Live*", "*/Live*", "BlockedHandlers.*", "ChainsInWords.*", "Case08.*", "Usage.*",
            "*.AreMeasuredRight/*", "*.AreNotInASnapshot/*", *CAPTURES)
DEFAULT = ":".join((THOROUGH, "Doctor*", "*.WatchComesAfterwards/*", "*.WatchComesBeforeTheFin/*", *SUBJECTS))
FROM_THE_START = "*.WatchComesBeforeTheConnection/"
# What no hook that differs between kernels has a part in.
ALIKE = tuple(FROM_THE_START + name + "*" for name in ("Stuck", "Locks", "Chain", "Loop", "Acceptor", "Busy", "Mixed",
                                                       "Multipath", "Idle", "Blocked"))
VARIANTS = tuple(f"{FROM_THE_START}*{name}" for name in ("Ipv6", "Mapped", "OtherNetns", "HostileName"))

# What takes long and is seen on another kernel as well: `without` keeps the lab within ten minutes.
KERNELS = {kernel.name: kernel for kernel in (
    Kernel("5.10", "bullseye", "linux-image-cloud-amd64", without=("Agreement.*", "Forced/*", *ALIKE, *VARIANTS)),
    Kernel("6.1", "bookworm", "linux-image-cloud-amd64", must_run=True, records=True,
           without=("Agreement.*", "Forced/*", *ALIKE)),
    Kernel("6.12", "bookworm", "linux-image-6.12-cloud-amd64", must_run=True,
           without=("Agreement.*", FROM_THE_START + "*")),
    Kernel("native"),
    Kernel("newest", "unstable", "linux-image-cloud-amd64",
           without=("Agreement.*", "Forced/*", *ALIKE, *VARIANTS)),
)}
LEAST_TIME = 60  # seconds; with less there is no sense in booting
# An emulated machine stands still when the host has other things to do, and its clock goes on.
EMULATED = {"WAITCLOSE_LATE_TICKS_MS": "30", "WAITCLOSE_PATIENCE": "3"}


def say(text):
    print(f"kernel-lab: {text}", file=sys.stderr, flush=True)


class Lab:
    """What the runs of one evening share."""

    def __init__(self, options, logs):
        self.options = options
        self.logs = logs
        self.ends = time.monotonic() + options.limit if options.limit else None
        self.mirror = archive.Mirror()
        self.initramfs = None
        self.why_no_machines = ""

    def run(self):
        kernels = [KERNELS[name] for name in self.options.kernels]
        in_machines = [kernel for kernel in kernels if kernel.release]
        if in_machines:
            try:
                have_tools()
                self.initramfs = machine.make_initramfs(self.options.build, self.options.add)
            except CannotGoOn as reason:
                self.why_no_machines = str(reason)
        # The native run disturbs, and is disturbed by, nobody.
        outcomes = {kernel: self.run_kernel(kernel) for kernel in kernels if not kernel.release}
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            longest_first = sorted(in_machines, key=lambda kernel: len(kernel.without))
            outcomes |= zip(longest_first, pool.map(self.run_kernel, longest_first))
        return [outcomes[kernel] for kernel in kernels]

    def run_kernel(self, kernel):
        outcome = Outcome(kernel)
        gtest_filter = self.options.filter or ":".join((DEFAULT, *kernel.without))
        records = kernel.records and self.options.filter in (None, THOROUGH) and not self.options.run
        settings = {"LAB_FILTER": gtest_filter, "LAB_COMMAND": self.options.run, "LAB_RECORDS": "yes" if records else ""}
        logs = self.logs / kernel.name
        logs.mkdir()
        try:
            run = self.in_machine(outcome, logs, settings) if kernel.release else self.natively(logs, settings)
        except (CannotGoOn, OSError, subprocess.CalledProcessError) as reason:
            outcome.not_run = str(reason)
            say(f"{kernel.name}: not run: {reason}")
            return outcome
        if self.options.run:
            outcome.ended = run.ended or ""
            print(f"== {kernel.name}", run.console.strip(), *filter(None, [outcome.ended]), sep="\n", flush=True)
            return outcome
        take(outcome, run, expected_tests(self.options.build, gtest_filter))
        if records:
            outcome.tests[recording.TEST] = recording.judge(self.options.build, logs, run.results)
        say(f"{kernel.name}: {outcome.count('passed')} passed, {outcome.count('failed')} failed in "
            f"{outcome.seconds:.0f} s" + (f"; {outcome.ended}" if outcome.ended else ""))
        return outcome

    def in_machine(self, outcome, logs, settings):
        if self.why_no_machines:
            raise CannotGoOn(self.why_no_machines)
        kernel = outcome.kernel
        image = archive.kernel_image(self.options.cache, kernel.release, kernel.package, self.mirror, logs / "apt.log")
        outcome.package_version = image.version
        outcome.notes += filter(None, [image.note])
        deadline = self.deadline()
        say(f"{kernel.name}: booting {image.version}")
        return machine.boot(image.file, machine.with_settings(self.initramfs, **settings, **EMULATED), logs, deadline)

    def natively(self, logs, settings):
        if os.geteuid() != 0:
            raise CannotGoOn("loading BPF programs natively needs root")
        say("native: running")
        return machine.run_natively(self.options.build, logs, self.deadline(), **settings)

    def deadline(self):
        """Seconds for the next run."""
        if self.ends is None:
            return self.options.deadline
        left = self.ends - time.monotonic()
        if left < LEAST_TIME:
            raise CannotGoOn(f"no time was left for it, as the lab has {self.options.limit:.0f} s in all")
        return min(self.options.deadline, left)


def have_tools():
    """Lets scripts/setup install what is missing."""
    if os.uname().machine != "x86_64":
        raise CannotGoOn("the lab's kernels are for x86_64, and what was built here is not")
    if missing_packages():
        subprocess.run([str(stage.ROOT / "scripts" / "setup")], stdin=subprocess.DEVNULL)
    if missing := missing_packages():
        raise CannotGoOn(f"it takes {' and '.join(missing)}, which scripts/setup could not install")


def missing_packages():
    return sorted({package for program, package in TOOLS.items() if not machine.find_program(program)})


# --- the command ---


def arguments():
    must_run = " and ".join(kernel.name for kernel in KERNELS.values() if kernel.must_run)
    parser = argparse.ArgumentParser(prog="scripts/kernel-lab", description=__doc__)
    parser.add_argument("kernels", metavar="KERNEL", nargs="*",
                        help=f"{', '.join(KERNELS)}; all of them when none is named; {must_run} must run")
    parser.add_argument("--no-native", action="store_true", help="the kernels in QEMU only")
    parser.add_argument("--build", metavar="DIR", type=pathlib.Path, help="test this build, and do not build")
    parser.add_argument("--cache", metavar="DIR", type=pathlib.Path, default=default_cache(),
                        help="where kernels and the verifier's figures are kept (default: %(default)s)")
    parser.add_argument("--logs", metavar="DIR", type=pathlib.Path,
                        help="where logs and matrix.json go (default: below /tmp, and kept unless all is green)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--filter", help=f"the GoogleTest filter (default: {DEFAULT}, and less on some kernels)")
    which.add_argument("--thorough", dest="filter", action="store_const", const=THOROUGH,
                       help="every test that can run there: twice the time")
    parser.add_argument("--deadline", metavar="S", type=float, default=540,
                        help="for one kernel (default: %(default)s)")
    parser.add_argument("--limit", metavar="S", type=float, help="for all kernels together (default: none)")
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1,
                        help="machines at a time (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one object instead of the tables")
    parser.add_argument("--report", metavar="FILE", type=pathlib.Path, help="write that object to this file, too")
    parser.add_argument("--run", metavar="COMMAND", default="",
                        help="run this shell command on each kernel instead of the tests, and print what it says")
    parser.add_argument("--add", metavar="FILE", type=pathlib.Path, action="append", default=[],
                        help="put this file into the machines too, in /lab")
    options = parser.parse_args()
    if wrong := [name for name in options.kernels if name not in KERNELS]:
        parser.error(f"unknown kernel {wrong[0]}; choose among {', '.join(KERNELS)}")
    options.kernels = list(dict.fromkeys(options.kernels)) or list(KERNELS)
    if options.no_native:
        options.kernels = [name for name in options.kernels if KERNELS[name].release]
    options.cache = options.cache.resolve()
    return options


def default_cache():
    if base := os.environ.get("XDG_CACHE_HOME"):
        return pathlib.Path(base, "waitclose-lab")
    return pathlib.Path("/var/cache" if os.geteuid() == 0 else pathlib.Path.home() / ".cache", "waitclose-lab")


def report(outcomes):
    kernels = [outcome.as_json() for outcome in outcomes]
    return json.dumps({"schema": "waitclose.kernel-lab/1", "kernels": kernels}, indent=1)


def tell(options, outcomes, logs, seconds):
    figures.compare_with_last_run(options.cache, outcomes)
    for file in filter(None, (logs / "matrix.json", options.report)):
        file.write_text(report(outcomes) + "\n")
    if options.json:
        print(report(outcomes))
    else:
        tables.print_all(outcomes)
        where = f"; logs and matrix.json: {logs}" if keeps_logs(options, outcomes) else ""
        print(f"\n{seconds:.0f} s in all{where}")


def keeps_logs(options, outcomes):
    return options.logs or any(outcome.fails() or outcome.not_run for outcome in outcomes)


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
    outcomes = Lab(options, logs).run()
    if options.run:
        failed = any(outcome.not_run or outcome.ended for outcome in outcomes)
    else:
        tell(options, outcomes, logs, time.monotonic() - began)
        failed = any(outcome.fails() for outcome in outcomes)
    if not keeps_logs(options, outcomes):
        shutil.rmtree(logs)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotGoOn, OSError) as reason:
        sys.exit(f"kernel-lab: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
