"""Play random schedules of faults against the gateway, in simulated time.

    make simulate
    make simulate ARGS="--schedules 100000"
    make simulate ARGS="--seed 4711"        # the story of one schedule
    make simulate ARGS=--mutations          # put defects into the gateway, and find each

Exits with 1 if anything was wrong in any of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from simulation.mutations import MUTATIONS, find
from simulation.run import describe, measure, tell

SHOWN_STORIES = 1
SHOWN_PROBLEMS = 10


def write(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def find_mutations() -> int:
    missed = 0
    for mutation in MUTATIONS:
        found = find(mutation)
        missed += found is None
        shown = "NOT FOUND" if found is None else f"seed {found[0]}: {found[1]}"
        write([f"{mutation.title:<60} {shown[:120]}"])
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--processes", type=int, default=2, help="(default: 2)")
    parser.add_argument("--seed", type=int, help="play this one, and tell its story")
    parser.add_argument("--mutations", action="store_true", help="find defects put in on purpose")
    options = parser.parse_args()
    if options.mutations:
        return find_mutations()
    if options.seed is not None:
        lines = list(tell(options.seed))
        write(lines)
        return 0 if lines[-1] == "Nothing is wrong." else 1
    summary, seconds = measure(options.first, options.schedules, options.processes)
    write(describe(summary, seconds))
    for number, (seed, problems) in enumerate(sorted(summary.failures.items())):
        shown = tell(seed) if number < SHOWN_STORIES else problems[:SHOWN_PROBLEMS]
        write(
            ["", f"FAILED: seed {seed}; make simulate ARGS='--seed {seed}' plays it again", *shown]
        )
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
