"""What a run on one kernel left behind, read and judged."""

import dataclasses
import json
import re
import subprocess

RIGHT = ("Culprits/", "Healthy/", "LongLeaks.", "Forced/", "Agreement.")  # suites that compare waitclose with the truth
RESULTS = ("passed", "failed", "skipped", "not run")


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    release: str = ""  # of Debian; without one it is the kernel that runs here
    package: str = ""
    must_run: bool = False
    records: bool = False  # a recording is made there, and reported here
    without: tuple = ()  # GoogleTest patterns: what is left out on this kernel by default


@dataclasses.dataclass
class Outcome:
    """One row of the matrix."""

    kernel: Kernel
    not_run: str = ""  # why, when it did not run
    ended: str = ""  # how the run was cut short
    notes: list = dataclasses.field(default_factory=list)  # what else is to be said of it
    package_version: str = ""
    release: str = ""
    seconds: float = 0
    doctor: dict = dataclasses.field(default_factory=dict)
    doctor_said: str = ""
    verifier: list = dataclasses.field(default_factory=list)  # one object a program
    tests: dict = dataclasses.field(default_factory=dict)  # name -> (one of RESULTS, words)

    def count(self, *results, prefixes=("",)):
        return sum(result in results and name.startswith(prefixes) for name, (result, _) in self.tests.items())

    def fails(self):
        if self.not_run:
            return self.kernel.must_run
        return bool(self.ended) or self.count("failed", "not run") > 0 or self.count("passed") == 0

    def as_json(self):
        return {
            "kernel": self.kernel.name, "must_run": self.kernel.must_run, "failed": self.fails(),
            "package_version": self.package_version or None, "release": self.release or None,
            "why_not_run": self.not_run or None, "cut_short": self.ended or None, "notes": self.notes,
            "verdict": self.doctor.get("verdict"),
            "hooks": {hook["need"]: hook["hook"] for hook in self.doctor.get("hooks", [])},
            "counts": {result: self.count(result) for result in RESULTS},
            "tests": {name: {"result": result, "words": words or None} for name, (result, words) in self.tests.items()},
            "verifier": self.verifier, "seconds": round(self.seconds, 1),
        }


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


def take(outcome, run, expected):
    """Fills in what the run left."""
    outcome.seconds = run.seconds
    outcome.ended = run.ended or ""
    outcome.release = run.results.get("release", "").strip()
    outcome.doctor = parsed(run.results.get("doctor.json"))
    outcome.doctor_said = run.results.get("doctor.err", "").strip()
    outcome.verifier = parsed(run.results.get("verifier.json")).get("programs", [])
    if run.results.get("verifier.code", "0").strip() != "0":
        words = run.results.get("verifier.err", "").strip() or "it said nothing"
        outcome.notes.append(f"waitclose_verifier gave no figures: {words.splitlines()[0]}")
    on_console, running = tests_on_console(run.console)
    outcome.tests = tests_in_report(run.results.get("runtime.json"), on_console) or on_console
    if outcome.ended and running:
        outcome.ended += f", in {running}"
    if not outcome.ended and not outcome.tests:
        code = run.results.get("runtime.code", "?").strip()
        outcome.ended = f"the suite ended with code {code} and left no report"
    for name in expected:
        outcome.tests.setdefault(name, ("not run", ""))


def parsed(text):
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {}


def tests_in_report(report, on_console):
    """The report knows every failure in full, but not why a test was skipped: that stands on the console."""
    tests = {}
    for suite in parsed(report).get("testsuites", []):
        for test in suite["testsuite"]:
            name = f"{test.get('classname', suite['name'])}.{test['name']}"
            words = "\n".join(failure["failure"] for failure in test.get("failures", []))
            ended = {"COMPLETED": "passed", "SKIPPED": "skipped"}.get(test.get("result"), "not run")
            tests[name] = ("failed", words) if words else (ended, on_console.get(name, ("", ""))[1])
    return tests


def tests_on_console(console):
    """What GoogleTest's own lines say, and the test that was running when they ended."""
    results = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
    tests, running, words = {}, "", []
    for line in console.splitlines():
        if began := re.match(r"\[ RUN      \] (\S+)", line):
            running, words = began[1], []
        elif ended := re.match(r"\[\s+(OK|FAILED|SKIPPED)\s+\] ([^\s,]+).*\(\d+ ms\)$", line):
            tests[ended[2]] = (results[ended[1]], "" if ended[1] == "OK" else "\n".join(words))
            running = ""
        elif running:
            words.append(line)
    return tests, running
