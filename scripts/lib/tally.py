"""Adds up what scripts/test left in a directory: GoogleTest reports, exit codes, single results."""

import json
import pathlib
import sys

passed, failed, skipped = 0, [], []
for code_file in sorted(pathlib.Path(sys.argv[1]).glob("*.code")):
    code = int(code_file.read_text())
    failures_before = len(failed)
    try:
        suites = json.loads(code_file.with_suffix(".json").read_text())["testsuites"]
    except (OSError, ValueError):
        suites = []
    for test in (test for suite in suites for test in suite["testsuite"]):
        name = f"{code_file.stem}: {test.get('classname', '')}.{test['name']}"
        if test.get("failures"):
            failed.append(name)
        elif test.get("result") == "SKIPPED":
            skipped.append(name)
        elif test.get("result") == "COMPLETED":
            passed += 1
    if code and len(failed) == failures_before:
        failed.append(f"{code_file.stem} itself: it ended with code {code}")
for result_file in pathlib.Path(sys.argv[1]).glob("*.result"):
    result = result_file.read_text().strip()
    name = result_file.stem
    passed += result == "passed"
    failed += [name] * (result == "failed")
    skipped += [name] * (result == "skipped")

for name in skipped:
    print(f"skipped: {name}")
for name in failed:
    print(f"failed: {name}")
if not passed and not failed:
    print("no test ran: the filter matches none, or all were skipped")
print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
sys.exit(1 if failed or not passed else 0)
