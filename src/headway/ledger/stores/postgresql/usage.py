"""Usage by groups: from cells where they have what is asked for, else from the records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
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
from headway.ledger.rollup import NAME_TIME, sort_usage, step_of
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
    SUMS,
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
_IS_LAST, _OUTCOME = PROFILE_FIELDS.index("is_last"), PROFILE_FIELDS.index("outcome")
_PROFILE_AT = {name: PROFILE_FIELDS.index(field) for name, field in DIMENSION_FIELDS.items()}
_NEEDED = frozenset(
    ("time_us", "profile", "terms", "user", "tags", "session", "input_tokens", "output_tokens",
     "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_pd", "cost_rest",
     "latency_us", "first_token_us", "first_byte_us", "gap_mean_us", "overhead_ns", "gaps", "more")
)  # fmt: skip
COUNTED = ", ".join(
    [*[number_of(name) if name in _NEEDED else "NULL" for name in COLUMNS], "r.call_pd"]
)
"""Columns of ``records r`` for ``contributions_of``, and the cost of all attempts."""
_PROFILE, _TERMS, _USER, _TAGS, _SESSION, _COST, _GAPS = map(
    COLUMNS.index, ("profile", "terms", "user", "tags", "session", "cost_pd", "gaps")
)
_CALL = len(COLUMNS)
_GROUPED = {
    "user": 'r."user"',
    "tag": "r.tags",
    "session": "r.session",
}
"""What the database groups records by, besides profile, terms and time."""
_SUMMED = ", ".join(
    (
        "count(*)",
        "count(*) FILTER (WHERE r.cost_pd IS NULL)",
        "sum(r.cost_pd)",
        *[f"sum({number_of(name)})" for name in SUMS[4:]],
    )
)
_IS_PLAIN = """(r.cost_rest IS NULL AND (r.more IS NULL OR r.more NOT LIKE '%"saved_usd"%'))"""
_NAMED = {"user": "names", "tag": "tag_sets", "session": "sessions"}
"""Dimension -> the table of its texts."""
Group = tuple[str | None, ...]


def _choose_one(
    keys: Mapping[int, Sequence[Any]], kind_of: Callable[[Sequence[Any]], Hashable]
) -> list[int]:
    """For each number, from 1 on, that of the first key of the same kind; itself where it has
    none."""
    chosen: dict[Hashable, int] = {}
    numbers = list(range(1, max(keys, default=0) + 1))
    for number, key in keys.items():
        numbers[number - 1] = chosen.setdefault(kind_of(key), number)
    return numbers


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
        family, where = choose_family(self._where, self._by, self._metrics), self._where
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
        if not self._metrics:
            await self._add_sums(conditions.copy())
            conditions.sql.append(f"NOT {_IS_PLAIN}")
        sql = f"SELECT {COUNTED} FROM records r WHERE {conditions.text}"
        async with self._connection.transaction():
            cursor = await self._connection.cursor(sql, *conditions.values)
            while rows := await cursor.fetch(ROWS_AT_ONCE):
                await self._learn_all(rows)
                self._add_batch([tuple(row) for row in rows])

    async def _add_sums(self, conditions: Conditions) -> None:
        """Those without a histogram are summed up by the database, but for the few with a cost that
        has more digits than picodollars, and those that the cache saved something for."""
        conditions.sql.append(_IS_PLAIN)
        columns = [
            f"coalesce(({conditions.value(numbers)}::integer[])[r.{name}], r.{name})"
            for name, numbers in (("profile", self._like_profiles()), ("terms", self._like_terms()))
        ]
        grouped = {"time": self._sql_time(), **_GROUPED}
        columns += [sql if self._groups_by(name) else "NULL" for name, sql in grouped.items()]
        names = ", ".join(f"{column} AS g{at}" for at, column in enumerate(columns))
        sql = (
            f"SELECT {names}, {_SUMMED} FROM records r "
            f"WHERE {conditions.text} GROUP BY 1, 2, 3, 4, 5, 6"
        )
        async with self._connection.transaction():
            await self._connection.execute("SET LOCAL max_parallel_workers_per_gather = 2")
            cursor = await self._connection.cursor(sql, *conditions.values)
            while rows := await cursor.fetch(ROWS_AT_ONCE):
                await self._reader.learn_numbers(rows)
                for dimension, at in (("user", 3), ("tag", 4), ("session", 5)):
                    await self._learn(dimension, {row[at] for row in rows})  # type: ignore[arg-type]
                for row in rows:
                    self._add_sum(tuple(row))

    def _like_profiles(self) -> list[int]:
        """For each profile one that counts like it, and is in the same group."""
        at = [PROFILE_FIELDS.index(DIMENSION_FIELDS[n]) for n in self._by if n in DIMENSION_FIELDS]
        return _choose_one(
            self._reader.texts.profiles,
            lambda profile: (
                bool(profile[_IS_LAST]), profile[_OUTCOME] != "ok", *[profile[i] for i in at]
            ),
        )  # fmt: skip

    def _like_terms(self) -> list[int]:
        """For each terms some that count like them."""
        profile = [None] * len(PROFILE_FIELDS)

        def kind_of(terms: Sequence[Any]) -> Hashable:
            flags = flags_of(profile, terms)
            return flags.head[0], flags.is_successful, flags.is_estimated

        return _choose_one(self._reader.texts.terms, kind_of)

    def _sql_time(self) -> str:
        """The beginning of the steps of time that are asked for."""
        step_us = min((step_of(name) for name in self._by if name in NAME_TIME), default=HOUR_US)
        return f"r.time_us / {step_us} * {step_us}"

    def _groups_by(self, name: str) -> bool:
        return name in self._by or (name == "time" and any(each in NAME_TIME for each in self._by))

    def _add_sum(self, row: tuple[Any, ...]) -> None:
        """A row of what ``_add_sums`` selects."""
        profile, terms, time_us, user, tags, session, count, without_cost, cost, *tokens = row
        flags = self._flags_of(profile, terms)
        numbers = (
            *[each * count for each in flags.head],
            without_cost if flags.is_successful else 0,
            *[int(each or 0) for each in tokens],
            int(cost or 0),
            int(cost or 0) if flags.is_estimated else 0,
        )
        for group in self._groups(time_us or 0, profile, user, tags, session):
            self._cell(group).add([(numbers, b"", None)])

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
                step_us = step_of(dimension)
                source: int | None = time_us // step_us * step_us
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
