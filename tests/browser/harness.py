# SPDX-License-Identifier: BSD-2-Clause
"""Runs test functions, chosen and reported as GoogleTest does it, so that scripts/test counts them alike."""

import fnmatch
import json
import subprocess
import sys
import tempfile
import time
import traceback

SUITE = "Browser"
TESTS = []


class Skipped(Exception):
    """This test cannot run here; the text says why."""


def test(function):
    """Marks a function as a test. It is named as C++ tests are: EveryPageIsQuiet."""
    name = "".join(word.capitalize() for word in function.__name__.split("_"))
    TESTS.append((name, function))
    return function


def chosen(name, pattern):
    """Whether a filter of GoogleTest has this test: patterns between colons, and after a minus what not to run."""
    wanted, _, unwanted = pattern.partition("-")
    full = f"{SUITE}.{name}"
    fits = lambda patterns: any(fnmatch.fnmatchcase(full, one) for one in patterns.split(":") if one)
    return fits(wanted or "*") and not fits(unwanted)


def option(name, default):
    found = [argument.split("=", 1)[1] for argument in sys.argv if argument.startswith(f"--gtest_{name}=")]
    return found[-1] if found else default


def run(name, function, pages):
    """One test; what it left for the report."""
    result = {"name": name, "classname": SUITE, "result": "COMPLETED"}
    print(f"[ RUN      ] {SUITE}.{name}", flush=True)
    began = time.monotonic()
    try:
        if isinstance(pages, Skipped):
            raise pages
        function(pages, pages.browser)
        word = "      OK"
    except Skipped as reason:
        result["result"] = "SKIPPED"
        print(f"    {reason}")
        word = " SKIPPED"
    except Exception:  # whatever went wrong is this test's failure, and the next one runs
        said = traceback.format_exc()
        result["failures"] = [{"failure": said}]
        print(said)
        word = " FAILED "
    print(f"[ {word} ] {SUITE}.{name} ({round((time.monotonic() - began) * 1000)} ms)", flush=True)
    return result


def main(prepare, arguments):
    """`prepare(directory)` returns the pages with their browser, or raises Skipped. The exit code."""
    tests = [(name, function) for name, function in TESTS if chosen(name, option("filter", "*"))]
    results = []
    with tempfile.TemporaryDirectory(prefix="waitclose-pages.") as directory:
        pages = None
        try:
            if tests:
                subprocess.run([sys.argv[1], directory, *arguments], check=True)
                pages = prepare(directory)
        except Skipped as reason:
            pages = reason
        try:
            results = [run(name, function, pages) for name, function in tests]
        finally:
            if pages is not None and not isinstance(pages, Skipped):
                pages.browser.close()
    failed = [result["name"] for result in results if "failures" in result]
    output = option("output", "")
    if output.startswith("json:"):
        with open(output[len("json:"):], "w", encoding="utf-8") as file:
            json.dump({"testsuites": [{"name": SUITE, "testsuite": results}]}, file)
    print(f"{len(results) - len(failed)} of {len(results)} tests did not fail" + "".join(f"\nfailed: {name}" for name in failed))
    return 1 if failed else 0
