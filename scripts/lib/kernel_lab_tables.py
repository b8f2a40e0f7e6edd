"""What the lab found, as tables that fit a terminal, and a sentence for everything that is not green."""

import re
import textwrap

from kernel_lab_figures import LOADS
from kernel_lab_outcome import RESULTS, RIGHT

COLUMNS = 120
FAILURES_SHOWN = 8
WORDS_SHOWN = 220
HEADINGS = {"unfiltered": "without filters", "filtered": "with all filters"}


def print_all(outcomes):
    for part in (matrix(outcomes), hooks(outcomes), verifier(outcomes), verifier_remarks(outcomes), troubles(outcomes)):
        if part:
            print("", *part, sep="\n")


def table(rows, gap="  "):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [gap.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def sentences(said):
    """(kernel, sentence) pairs as lines; what holds of several kernels is said once."""
    kernels = {}
    for kernel, sentence in said:
        kernels.setdefault(sentence, []).append(kernel)
    whole = [f"{', '.join(dict.fromkeys(names))}: {sentence}" for sentence, names in kernels.items()]
    return [line for text in whole for line in textwrap.wrap(text, COLUMNS, subsequent_indent="    ",
                                                             break_long_words=False, break_on_hyphens=False)]


# --- the matrix ---


def matrix(outcomes):
    rows = [("kernel", "release", "verdict", "hooks", "culprits right", *RESULTS, "seconds")]
    for outcome in outcomes:
        needs = outcome.doctor.get("hooks", [])
        judged = outcome.count("passed", "failed", "not run", prefixes=RIGHT)
        verdict = "not run" if outcome.not_run else outcome.doctor.get("verdict") or "no answer"
        rows.append((outcome.kernel.name, outcome.release or "-", verdict,
                     share(sum(need["hook"] is not None for need in needs), len(needs)),
                     share(outcome.count("passed", prefixes=RIGHT), judged),
                     *("-" if outcome.not_run else str(outcome.count(result)) for result in RESULTS),
                     f"{outcome.seconds:.0f}" if outcome.seconds else "-"))
    return table(rows)


def share(part, whole):
    return f"{part}/{whole}" if whole else "-"


def hooks(outcomes):
    """Need, hook, and the kernels where that hook serves that need."""
    chosen = {}
    for outcome in outcomes:
        for need in outcome.doctor.get("hooks", []):
            chosen.setdefault(need["need"], {}).setdefault(need["hook"] or "none", []).append(outcome.kernel.name)
    rows = [("need", "hook chosen", "on")]
    for need, kernels_by_hook in chosen.items():
        for i, (hook, kernels) in enumerate(kernels_by_hook.items()):
            rows.append(("" if i else need, hook, ", ".join(kernels)))
    return table(rows) if chosen else []


# --- the verifier ---


def verifier(outcomes):
    """Program x kernel; where a load was refused or has nothing to attach to, that instead of figures."""
    ran = [outcome for outcome in outcomes if outcome.verifier]
    if not ran:
        return []
    programs = {outcome.kernel: {program["program"]: program for program in outcome.verifier} for outcome in ran}
    rows = [("verifier", *(outcome.kernel.name for outcome in ran))]
    for name in dict.fromkeys(name for of_kernel in programs.values() for name in of_kernel):
        rows.append((name, *(verifier_cell(of_kernel.get(name)) for of_kernel in programs.values())))
    return ["Instructions the verifier processed without filters and with all of them, and the longer time in ms;",
            "! marks one that takes over a fifth more than in the last run.", *table(rows)]


def verifier_cell(program):
    if program is None:
        return "-"
    if "no_hook" in program:
        return "no such hook"
    if all("refused" in program[load] for load in LOADS):
        return "refused"
    marks = ("!" if "before" in program[load] else " " for load in LOADS)
    figures = "".join(f"{short(program[load].get('instructions')):>5}{mark}" for load, mark in zip(LOADS, marks))
    times = [program[load]["microseconds"] / 1000 for load in LOADS if program[load].get("microseconds") is not None]
    return figures + (f"{max(times):5.1f}" if times else "")


def short(number):
    if number is None:
        return "none"
    return str(number) if number < 100_000 else f"{number // 1000}k"


def verifier_remarks(outcomes):
    said = []
    for outcome in outcomes:
        name = outcome.kernel.name
        version = outcome.package_version or outcome.release
        refused = {}
        for program in outcome.verifier:
            for load in LOADS:
                figures = program.get(load, {})
                if "refused" in figures:
                    refused.setdefault(figures["refused"], []).append(program["program"])
                if "before" in figures:
                    then = "in the last run" if figures["before_on"] == version else f"on {figures['before_on']}"
                    said.append((name, f"{program['program']} {HEADINGS[load]} takes the verifier "
                                       f"{figures['instructions']} instructions, {figures['before']} {then}"))
        said += [(name, f"the verifier refuses {', '.join(dict.fromkeys(programs))}: {reason}")
                 for reason, programs in refused.items()]
    return sentences(said)


# --- why a cell is not green ---


def troubles(outcomes):
    return sentences((outcome.kernel.name, sentence) for outcome in outcomes for sentence in troubles_of(outcome))


def troubles_of(outcome):
    if outcome.not_run:
        return [f"not run: {outcome.not_run}"]
    said = [*outcome.notes, *filter(None, [outcome.ended])]
    if outcome.doctor_said:
        said.append(f"doctor says: {outcome.doctor_said.splitlines()[0]}")
    for part in ("census", "tracing"):
        if why := (outcome.doctor.get(part) or {}).get("why_not"):
            said.append(f"no {part}: {why}")
    said += [f"with limits: {limit['what']}" for limit in outcome.doctor.get("limits", [])]
    for need in outcome.doctor.get("hooks", []):
        if need["hook"] is None:
            reasons = [f"{one['hook']}: {one['refused']}" for one in need["alternatives"] if one["refused"]]
            said.append(f"no hook for {need['need']}: {'; '.join(reasons) or 'none was tried'}")
    return said + tests_that_failed(outcome) + tests_that_were_skipped(outcome)


def tests_that_failed(outcome):
    failed = [(name, words) for name, (result, words) in outcome.tests.items() if result == "failed"]
    said = [f"{name} failed: {in_one_line(words) or 'without words'}" for name, words in failed[:FAILURES_SHOWN]]
    if len(failed) > FAILURES_SHOWN:
        said.append(f"{len(failed) - FAILURES_SHOWN} more tests failed")
    return said


def tests_that_were_skipped(outcome):
    reasons = {}
    for name, (result, words) in outcome.tests.items():
        if result == "skipped":
            reason = in_one_line(words) or "it gives no reason"
            reasons.setdefault(reason, []).append(name)
    return [f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''} skipped: {reason}"
            for reason, names in reasons.items()]


def in_one_line(words):
    """What GoogleTest prints of a failure or a skipped test, without the directories of the source file."""
    text = re.sub(r"^\S+:\d+: Skipped\n(SKIPPED: )?", "", words.strip())
    text = " ".join(re.sub(r"^\S*/(\S+:\d+)(?:: Failure)?\n", r"\1: ", text).split())
    return text if len(text) <= WORDS_SHOWN else text[:WORDS_SHOWN - 4] + " ..."
