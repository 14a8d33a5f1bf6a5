"""By what records are summed up (``usage_parts``), and how a question about a time is
answered by whole hours, days and months of sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import Dimension, Filter
from headway.ledger.usage_parts import Contribution, encode_part

HOUR_US, DAY_US = 3600 * 10**6, 86400 * 10**6
Level = Literal["hour", "day", "month"]


class Cube(Struct, frozen=True):
    """Cells by time and by some properties of the records."""

    number: int
    level: Level
    name: Literal["user", "tags"] | None
    """What else the cells are by."""
    fields: tuple[str, ...]
    """Those of ``PROFILE_FIELDS`` that the cells are by; the others are masked with None."""
    has_gaps: bool = True


_BY_MODEL = ("dialect", "provider", "model", "deployment", "outcome", "status")
_BY_KEY = (*_BY_MODEL, "key_id")
FAMILIES: Sequence[Sequence[Cube]] = (
    (
        Cube(1, "hour", None, _BY_MODEL),
        Cube(2, "day", None, _BY_MODEL),
        Cube(3, "month", None, _BY_MODEL),
    ),
    (Cube(4, "day", None, _BY_KEY), Cube(5, "month", None, _BY_KEY)),
    (
        Cube(6, "day", "user", ("key_id",), has_gaps=False),
        Cube(7, "month", "user", ("key_id",), has_gaps=False),
    ),
    (
        Cube(8, "day", "tags", ("key_id",), has_gaps=False),
        Cube(9, "month", "tags", ("key_id",), has_gaps=False),
    ),
)
"""Cubes with the same properties, from the shortest time to the longest; the smallest first. Gaps
have many buckets, so they are not counted by user and by tag."""
MASKS = (_BY_MODEL, _BY_KEY, ("key_id",))
"""The different ``fields`` of the cubes."""


def mask_profile(profile: Sequence[Any], fields: Sequence[str]) -> tuple[Any, ...]:
    """``profile`` with None for what is not among ``fields``."""
    return tuple(
        [
            value if name in fields else None
            for name, value in zip(PROFILE_FIELDS, profile, strict=True)
        ]
    )


DIMENSION_FIELDS: Mapping[str, str] = {
    "provider": "provider",
    "model": "model",
    "deployment": "deployment",
    "key": "key_id",
    "dialect": "dialect",
    "outcome": "outcome",
}
"""Dimension -> the field of the profile that it is."""


def choose_family(where: Filter, by: Sequence[Dimension]) -> Sequence[Cube]:
    """The smallest cubes that can answer; empty where only the records can."""
    if where.ids or where.sessions or where.text is not None or "session" in by:
        return ()
    limits = (
        where.min_cost_usd, where.max_cost_usd, where.min_latency_s, where.max_latency_s
    )  # fmt: skip
    if any(limit is not None for limit in limits):
        return ()
    fields, names = _needs_of(where, by)
    for family in FAMILIES:
        levels = levels_of(family, by)
        if levels and fields <= set(family[0].fields) and names <= {family[0].name}:
            return levels
    return ()


def _needs_of(where: Filter, by: Sequence[Dimension]) -> tuple[set[str], set[str]]:
    """The fields of profiles, and the other names, that a question is about."""
    fields = {DIMENSION_FIELDS[name] for name in by if name in DIMENSION_FIELDS}
    asked = {
        "provider": where.providers,
        "dialect": where.dialects,
        "key_id": where.keys or where.owner is not None,
        "outcome": where.outcomes,
        "status": where.statuses,
    }
    fields |= {name for name, values in asked.items() if values}
    if where.models:
        fields |= {"model", "deployment"}
    names = set()
    if where.users or "user" in by:
        names.add("user")
    if where.tags or "tag" in by:
        names.add("tags")
    return fields, names


def levels_of(family: Sequence[Cube], by: Sequence[Dimension]) -> Sequence[Cube]:
    """Those of a family whose times are not longer than what is asked for."""
    allowed: tuple[str, ...] = ("hour", "day", "month")
    if "hour" in by:
        allowed = ("hour",)
    elif "day" in by:
        allowed = ("hour", "day")
    return [cube for cube in family if cube.level in allowed]


class Fact(Struct, frozen=True, array_like=True):
    """What one record adds, and where."""

    time_us: int
    masked: Sequence[int]
    """The numbers of its profile with each of ``MASKS``."""
    user: int | None
    tags: int | None
    contribution: Contribution


Address = tuple[int, int, int, int]
"""Of a cell: number of the cube, its time as ``start_of`` gives it, user or tag set (0 for None, or
where the cube has neither), masked profile."""


def sum_facts(facts: Iterable[Fact]) -> Iterator[tuple[Address, bytes]]:
    """What is to be appended to which cells, each once."""
    facts = list(facts)
    for family in FAMILIES:
        smallest = _group(family[0], facts)
        yield from _encode_cells(family[0], smallest)
        for cube in family[1:]:
            wider: dict[Address, list[Contribution]] = {}
            for (_, start, name, profile), contributions in smallest.items():
                start_us = start * HOUR_US if family[0].level == "hour" else start * DAY_US
                address = cube.number, start_of(cube.level, start_us), name, profile
                wider.setdefault(address, []).extend(contributions)
            yield from _encode_cells(cube, wider)


def _group(cube: Cube, facts: Iterable[Fact]) -> dict[Address, list[Contribution]]:
    groups: dict[Address, list[Contribution]] = {}
    mask, unit = MASKS.index(cube.fields), HOUR_US if cube.level == "hour" else DAY_US
    for fact in facts:
        name = 0
        if cube.name is not None:
            name = (fact.user if cube.name == "user" else fact.tags) or 0
        address = cube.number, fact.time_us // unit, name, fact.masked[mask]
        if address in groups:
            groups[address].append(fact.contribution)
        else:
            groups[address] = [fact.contribution]
    return groups


def _encode_cells(
    cube: Cube, groups: Mapping[Address, Sequence[Contribution]]
) -> Iterator[tuple[Address, bytes]]:
    for address, contributions in groups.items():
        yield address, encode_part(contributions, has_gaps=cube.has_gaps)


def addresses_of(fact: Fact) -> Iterator[Address]:
    """The cells that a record belongs to."""
    for family in FAMILIES:
        for cube in family:
            name = {"user": fact.user, "tags": fact.tags, None: None}[cube.name]
            profile = fact.masked[MASKS.index(cube.fields)]
            yield cube.number, start_of(cube.level, fact.time_us), name or 0, profile


# --- Time -----------------------------------------------------------------------------------------


def start_of(level: Level, time_us: int) -> int:
    """The number of the hour, the day or the month (from January 1970, UTC)."""
    if level == "hour":
        return time_us // HOUR_US
    day = time_us // DAY_US
    if level == "day":
        return day
    date = _date_of(day)
    return (date.year - 1970) * 12 + date.month - 1


def time_of_start(level: Level, start: int) -> int:
    """Unix microseconds at the beginning of an hour, day or month."""
    if level == "hour":
        return start * HOUR_US
    if level == "day":
        return start * DAY_US
    first = datetime(1970 + start // 12, start % 12 + 1, 1, tzinfo=UTC)
    return (first - _EPOCH).days * DAY_US


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_DAY = (datetime(9999, 12, 1, tzinfo=UTC) - _EPOCH).days


def _date_of(day: int) -> datetime:
    return _EPOCH + timedelta(days=max(-719162, min(day, _LAST_DAY)))


class Span(Struct, frozen=True):
    """Whole hours, days or months: ``start <= number < stop``; None is unlimited."""

    level: Level
    start: int | None
    stop: int | None


class Cover(Struct, frozen=True):
    """How a time is covered: by whole spans, and by records for what is left at its ends."""

    spans: Sequence[Span]
    records: Sequence[tuple[int | None, int | None]]
    """Unix microseconds: from, and before."""


def cover_time(levels: Sequence[Level], since_us: int | None, until_us: int | None) -> Cover:
    """Cover ``since_us <= time < until_us`` with the longest of ``levels`` (the shortest first)
    where they fit, and with shorter ones around them."""
    spans: list[Span] = []
    open_ends: list[tuple[int | None, int | None]] = [(since_us, until_us)]
    for level in reversed(levels):
        left: list[tuple[int | None, int | None]] = []
        for start_us, stop_us in open_ends:
            start = None if start_us is None else _ceil_start(level, start_us)
            stop = None if stop_us is None else start_of(level, stop_us)
            if start is not None and stop is not None and start >= stop:
                left.append((start_us, stop_us))
                continue
            spans.append(Span(level, start, stop))
            if start is not None and (first := time_of_start(level, start)) != start_us:
                left.append((start_us, first))
            if stop is not None and (last := time_of_start(level, stop)) != stop_us:
                left.append((last, stop_us))
        open_ends = left
    return Cover(spans, open_ends)


def _ceil_start(level: Level, time_us: int) -> int:
    start = start_of(level, time_us)
    return start if time_of_start(level, start) == time_us else start + 1
