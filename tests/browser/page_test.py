#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report in a real browser: what it draws, what it answers to, and what it refuses.

usage: page_test.py WRITER [--gtest_filter=PATTERN] [--gtest_output=json:FILE]
WRITER is the program waitclose_pages, which writes the pages. Options and reports are those of GoogleTest.
"""

import sys

import answering_tests
import chromium
import loading_tests
import serving_tests
from harness import Skipped, main
from looking import HOLDS, Pages

MODULES = (loading_tests, answering_tests, serving_tests)  # each adds its tests as it is imported


def prepare(directory):
    if chromium.program() is None:
        raise Skipped("no Chromium is installed (Debian package chromium)")
    return Pages(directory, chromium.Chromium())


if __name__ == "__main__":
    sys.exit(main(prepare, [*map(str, HOLDS), "million"]))
