"""Profile the CPU time of a request: ``make profile``.

In one process and without sockets (see ``bench.in_process``): totals are CPU time without a
profiler, the least of several rounds; the split by package comes from cProfile, whose own cost
weighs small functions too heavily, so its shares are applied to the total without a profiler. The
time of a built-in function counts to its caller.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

import headway
from bench import machine
from bench.in_process import Case, Play, cases, measure
from bench.table import number, render

ROUNDS = 5
WARM_UP = 10
"""A round's tenth goes before the first."""
SHORTER = 5
"""Rounds of longer streams have fewer requests."""
PACKAGE = Path(headway.__file__).parent
HERE = Path(__file__).parent
OTHERS = "Python and libraries"

Function = tuple[str, int, str]


class Hot(Struct, frozen=True):
    """A function and its share of the time, its callees' not included."""

    where: str
    share: float


class Profile(Struct, frozen=True):
    """Microseconds of CPU time a request, and what each further event of a stream takes; ``shares``
    of the former by package, ``hottest`` functions."""

    name: str
    us: float
    us_per_event: float | None
    shares: dict[str, float]
    hottest: list[Hot]


class Options(Struct, frozen=True):
    requests: int
    only: str | None
    hottest: int
    json: Path | None


def main() -> None:
    ask = argparse.ArgumentParser(prog="bench.profile", description=__doc__)
    ask.add_argument("--requests", type=int, default=3000, help="a round")
    names = ", ".join(case.name for case in cases())
    ask.add_argument("--only", help=f"one case, or several with commas between: {names}")
    ask.add_argument("--hottest", type=int, default=12, help="functions to list for each case")
    ask.add_argument("--json", type=Path, help="write everything measured to this file")
    options = Options(**vars(ask.parse_args()))
    before = machine.describe()
    chosen = None if options.only is None else options.only.split(",")
    found = [examine(case, options) for case in cases() if chosen is None or case.name in chosen]
    sys.stdout.write(report(found, before))
    if options.json is not None:
        result = {"machine": before, "profiles": found}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)))


def examine(case: Case, options: Options) -> Profile:
    found: list[Profile] = []

    def use(play: Play) -> None:
        for _ in range(max(1, options.requests // WARM_UP)):
            play(case.pieces)
        us = _least(partial(play, case.pieces), options.requests)
        stats = _profile(partial(play, case.pieces), options.requests)
        us_per_event = None
        if case.longer:
            more = len(case.longer) - len(case.pieces)
            longer = partial(play, case.longer)
            us_per_event = (_least(longer, max(1, options.requests // SHORTER)) - us) / more
        found.append(_judge(case, us, us_per_event, stats, options.hottest))

    measure(case, use)
    return found[0]


def _least(play: Callable[[], None], times: int) -> float:
    """Microseconds."""
    return min(_time(play, times) for _ in range(ROUNDS)) * 1e6


def _time(play: Callable[[], None], times: int) -> float:
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        play()
    return (time.process_time() - start) / times


def _profile(play: Callable[[], None], times: int) -> Mapping[Function, Any]:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(times):
        play()
    profile.disable()
    stats: Mapping[Function, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return stats


def _judge(
    case: Case,
    us: float,
    us_per_event: float | None,
    stats: Mapping[Function, Any],
    hottest: int,
) -> Profile:
    own = _own_times(stats)
    total = sum(own.values())
    groups: defaultdict[str, float] = defaultdict(float)
    for function, seconds in own.items():
        groups[_group(function)] += seconds / total
    ranked = sorted(own.items(), key=lambda item: -item[1])[:hottest]
    return Profile(
        name=case.name,
        us=us,
        us_per_event=us_per_event,
        shares=dict(sorted(groups.items(), key=lambda item: -item[1])),
        hottest=[Hot(_name(function), seconds / total) for function, seconds in ranked],
    )


def _own_times(stats: Mapping[Function, Any]) -> dict[Function, float]:
    """Own time of every Python function, with that of the built-ins it called; not the rig's."""
    own: defaultdict[Function, float] = defaultdict(float)
    for function, (_, _, seconds, _, callers) in stats.items():
        if not _is_builtin(function):
            own[function] += seconds
            continue
        for caller, (_, _, part, _) in callers.items():
            own[caller] += part
    return {
        function: seconds
        for function, seconds in own.items()
        if not _is_builtin(function) and Path(function[0]).parent != HERE
    }


def _is_builtin(function: Function) -> bool:
    return function[0] == "~"


def _group(function: Function) -> str:
    path = Path(function[0])
    if path.is_relative_to(PACKAGE):
        return path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return OTHERS if "uvicorn" not in path.parts else "uvicorn"


def _name(function: Function) -> str:
    path = Path(function[0])
    shown = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else Path(path.name)
    return f"{shown.as_posix()}:{function[1]} {function[2]}"


# --- For people -----------------------------------------------------------------------------------


def report(found: list[Profile], it: Mapping[str, Any]) -> str:
    head = f"{it['cores']} cores, {it['cpu']}, Python {it['python']}, load average {it['load']}\n"
    return "\n".join([head, _split(found), *map(_functions, found)])


def _split(found: list[Profile]) -> str:
    names = dict.fromkeys(name for profile in found for name in profile.shares)
    rows = [("us", *(profile.name for profile in found))]
    for name in names:
        parts = (profile.shares.get(name, 0.0) * profile.us for profile in found)
        rows.append((name, *(number(part, 1) for part in parts)))
    rows.append(("a request", *(number(profile.us, 1) for profile in found)))
    events = [profile.us_per_event for profile in found]
    rows.append(("a further event", *(number(us, 2) for us in events)))
    first = next((us for us in events if us is not None), None)
    ratios = (None if us is None or not first else us / first for us in events)
    rows.append(("over the first stream's", *(number(ratio, 2) for ratio in ratios)))
    return render(rows)


def _functions(profile: Profile) -> str:
    rows = [(profile.name, "us", "share")]
    rows += [
        (hot.where, number(hot.share * profile.us, 2), f"{hot.share:.1%}")
        for hot in profile.hottest
    ]
    return render(rows)


if __name__ == "__main__":
    main()
