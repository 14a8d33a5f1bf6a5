"""What it costs to put a request on record: ``make bench-recording``.

For each case of ``bench.profile``, the call's own values are caught while it is played, and its
record is made, encoded and written to a spool again and again; then its content, with ``ledger:
{content: full}`` and a conversation of 2 kB: CPU time in microseconds, the least of several rounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from bench import machine
from bench.in_process import Case, Play, cases, measure
from bench.table import number, render
from headway.ledger.spool import FileSpool
from headway.pipeline import accounting, content
from headway.pipeline.content_rules import ContentRules

ROUNDS = 15
TURN = {"role": "user", "content": "And what about the next part of the question? " * 4}
CONVERSATION = Raw(msgspec.json.encode([TURN] * 9))
"""2 kB."""


class Cost(Struct, frozen=True):
    """Microseconds."""

    name: str
    make: float
    """To create and encode the record."""
    write: float
    bytes: int
    """Of the line."""
    content: float
    """To make, encode and write the content."""


def main() -> None:
    ask = argparse.ArgumentParser(prog="bench.recording", description=__doc__)
    ask.add_argument("--records", type=int, default=2000, help="a round")
    ask.add_argument("--only", help="cases, with commas between")
    ask.add_argument("--json", type=Path, help="write everything measured to this file")
    options = ask.parse_args()
    chosen = None if options.only is None else options.only.split(",")
    before = machine.describe()
    found = [
        examine(case, options.records) for case in cases() if not chosen or case.name in chosen
    ]
    sys.stdout.write(report(found))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.encode({"machine": before, "costs": found}))


def examine(case: Case, records: int) -> Cost:
    new_record = record_of(case)
    line = new_record()
    with tempfile.TemporaryDirectory() as folder:
        spool = FileSpool(Path(folder))
        spool.open()
        make, write = least(new_record, records), least(partial(spool.append, line), records)
        keep = least(keep_content(case, spool), records)
        spool.close()
    return Cost(case.name, make, write, len(line), keep)


def record_of(case: Case) -> Callable[[], bytes]:
    """Makes the record of a case, as its call did."""
    return catch_call(case, accounting, "attempt_record")


def keep_content(case: Case, spool: FileSpool) -> Callable[[], object]:
    """Writes the content of a case, as its call would if it were kept, to ``spool``."""
    call, facts, attempt, piece = catch_call(case, content, "keep_call").args
    call.snapshot = replace(call.snapshot, content=ContentRules("full"))
    call.gateway.spool = spool
    request = replace(facts.decoded.request, messages=CONVERSATION)
    facts = replace(facts, decoded=replace(facts.decoded, request=request))
    return partial(content.keep_call, call, facts, attempt, piece)


def catch_call(case: Case, module: ModuleType, name: str) -> partial[Any]:
    """The last call of a function of the pipeline, while ``case`` is played."""
    caught: list[partial[Any]] = []
    original = getattr(module, name)

    def catch(*args: Any, **named: Any) -> Any:
        caught.append(partial(original, *args, **named))
        return original(*args, **named)

    def use(play: Play) -> None:
        setattr(module, name, catch)
        try:
            play(case.pieces)
        finally:
            setattr(module, name, original)

    measure(case, use)
    return caught[-1]


def least(act: Callable[[], object], times: int) -> float:
    return min(_time(act, times) for _ in range(ROUNDS)) * 1e6


def _time(act: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - started) / times


def report(costs: list[Cost]) -> str:
    rows = [["us", "make and encode", "write", "a record", "bytes", "content of 2 kB"]]
    for cost in costs:
        times = (cost.make, cost.write, cost.make + cost.write)
        rows.append([cost.name, *(number(us, 2) for us in times), number(cost.bytes)])
        rows[-1].append(number(cost.content, 2))
    return render(rows)


if __name__ == "__main__":
    main()
