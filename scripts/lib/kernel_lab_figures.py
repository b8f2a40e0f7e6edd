"""The verifier's figures by kernel and program, beside those of the last run, so that a jump is seen."""

import json
import os

JUMP = 1.2
LOADS = ("unfiltered", "filtered")


def instructions(outcome):
    """Program -> instructions without filters, instructions with all of them; None for a load that was refused."""
    return {program["program"]: [program[load].get("instructions") for load in LOADS]
            for program in outcome.verifier if "no_hook" not in program}


def compare_with_last_run(cache, outcomes):
    """Writes onto each load that takes more than JUMP times what it took the last time what that was."""
    file = cache / "verifier.json"
    try:
        last = json.loads(file.read_text())
    except (OSError, ValueError):
        last = {}
    for outcome in outcomes:
        before = last.get(outcome.kernel.name, {})
        for program in outcome.verifier:
            for load, old in zip(LOADS, before.get("instructions", {}).get(program["program"], ())):
                new = program.get(load, {}).get("instructions")
                if old and new and new > JUMP * old:
                    program[load] |= {"before": old, "before_on": before["version"]}
        if outcome.verifier:
            version = outcome.package_version or outcome.release
            last[outcome.kernel.name] = {"version": version, "instructions": instructions(outcome)}
    write(file, last)


def write(file, figures):
    """Nobody ever reads half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f"{file.name}.{os.getpid()}")
    made.write_text(json.dumps(figures, indent=1) + "\n")
    made.replace(file)
