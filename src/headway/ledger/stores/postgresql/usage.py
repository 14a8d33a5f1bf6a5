"""Usage by groups: from cells where they have what is asked for, else from the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from headway.ledger.cubes import (
    DIMENSION_FIELDS,
    HOUR_US,
    Cube,
    Span,
    choose_family,
    cover_time,
    time_of_start,
)
from headway.ledger.profile_filter import profile_test
from headway.ledger.rollup import NAME_TIME, sort_usage
from headway.ledger.rows import COLUMNS, PROFILE_FIELDS, Gaps, decode_key, unpack_gaps
from headway.ledger.store import Dimension, Filter, Usage
from headway.ledger.stores.postgresql.filters import (
    Conditions,
    find_numbers,
    limit_us,
)
from headway.ledger.stores.postgresql.reading import Reader
from headway.ledger.stores.postgresql.schema import number_of
from headway.ledger.usage_parts import (
    Cell,
    Flags,
    contributions_of,
    flags_of,
    metric_numbers,
)

FEW_PROFILES = 200
"""Profiles that the database compares with; cells of more are chosen here."""
ROWS_AT_ONCE = 5000
"""Records in memory, where they are counted one by one."""
_PROFILE_AT = {name: PROFILE_FIELDS.index(field) for name, field in DIMENSION_FIELDS.items()}
_NEEDED = frozenset(
    ("time_us", "profile", "terms", "user", "tags", "session", "input_tokens", "output_tokens",
     "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_pd", "cost_rest",
     "latency_us", "first_token_us", "first_byte_us", "gap_mean_us", "overhead_ns", "gaps", "more")
)  # fmt: skip
_SELECT = ", ".join(number_of(name) if name in _NEEDED else "NULL" for name in COLUMNS)
_PROFILE, _TERMS, _USER, _TAGS, _SESSION, _COST, _GAPS = map(
    COLUMNS.index, ("profile", "terms", "user", "tags", "session", "cost_pd", "gaps")
)
_CALL = len(COLUMNS)
_NAMED = {"user": "names", "tag": "tag_sets", "session": "sessions"}
"""Dimension -> the table of its texts."""
Group = tuple[str | None, ...]


class UsageReader:
    """One question."""

    def __init__(
        self, reader: Reader, where: Filter, by: Sequence[Dimension], metrics: Sequence[str]
    ) -> None:
        self._reader = reader
        self._connection = reader.connection
        self._where = where
        self._by = by
        self._metrics = metrics
        self._numbers = metric_numbers(metrics)
        self._cells: dict[Group, Cell] = {} if by else {(): Cell()}
        self._has_gaps = "inter_token_latency_s" in metrics
        self._flags: dict[tuple[int, int], Flags] = {}
        self._values: dict[tuple[Dimension, Any], Sequence[str | None]] = {}

    async def read(self) -> list[Usage]:
        await self._reader.texts.update(self._connection)
        family, where = choose_family(self._where, self._by), self._where
        if family:
            self._has_gaps = self._has_gaps and family[0].has_gaps
            limits = (
                None if limit is None else limit_us(limit) for limit in (where.since, where.until)
            )
            cover = cover_time([cube.level for cube in family], *limits)
            for span in cover.spans:
                cube = next(cube for cube in family if cube.level == span.level)
                await self._add_cells(cube, span)
            for since_us, until_us in cover.records:
                await self._add_records(since_us, until_us)
        else:
            await self._add_records(None, None)
        return sort_usage(
            [
                cell.to_usage(dict(zip(self._by, group, strict=True)), self._metrics)
                for group, cell in self._cells.items()
            ]
        )

    # --- Cells ------------------------------------------------------------------------------------

    async def _add_cells(self, cube: Cube, span: Span) -> None:
        texts, matches = self._reader.texts, profile_test(self._where)
        chosen = {number for number, profile in texts.profiles.items() if matches(profile)}
        conditions = Conditions()
        conditions.sql.append(f"cube = {conditions.value(cube.number)}")
        if len(chosen) <= FEW_PROFILES:
            # The sum keeps PostgreSQL from reading the index once for each of them.
            conditions.sql.append(f"profile + 0 = ANY({conditions.value(list(chosen))}::integer[])")
        for limit, sign in ((span.start, ">="), (span.stop, "<")):
            if limit is not None:
                conditions.sql.append(f"start {sign} {conditions.value(limit)}")
        for numbers in (await find_numbers(self._connection, self._where)).values():
            conditions.sql.append(f"name = ANY({conditions.value(numbers)}::bigint[])")
        rows = await self._connection.fetch(
            f"SELECT start, name, profile, cell FROM cells WHERE {conditions.text}",
            *conditions.values,
        )
        dimension: Dimension = "user" if cube.name == "user" else "tag"
        await self._learn(dimension, {row["name"] or None for row in rows})
        for row in rows:
            if row["profile"] not in chosen:
                continue
            name = row["name"] or None
            time_us = time_of_start(cube.level, row["start"])
            for group in self._groups(time_us, row["profile"], name, name, None):
                self._cell(group).add_parts(row["cell"], self._numbers, has_gaps=self._has_gaps)

    # --- Records ----------------------------------------------------------------------------------

    async def _add_records(self, since_us: int | None, until_us: int | None) -> None:
        """Those of a time, or all that the filter means."""
        conditions = await self._reader.compile(self._where, of_calls=False)
        if since_us is not None:
            conditions.sql.append(f"r.time_us >= {conditions.value(since_us)}")
        if until_us is not None:
            conditions.sql.append(f"r.time_us < {conditions.value(until_us)}")
        sql = f"SELECT {_SELECT}, r.call_pd FROM records r WHERE {conditions.text}"
        async with self._connection.transaction():
            cursor = await self._connection.cursor(sql, *conditions.values)
            while rows := await cursor.fetch(ROWS_AT_ONCE):
                await self._learn_all(rows)
                self._add_batch([tuple(row) for row in rows])

    def _add_batch(self, rows: Sequence[tuple[Any, ...]]) -> None:
        flags = [self._flags_of(row[_PROFILE], row[_TERMS]) for row in rows]
        call_pds = [row[_COST] if row[_CALL] is None else row[_CALL] for row in rows]
        gaps: list[Gaps | None] = [None] * len(rows)
        if self._has_gaps:
            gaps = [unpack_gaps(row[_GAPS]) if row[_GAPS] else None for row in rows]
        groups: dict[Group, list[int]] = {}
        contributions = contributions_of(
            rows, flags, call_pds, gaps, has_metrics=bool(self._metrics)
        )
        for at, row in enumerate(rows):
            numbers = row[_PROFILE], row[_USER], row[_TAGS], row[_SESSION]
            for group in self._groups(row[0], *numbers):
                groups.setdefault(group, []).append(at)
        for group, chosen in groups.items():
            self._cell(group).add([contributions[at] for at in chosen], [gaps[at] for at in chosen])

    def _flags_of(self, profile: int, terms: int) -> Flags:
        kind = profile, terms
        if kind not in self._flags:
            texts = self._reader.texts
            self._flags[kind] = flags_of(texts.profiles[profile], texts.terms[terms])
        return self._flags[kind]

    async def _learn_all(self, rows: Sequence[Any]) -> None:
        await self._reader.learn(rows)
        for dimension, at in (("user", _USER), ("tag", _TAGS), ("session", _SESSION)):
            await self._learn(dimension, {row[at] for row in rows})  # type: ignore[arg-type]

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
                source: int | None = time_us // HOUR_US * HOUR_US
            else:
                source = numbers.get(dimension, profile)
            known = self._values.get((dimension, source))
            if known is None:
                known = self._values[dimension, source] = self._find_values(dimension, source)
            values.append(known)
        return product(*values)

    def _find_values(self, dimension: Dimension, source: int | None) -> Sequence[str | None]:
        if source is None:
            return (None,)
        if dimension in NAME_TIME:
            return (NAME_TIME[dimension](source),)
        return (self._reader.texts.profiles[source][_PROFILE_AT[dimension]],)

    async def _learn(self, dimension: Dimension, numbers: set[int | None]) -> None:
        """Read the texts of users, tag sets or sessions, where they are asked for."""
        if dimension not in self._by:
            return
        missing = [number for number in numbers if (dimension, number) not in self._values]
        sql = f"SELECT id, key FROM {_NAMED[dimension]} WHERE id = ANY($1::bigint[])"
        for row in await self._connection.fetch(sql, missing) if missing else ():
            key = row["key"]
            self._values[dimension, row["id"]] = decode_key(key) if dimension == "tag" else (key,)
