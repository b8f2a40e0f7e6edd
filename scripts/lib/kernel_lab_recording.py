"""A recording made in a lab machine, brought out and reported here: it says the same on both."""

import base64
import binascii
import gzip
import subprocess

TEST = "Recordings.ReportTheSameOnAnotherMachine"
DEADLINE = 60  # seconds for the report


def judge(build, logs, results):
    """(one of RESULTS, words) from what step "recording" of tests/kernels/steps sent: the recording, and its report."""
    if "recording.code" not in results:
        return "not run", ""
    there = results.get("recording.json", "")
    said = results.get("recording.err", "").strip()
    if results["recording.code"].strip() != "0" or not there:
        return "failed", f"nothing was recorded there: {said or 'it said nothing'}"
    recording = logs / "recording.db"
    try:
        recording.write_bytes(gzip.decompress(base64.b64decode(results.get("recording.db.gz.base64", ""))))
    except (OSError, EOFError, binascii.Error) as reason:
        return "failed", f"the recording did not come out whole: {reason}"
    command = [str(build / "waitclose"), "report", "--json", "--min-held", "0", recording.name]
    try:
        here = subprocess.run(command, cwd=logs, capture_output=True, text=True, timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        return "failed", f"the report was not done after {DEADLINE} s"
    if here.returncode:
        return "failed", f"it cannot be reported here: {here.stderr.strip()}"
    if here.stdout != there:
        return "failed", first_difference(there, here.stdout)
    if '"handler-blocked"' not in there:
        return "failed", "the report knows nothing of the culprit that was recorded"
    return "passed", ""


def first_difference(there, here):
    for line, (one, other) in enumerate(zip(there.splitlines(), here.splitlines()), 1):
        if one != other:
            return f"line {line} of the report is {one.strip()[:80]} there, and {other.strip()[:80]} here"
    return "the report is longer on one of the two machines"
