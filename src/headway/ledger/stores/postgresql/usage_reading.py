"""Usage by groups: from the daily and hourly sums, and from records where those do not tell.

Whole days come from daily sums, the hours at both ends from hourly ones, and what is left of hours
from records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from msgspec import Struct

from headway.ledger.rollup import NAME_TIME, sort_usage
from headway.ledger.rows import COLUMNS, PROFILE_FIELDS, decode_key
from headway.ledger.store import Dimension, Filter, Usage
from headway.ledger.stores.postgresql.cells import Cell
from headway.ledger.stores.postgresql.filters import (
    Conditions,
    find_numbers,
    limit_us,
    profile_test,
)
from headway.ledger.stores.postgresql.reading import SELECT, Reader, cost_of_call
from headway.ledger.stores.postgresql.schema import (
    GAPS,
    HISTOGRAMS,
    MODEL_GROUP_FIELDS,
    SUMS,
    quote,
)
from headway.ledger.stores.postgresql.usage_writing import HOURS_A_DAY, unpack_histogram
from headway.ledger.stores.postgresql.writing import HOUR_US

_PROFILE_FIELD = {
    "provider": "provider", "model": "model", "deployment": "deployment", "key": "key_id",
    "dialect": "dialect", "outcome": "outcome",
}  # fmt: skip
_PROFILE_AT = {name: PROFILE_FIELDS.index(field) for name, field in _PROFILE_FIELD.items()}
_BY_MODEL = frozenset(MODEL_GROUP_FIELDS)
_AT_ONCE = 5000
"""Records in memory, where they are counted one by one."""
_WIDTH = len(COLUMNS)
Group = tuple[str | None, ...]


class Span(Struct, frozen=True):
    """``table`` holds the sums of the periods from ``start`` until before ``end``."""

    table: str
    start: int | None
    end: int | None


class Plan(Struct, frozen=True):
    spans: tuple[Span, ...]
    records: tuple[tuple[int | None, int | None], ...]
    """Times, in microseconds, whose records are counted."""


def make_plan(where: Filter, by: Sequence[Dimension]) -> Plan:
    since = None if where.since is None else limit_us(where.since)
    until = None if where.until is None else limit_us(where.until)
    if needs_records(where, by):
        return Plan((), ((since, until),))
    first = None if since is None else -(-since // HOUR_US)
    end = None if until is None else until // HOUR_US
    if first is not None and end is not None and first > end:
        return Plan((), ((since, until),))
    records: list[tuple[int | None, int | None]] = []
    if since is not None and first is not None and since < first * HOUR_US:
        records.append((since, first * HOUR_US))
    if until is not None and end is not None and end * HOUR_US < until:
        records.append((end * HOUR_US, until))
    table = "usage_by_model" if is_by_model(where, by) else "usage_full"
    return Plan(tuple(_spans(table, first, end, by)), tuple(records))


def _spans(
    table: str, first: int | None, end: int | None, by: Sequence[Dimension]
) -> Iterator[Span]:
    first_day = None if first is None else -(-first // HOURS_A_DAY)
    end_day = None if end is None else end // HOURS_A_DAY
    is_within_days = first_day is not None and end_day is not None and first_day >= end_day
    if "hour" in by or is_within_days:
        yield Span(f"{table}_hourly", first, end)
        return
    yield Span(f"{table}_daily", first_day, end_day)
    if first is not None and first_day is not None and first < first_day * HOURS_A_DAY:
        yield Span(f"{table}_hourly", first, first_day * HOURS_A_DAY)
    if end is not None and end_day is not None and end_day * HOURS_A_DAY < end:
        yield Span(f"{table}_hourly", end_day * HOURS_A_DAY, end)


def needs_records(where: Filter, by: Sequence[Dimension]) -> bool:
    """Whether the sums lack something that is asked for."""
    limits = (
        where.min_cost_usd, where.max_cost_usd, where.min_latency_s, where.max_latency_s,
        where.text,
    )  # fmt: skip
    return bool(
        "session" in by or where.sessions or where.ids or any(each is not None for each in limits)
    )


def is_by_model(where: Filter, by: Sequence[Dimension]) -> bool:
    """Whether the smaller table has all that is asked for."""
    return not (
        {"key", "user", "tag"}.intersection(by)
        or where.keys or where.owner is not None or where.users or where.tags or where.statuses
    )  # fmt: skip


async def read_usage(
    reader: Reader, where: Filter, by: Sequence[Dimension], metrics: Sequence[str]
) -> list[Usage]:
    plan = make_plan(where, by)
    cells: dict[Group, Cell] = {} if by else {(): Cell()}
    await reader.texts.update(reader.connection)
    for span in plan.spans:
        if span.table.startswith("usage_by_model"):
            await _add_by_model(reader, span, where, by, metrics, cells)
        else:
            await _add_full(reader, span, where, by, metrics, cells)
    for since, until in plan.records:
        await _add_records(reader, where, since, until, by, cells)
    return sort_usage(
        [cell.to_usage(dict(zip(by, group, strict=True)), metrics) for group, cell in cells.items()]
    )


# --- From sums ------------------------------------------------------------------------------------


async def _add_by_model(
    reader: Reader, span: Span, where: Filter, by: Sequence[Dimension],
    metrics: Sequence[str], cells: dict[Group, Cell],
) -> None:  # fmt: skip
    matches = profile_test(where)
    profiles = {number: _as_profile(group) for number, group in reader.texts.model_groups.items()}
    chosen = [number for number, profile in profiles.items() if matches(profile)]
    conditions = _of_span(span)
    conditions.sql.append(f"r.model_group = ANY({conditions.value(chosen)}::integer[])")
    for row in await _read_sums(reader, span.table, ("model_group",), conditions, metrics):
        profile = profiles[row["model_group"]]
        groups = product(*[_of_profile(span, row, profile, name) for name in by])
        _merge(cells, groups, _cell(row, metrics))


async def _add_full(
    reader: Reader, span: Span, where: Filter, by: Sequence[Dimension],
    metrics: Sequence[str], cells: dict[Group, Cell],
) -> None:  # fmt: skip
    matches = profile_test(where)
    profiles = reader.texts.profiles
    chosen = [number for number, profile in profiles.items() if matches(profile)]
    conditions = _of_span(span)
    conditions.sql.append(f"r.profile = ANY({conditions.value(chosen)}::integer[])")
    for column, numbers in (await find_numbers(reader.connection, where)).items():
        name, kind = ("user_name", "bigint") if column == "user" else (column, "integer")
        conditions.sql.append(f"r.{name} = ANY({conditions.value(numbers)}::{kind}[])")
    rows = await _read_sums(
        reader, span.table, ("profile", "user_name", "tags"), conditions, metrics
    )
    users = await _names(reader, "names", {row["user_name"] for row in rows}, "user" in by)
    tags = await _names(reader, "tag_sets", {row["tags"] for row in rows}, "tag" in by)
    for row in rows:
        values: list[Sequence[str | None]] = []
        for name in by:
            if name == "user":
                values.append((users.get(row["user_name"]),))
            elif name == "tag":
                tag_set = tags.get(row["tags"])
                values.append((None,) if tag_set is None else decode_key(tag_set))
            else:
                values.append(_of_profile(span, row, profiles[row["profile"]], name))
        _merge(cells, product(*values), _cell(row, metrics))


def _of_span(span: Span) -> Conditions:
    conditions = Conditions()
    if span.start is not None:
        conditions.sql.append(f"r.period >= {conditions.value(span.start)}")
    if span.end is not None:
        conditions.sql.append(f"r.period < {conditions.value(span.end)}")
    return conditions


def _as_profile(group: Sequence[Any]) -> tuple[Any, ...]:
    """A profile of which only the fields of a model group are known."""
    named = dict(zip(MODEL_GROUP_FIELDS, group, strict=True))
    return tuple([named.get(field) for field in PROFILE_FIELDS])


def _of_profile(
    span: Span, row: Any, profile: Sequence[Any], dimension: Dimension
) -> Sequence[str | None]:
    if dimension in NAME_TIME:
        hours = HOURS_A_DAY if span.table.endswith("_daily") else 1
        return (NAME_TIME[dimension](row["period"] * hours * HOUR_US),)
    return (profile[_PROFILE_AT[dimension]],)


async def _read_sums(
    reader: Reader, table: str, keys: tuple[str, ...], conditions: Conditions,
    metrics: Sequence[str],
) -> list[Any]:  # fmt: skip
    columns = (
        "period", *keys, *SUMS, "cost_usd", "estimated_usd",
        *[HISTOGRAMS[metric] for metric in metrics], GAPS,
    )  # fmt: skip
    sql = f"SELECT {quote(columns)} FROM {table} r WHERE {conditions.text}"
    return list(await reader.connection.fetch(sql, *conditions.values))


async def _names(
    reader: Reader, table: str, numbers: set[int], is_needed: bool
) -> Mapping[int, str]:
    if not is_needed:
        return {}
    sql = f"SELECT id, key FROM {table} WHERE id = ANY($1::bigint[])"
    return {row["id"]: row["key"] for row in await reader.connection.fetch(sql, list(numbers))}


def _cell(row: Any, metrics: Sequence[str]) -> Cell:
    packed = {metric: row[HISTOGRAMS[metric]] for metric in metrics}
    return Cell(
        **{name: row[name] for name in SUMS},
        cost_usd=row["cost_usd"],
        estimated_usd=row["estimated_usd"],
        histograms={
            metric: unpack_histogram(histogram)
            for metric, histogram in packed.items()
            if histogram is not None
        },
        gaps=None if row[GAPS] is None else unpack_histogram(row[GAPS]),
    )


def _merge(cells: dict[Group, Cell], groups: Iterator[Group], cell: Cell) -> None:
    for group in groups:
        if group not in cells:
            cells[group] = Cell()
        cells[group].merge(cell)


# --- From records ---------------------------------------------------------------------------------


async def _add_records(
    reader: Reader, where: Filter, since: int | None, until: int | None,
    by: Sequence[Dimension], cells: dict[Group, Cell],
) -> None:  # fmt: skip
    conditions = await reader.compile(where, of_calls=False)
    if since is not None:
        conditions.sql.append(f"r.time_us >= {conditions.value(since)}")
    if until is not None:
        conditions.sql.append(f"r.time_us < {conditions.value(until)}")
    sql = f"{SELECT} FROM records r WHERE {conditions.text}"
    async with reader.connection.transaction():
        cursor = await reader.connection.cursor(sql, *conditions.values)
        while rows := await cursor.fetch(_AT_ONCE):
            if any(row["profile"] not in reader.texts.profiles for row in rows):
                await reader.texts.update(reader.connection)
            for row in rows:
                _add_record(reader, row, by, cells)


def _add_record(
    reader: Reader, row: Any, by: Sequence[Dimension], cells: dict[Group, Cell]
) -> None:
    profile = reader.texts.profiles[row["profile"]]
    terms = reader.texts.terms[row["terms"]]
    user, tags, session = row[_WIDTH + 3], row[_WIDTH + 4], row[_WIDTH + 5]
    values: list[Sequence[str | None]] = []
    for name in by:
        if name in NAME_TIME:
            values.append((NAME_TIME[name](row["time_us"]),))
        elif name == "tag":
            values.append((None,) if tags is None else decode_key(tags))
        elif name in ("user", "session"):
            values.append((user if name == "user" else session,))
        else:
            values.append((profile[_PROFILE_AT[name]],))
    cost = cost_of_call(row)
    for group in product(*values):
        if group not in cells:
            cells[group] = Cell()
        cells[group].add(row, profile, terms, cost)
