"""By what records are summed up (``usage_parts``), and how a question about a time is
answered by whole hours, days and months of sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from headway.ledger.rows import PROFILE_FIELDS, Gaps, pad_profile, trim_profile
from headway.ledger.store import FINE_TIMES, Dimension, Filter
from headway.ledger.usage_parts import Cell, Contribution, add_counts

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
    has_metrics: bool = True
    """It has histograms."""


_BY_MODEL = (
    "dialect", "provider", "model", "deployment", "outcome", "status", "route_name", "cache",
)  # fmt: skip
_BY_KEY = (*_BY_MODEL, "key_id")
_BY_MODEL_ONLY = ("provider", "model", "deployment", "key_id")
FAMILIES: Sequence[Sequence[Cube]] = (
    (
        Cube(1, "hour", None, _BY_MODEL),
        Cube(2, "day", None, _BY_MODEL),
        Cube(3, "month", None, _BY_MODEL),
    ),
    (
        Cube(4, "day", None, _BY_KEY, has_gaps=False),
        Cube(5, "month", None, _BY_KEY, has_gaps=False),
    ),
    (
        Cube(6, "day", "user", ("key_id",), has_gaps=False),
        Cube(7, "month", "user", ("key_id",), has_gaps=False),
    ),
    (
        Cube(8, "day", "tags", ("key_id",), has_gaps=False),
        Cube(9, "month", "tags", ("key_id",), has_gaps=False),
    ),
    (
        Cube(10, "day", "user", _BY_MODEL_ONLY, has_gaps=False, has_metrics=False),
        Cube(11, "month", "user", _BY_MODEL_ONLY, has_gaps=False, has_metrics=False),
    ),
    (
        Cube(12, "day", "tags", _BY_MODEL_ONLY, has_gaps=False, has_metrics=False),
        Cube(13, "month", "tags", _BY_MODEL_ONLY, has_gaps=False, has_metrics=False),
    ),
)
"""Cubes with the same properties, from the shortest time to the longest; the smallest first. Gaps
have many buckets, so they are counted by model only, and not by key, user and tag. There are many
pairs of a user or tag set and a model, so they have sums only."""
MASKS = (_BY_MODEL, _BY_KEY, ("key_id",), _BY_MODEL_ONLY)
"""The different ``fields`` of the cubes."""


def mask_profile(profile: Sequence[Any], fields: Sequence[str]) -> tuple[Any, ...]:
    """``profile`` with None for what is not among ``fields``."""
    values = [
        value if name in fields else None
        for name, value in zip(PROFILE_FIELDS, pad_profile(profile), strict=True)
    ]
    return trim_profile(tuple(values))


DIMENSION_FIELDS: Mapping[str, str] = {
    "provider": "provider",
    "model": "model",
    "deployment": "deployment",
    "key": "key_id",
    "dialect": "dialect",
    "outcome": "outcome",
    "route": "route_name",
    "cache": "cache",
}
"""Dimension -> the field of the profile that it is."""


def choose_family(where: Filter, by: Sequence[Dimension], metrics: Sequence[str]) -> Sequence[Cube]:
    """The smallest cubes that can answer; empty where only the records can."""
    if where.ids or where.sessions or where.roles or where.text is not None or "session" in by:
        return ()
    limits = (
        where.min_cost_usd, where.max_cost_usd, where.min_latency_s, where.max_latency_s
    )  # fmt: skip
    if any(limit is not None for limit in limits):
        return ()
    fields, names = _needs_of(where, by)
    for family in FAMILIES:
        levels = levels_of(family, by)
        has_all = fields <= set(family[0].fields) and names <= {family[0].name}
        if levels and has_all and (family[0].has_metrics or not metrics):
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
        "route_name": where.routes,
        "cache": where.caches,
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
    if any(name in FINE_TIMES for name in by):
        allowed = ()
    elif "hour" in by:
        allowed = ("hour",)
    elif "day" in by:
        allowed = ("hour", "day")
    return [cube for cube in family if cube.level in allowed]


class Place(NamedTuple):
    """Where a record counts."""

    time_us: int
    masked: Sequence[int]
    """The numbers of its profile with each of ``MASKS``."""
    user: int | None
    tags: int | None


PlainPlace = tuple[int, Sequence[int], int | None, int | None]
"""The fields of a ``Place``: made in a fraction of its time."""
Address = tuple[int, int, int, int]
"""Of a cell: number of the cube, its time as ``start_of`` gives it, user or tag set (0 for None, or
where the cube has neither), masked profile."""
At = tuple[int, int, int]
"""Time, name and profile."""
_Cells = dict[At, Cell]
Groups = defaultdict[At, list[Contribution]]


class Sums:
    """What records add to the cells: ``add`` some of them several times, and ask for ``parts``."""

    def __init__(self) -> None:
        self.groups: list[Groups] = [defaultdict(list) for _ in FAMILIES]
        """Of each of ``FAMILIES``: by its shortest time."""
        self.gaps: defaultdict[At, dict[int, int]] = defaultdict(dict)
        """Of the cells of the first family."""

    def add(
        self,
        places: Iterable[Place | PlainPlace],
        contributions: Iterable[Contribution],
        gaps: Iterable[Gaps | None],
    ) -> None:
        """Of some records: where they count, what they contribute, and their gaps."""
        by_model, by_key, by_user, by_tags, by_user_and_model, by_tags_and_model = self.groups
        for place, contribution, counts in zip(places, contributions, gaps, strict=True):
            time_us, (model, profile, key, only_model), user, tags = place
            user, tags = user or 0, tags or 0
            hour = time_us // HOUR_US
            day = hour // 24
            by_model[hour, 0, model].append(contribution)
            by_key[day, 0, profile].append(contribution)
            by_user[day, user, key].append(contribution)
            by_tags[day, tags, key].append(contribution)
            by_user_and_model[day, user, only_model].append(contribution)
            by_tags_and_model[day, tags, only_model].append(contribution)
            if counts is not None and contribution[1]:
                add_counts(self.gaps[hour, 0, model], counts)

    def parts(self, rolled: int | None = None) -> Iterator[tuple[Address, bytes]]:
        """What is to be appended to which cells, each once. Where the database makes the cells of
        longer times by itself, from the day ``rolled`` on, only those of earlier days are made."""
        for family, groups in zip(FAMILIES, self.groups, strict=True):
            cells = {}
            for at, contributions in groups.items():
                cell = cells[at] = Cell()
                cell.add(contributions, has_metrics=family[0].has_metrics)
                if family[0].has_gaps and at in self.gaps:
                    cell.gaps = self.gaps[at]
            yield from _encode_family(family, cells, rolled)


def _merge_cells(cells: Iterable[tuple[At, Cell]]) -> _Cells:
    """A cell that is the only one with its address is not copied."""
    several: dict[At, list[Cell]] = {}
    for address, cell in cells:
        if address in several:
            several[address].append(cell)
        else:
            several[address] = [cell]
    merged = {}
    for address, parts in several.items():
        if len(parts) == 1:
            merged[address] = parts[0]
        else:
            total = merged[address] = Cell()
            for part in parts:
                total.merge(part)
    return merged


def _encode_family(
    family: Sequence[Cube], cells: _Cells, rolled: int | None
) -> Iterator[tuple[Address, bytes]]:
    """The cells of the shortest level, and of the longer ones, which are made of them."""
    encoded: dict[int, tuple[Cell, bytes]] = {}  # by identity: a month may be one of its days
    level = family[0].level
    for cube in family:
        if cube.level != level:
            stop = None if rolled is None else start_of(level, rolled * DAY_US)
            starts = {
                start: widen(level, cube.level, start)
                for start, _, _ in cells
                if stop is None or start < stop
            }
            cells = _merge_cells(
                ((starts[start], name, profile), cell)
                for (start, name, profile), cell in cells.items()
                if start in starts
            )
            level = cube.level
        for (start, name, profile), cell in cells.items():
            known = encoded.get(id(cell))
            if known is None:
                known = encoded[id(cell)] = (
                    cell,
                    cell.encode(has_gaps=cube.has_gaps, has_metrics=cube.has_metrics),
                )
            yield (cube.number, start, name, profile), known[1]


def widen(level: Level, wider: Level, start: int) -> int:
    """The number of the day or month with an hour or day."""
    return start_of(wider, time_of_start(level, start))


def addresses_of(place: Place, rolled: int | None = None) -> Iterator[Address]:
    """The cells with histograms that a record belongs to; ``rolled`` as for ``Sums.parts``."""
    is_rolled = rolled is None or place.time_us // DAY_US < rolled
    for family in FAMILIES:
        if not family[0].has_metrics:
            continue
        for cube in family if is_rolled else family[:1]:
            name = {"user": place.user, "tags": place.tags, None: None}[cube.name]
            profile = place.masked[MASKS.index(cube.fields)]
            yield cube.number, start_of(cube.level, place.time_us), name or 0, profile


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
