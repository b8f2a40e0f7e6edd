"""Adds up what scripts/test left in a directory: GoogleTest's reports, the kernel lab's, exit codes, single results."""

import json
import pathlib
import sys


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed, self.skipped, self.not_run = [], [], []  # (what, how many)

    def add(self, to, what, how_many=1):
        if how_many:
            to.append((what, how_many))

    def gtest(self, program, report):
        for test in (test for suite in report["testsuites"] for test in suite["testsuite"]):
            name = f"{program}: {test.get('classname', '')}.{test['name']}"
            if test.get("failures"):
                self.add(self.failed, name)
            elif test.get("result") == "SKIPPED":
                self.add(self.skipped, name)
            elif test.get("result") == "COMPLETED":
                self.passed += 1

    def kernel(self, report):
        """One kernel of the lab, which has said by now which tests failed there, and why."""
        name, counts = f"kernel {report['kernel']}", report["counts"]
        if report["why_not_run"]:
            to = self.failed if report["must_run"] else self.not_run
            self.add(to, f"{name} was not run: {report['why_not_run']}")
            return
        self.passed += counts["passed"]
        self.add(self.failed, f"{name}: tests that failed", counts["failed"])
        self.add(self.failed, f"{name}: tests it did not get as far as", counts["not run"])
        self.add(self.skipped, f"{name}: tests", counts["skipped"])
        if report["failed"] and not counts["failed"] + counts["not run"]:
            self.add(self.failed, f"{name}: {report['cut_short'] or 'no test passed'}")

    def program(self, code_file):
        """What left a report and an exit code. One that died has no report: its exit code then says that it failed."""
        failures = len(self.failed)
        try:
            report = json.loads(code_file.with_suffix(".json").read_text())
        except (OSError, ValueError):
            report = {"testsuites": []}
        if "kernels" in report:
            for kernel in report["kernels"]:
                self.kernel(kernel)
        else:
            self.gtest(code_file.stem, report)
        code = int(code_file.read_text())
        if code and len(self.failed) == failures:
            self.add(self.failed, f"{code_file.stem} itself: it ended with code {code}")

    def single(self, result_file):
        result = result_file.read_text().strip()
        self.passed += result == "passed"
        self.add(self.failed, result_file.stem, result == "failed")
        self.add(self.skipped, result_file.stem, result == "skipped")

    def print(self):
        for word, entries in (("skipped", self.skipped), ("not run", self.not_run), ("failed", self.failed)):
            for what, how_many in entries:
                print(f"{word}: {what}" + (f": {how_many}" if how_many > 1 else ""))
        if not self.passed and not self.failed:
            print("no test ran: the filter matches none, or all were skipped")
        failed, skipped = (sum(how_many for _, how_many in entries) for entries in (self.failed, self.skipped))
        not_run = len(self.not_run)
        print(f"{self.passed} passed, {failed} failed, {skipped} skipped"
              + (f", {not_run} kernel{'s' if not_run > 1 else ''} not run" if not_run else ""))


def main():
    directory, tally = pathlib.Path(sys.argv[1]), Tally()
    for code_file in sorted(directory.glob("*.code")):
        tally.program(code_file)
    for result_file in sorted(directory.glob("*.result")):
        tally.single(result_file)
    tally.print()
    return 1 if tally.failed or not tally.passed else 0


sys.exit(main())
