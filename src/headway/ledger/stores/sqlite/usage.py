"""Usage by groups: from sums where they have what is asked for, else from the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, product, repeat, starmap
from typing import Any

from headway.ledger.cubes import (
    DIMENSION_FIELDS,
    Cube,
    Span,
    choose_family,
    cover_time,
    time_of_start,
)
from headway.ledger.profile_filter import profile_test
from headway.ledger.rollup import NAME_TIME, sort_usage, step_of
from headway.ledger.rows import COLUMNS, PROFILE_FIELDS, Gaps, decode_key, unpack_gaps
from headway.ledger.segments import Segment, join
from headway.ledger.store import Dimension, Filter, Usage
from headway.ledger.stores.sqlite.keys import find_number
from headway.ledger.stores.sqlite.numbers import number_of, time_of
from headway.ledger.stores.sqlite.reading import Reader
from headway.ledger.stores.sqlite.sql import all_rows, each_row, first_value
from headway.ledger.stores.sqlite.sums import each_segment, spans_to_read
from headway.ledger.usage_parts import (
    Cell,
    Flags,
    contributions_of,
    flags_of,
    metric_numbers,
)

AT_ONCE = 50_000
"""Records, or cells, that are summed up together."""
_PROFILE_AT = {name: PROFILE_FIELDS.index(field) for name, field in DIMENSION_FIELDS.items()}
_NEEDED = frozenset(
    ("profile", "terms", "user", "tags", "session", "input_tokens", "output_tokens",
     "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_pd", "cost_rest",
     "latency_us", "first_token_us", "first_byte_us", "gap_mean_us", "overhead_ns", "gaps", "more")
)  # fmt: skip
_SELECT = ", ".join(f"r.{name}" if name in _NEEDED else "NULL" for name in COLUMNS[1:])
_PROFILE, _TERMS, _USER, _TAGS, _SESSION, _COST, _GAPS = map(
    COLUMNS.index, ("profile", "terms", "user", "tags", "session", "cost_pd", "gaps")
)
_CALL = len(COLUMNS)

Group = tuple[str | None, ...]


class UsageReader:
    """One question."""

    def __init__(
        self, reader: Reader, where: Filter, by: Sequence[Dimension], metrics: Sequence[str]
    ) -> None:
        self._reader = reader
        self._db = reader.db
        self._where = where
        self._by = by
        self._metrics = metrics
        self._numbers = metric_numbers(metrics)
        self._cells: dict[Group, Cell] = {} if by else {(): Cell()}
        self._has_gaps = "inter_token_latency_s" in metrics
        self._flags: dict[tuple[int, int], Flags] = {}
        self._values: dict[tuple[Dimension, Any], Sequence[str | None]] = {}

    def read(self) -> list[Usage]:
        family, where = choose_family(self._where, self._by, self._metrics), self._where
        if family:
            self._has_gaps = self._has_gaps and family[0].has_gaps
            limits = (
                None if limit is None else round(limit * 1e6)
                for limit in (where.since, where.until)
            )
            cover = cover_time([cube.level for cube in family], *limits)
            for cube, span in spans_to_read(self._db, family, cover.spans):
                self._add_segments(cube, span)
            for since_us, until_us in cover.records:
                self._add_records(since_us, until_us)
        else:
            self._add_records(None, None)
        return sort_usage(
            [
                cell.to_usage(dict(zip(self._by, group, strict=True)), self._metrics)
                for group, cell in self._cells.items()
            ]
        )

    # --- Segments ---------------------------------------------------------------------------------

    def _add_segments(self, cube: Cube, span: Span) -> None:
        found = each_segment(self._db, cube, span)
        while several := _take_segments(found):
            times = [(time_of_start(cube.level, start), len(each.names)) for start, each in several]
            segments = [segment for _, segment in several]
            groups = self._group_cells(
                list(chain.from_iterable(starmap(repeat, times))),
                list(chain.from_iterable([segment.names for segment in segments])),
                list(chain.from_iterable([segment.profiles for segment in segments])),
            )
            cells = [(self._cell(group), chosen) for group, chosen in groups.items()]
            join(segments, self._numbers, has_gaps=self._has_gaps).add_to(cells)

    def _group_cells(
        self, times: Sequence[int], names: Sequence[int], profiles: Sequence[int]
    ) -> Mapping[Group, Sequence[int]]:
        """The numbers of the cells that the filter means, by group."""
        chosen = self._choose_cells(names, profiles)
        if not self._by:
            return {(): chosen} if chosen else {}
        groups: dict[Group, list[int]] = {}
        users = [name or None for name in names]
        sources = {"user": users, "tag": users} | dict.fromkeys(NAME_TIME, times)
        columns = []
        for dimension in self._by:
            numbers: Sequence[int | None] = sources.get(dimension, profiles)
            known = {each: self._values_of(dimension, each) for each in set(numbers)}
            columns.append([known[numbers[at]] for at in chosen])
        for at, group in _each_group(chosen, columns):
            if group in groups:
                groups[group].append(at)
            else:
                groups[group] = [at]
        return groups

    def _choose_cells(self, names: Sequence[int], profiles: Sequence[int]) -> Sequence[int]:
        matches, texts = profile_test(self._where), self._reader.texts.profiles
        meant = {profile for profile in set(profiles) if matches(texts[profile])}
        found = self._choose_names()
        return [
            at
            for at, (name, profile) in enumerate(zip(names, profiles, strict=True))
            if profile in meant and (found is None or name in found)
        ]

    def _choose_names(self) -> frozenset[int | None] | None:
        """The users or tag sets that the filter means; None where it means all."""
        if users := self._where.users:
            return frozenset([find_number(self._db, "names", user) for user in users])
        if tags := self._where.tags:
            marks = ", ".join("?" * len(tags))
            sql = f"SELECT tag_set FROM tags WHERE tag IN ({marks})"
            return frozenset([number for (number,) in all_rows(self._db, sql, tags)])
        return None

    # --- Records ----------------------------------------------------------------------------------

    def _add_records(self, since_us: int | None, until_us: int | None) -> None:
        """Those of a time, or all that the filter means."""
        conditions = self._reader.compile(self._where, of_calls=False)
        if since_us is not None:
            conditions.add(f"{conditions.number} >= ?", number_of(since_us))
        if until_us is not None:
            conditions.add(f"{conditions.number} < ?", number_of(until_us))
        columns = f"r.n, {_SELECT}, r.call_pd"
        sql = f"SELECT {columns} FROM {conditions.source} WHERE {conditions.text}"
        rows = each_row(self._db, sql, conditions.values)
        while batch := list(islice(rows, AT_ONCE)):
            self._add_batch(batch)

    def _add_batch(self, rows: Sequence[tuple[Any, ...]]) -> None:
        flags = [self._flags_of(row[_PROFILE], row[_TERMS]) for row in rows]
        call_pds = [row[_COST] if row[_CALL] is None else row[_CALL] for row in rows]
        gaps: list[Gaps | None] = [None] * len(rows)
        if self._has_gaps:
            gaps = [unpack_gaps(row[_GAPS]) if row[_GAPS] else None for row in rows]
        contributions = contributions_of(
            rows, flags, call_pds, gaps, has_metrics=bool(self._metrics)
        )
        groups: dict[Group, list[int]] = {}
        for at, row in enumerate(rows):
            names = row[_PROFILE], row[_USER], row[_TAGS], row[_SESSION]
            for group in self._groups(time_of(row[0]), *names):
                groups.setdefault(group, []).append(at)
        for group, chosen in groups.items():
            self._cell(group).add([contributions[at] for at in chosen], [gaps[at] for at in chosen])

    def _flags_of(self, profile: int, terms: int) -> Flags:
        kind = profile, terms
        if kind not in self._flags:
            texts = self._reader.texts
            self._flags[kind] = flags_of(texts.profiles[profile], texts.terms[terms])
        return self._flags[kind]

    # --- Groups -----------------------------------------------------------------------------------

    def _cell(self, group: Group) -> Cell:
        cell = self._cells.get(group)
        if cell is None:
            cell = self._cells[group] = Cell()
        return cell

    def _groups(
        self, time_us: int, profile: int, user: int | None, tags: int | None, session: int | None
    ) -> Iterable[Group]:
        """One for each tag, where it is asked for."""
        if not self._by:
            return ((),)
        numbers = {"user": user, "tag": tags, "session": session}
        values = []
        for dimension in self._by:
            if dimension in NAME_TIME:
                step_us = step_of(dimension)
                source: int | None = time_us // step_us * step_us
            else:
                source = numbers.get(dimension, profile)
            values.append(self._values_of(dimension, source))
        return product(*values)

    def _values_of(self, dimension: Dimension, source: int | None) -> Sequence[str | None]:
        known = self._values.get((dimension, source))
        if known is None:
            known = self._values[dimension, source] = self._find_values(dimension, source)
        return known

    def _find_values(self, dimension: Dimension, source: int | None) -> Sequence[str | None]:
        if source is None:
            return (None,)
        if dimension in NAME_TIME:
            return (NAME_TIME[dimension](source),)
        if dimension == "tag":
            found = first_value(self._db, "SELECT key FROM tag_sets WHERE id = ?", (source,))
            return decode_key(found)  # type: ignore[no-any-return]
        if dimension in ("user", "session"):
            table = "names" if dimension == "user" else "sessions"
            return (first_value(self._db, f"SELECT key FROM {table} WHERE id = ?", (source,)),)
        return (self._reader.texts.profiles[source][_PROFILE_AT[dimension]],)


def _take_segments(found: Iterator[tuple[int, Segment]]) -> list[tuple[int, Segment]]:
    """The next ones, with at least ``AT_ONCE`` cells where there are as many."""
    taken, cells = [], 0
    for each in found:
        taken.append(each)
        cells += len(each[1].names)
        if cells >= AT_ONCE:
            break
    return taken


def _each_group(
    chosen: Sequence[int], columns: Sequence[Sequence[Sequence[str | None]]]
) -> Iterator[tuple[int, Group]]:
    """The chosen cells, and for each the groups that it belongs to. ``columns``: the values of each
    dimension, which are several only of tags."""
    if all(len(values) == 1 for column in columns for values in column):
        plain = [[value for (value,) in column] for column in columns]
        yield from zip(chosen, zip(*plain, strict=True), strict=False)
        return
    for at, values in zip(chosen, zip(*columns, strict=True), strict=True):
        for group in product(*values):
            yield at, group
