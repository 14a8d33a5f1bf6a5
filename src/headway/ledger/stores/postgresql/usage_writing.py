"""The hourly and daily sums, kept with the records in one transaction.

The caller holds the lock SHIP: what is read here is still so when it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from headway.ledger.money import join_usd
from headway.ledger.rows import COLUMNS
from headway.ledger.stores.postgresql.cells import Cell
from headway.ledger.stores.postgresql.ids import key_of
from headway.ledger.stores.postgresql.keys import KeyNumbers, model_group_of
from headway.ledger.stores.postgresql.schema import GAPS, HISTOGRAMS, SUMS, USAGE_TABLES, quote
from headway.ledger.stores.postgresql.writing import HOUR_US, Entry
from headway.metering.histogram import Histogram

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

HOURS_A_DAY = 24
HISTOGRAM_COLUMNS = (*HISTOGRAMS.values(), GAPS)
_PROFILE, _USER, _TAGS, _COST, _COST_REST = map(
    COLUMNS.index, ("profile", "user", "tags", "cost_pd", "cost_rest")
)
Key = tuple[int, ...]
"""The period and the numbers of one row."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[float, dict[int, int]]).decode


def pack_histogram(histogram: Histogram) -> bytes:
    return _encode((histogram.total, histogram.counts))


def unpack_histogram(packed: bytes) -> Histogram:
    total, counts = _decode(packed)
    return Histogram(counts, total)


async def add_usage(
    connection: Connection,
    numbers: Mapping[tuple[Any, ...], int],
    new: Sequence[Entry],
    call_costs: Mapping[str, Decimal],
) -> None:
    """``numbers``: of the model groups; ``call_costs``: of calls with several attempts, by their
    UUID."""
    cells: dict[Key, Cell] = {}
    profiles: dict[int, tuple[Any, ...]] = {}
    for entry in new:
        row = entry.row
        profile = row[_PROFILE]
        key = (row[0] // HOUR_US, profile, row[_USER] or 0, row[_TAGS] or 0)
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = Cell()
            profiles[profile] = entry.keys.profile
        cell.add(row, entry.keys.profile, entry.keys.terms, _call_cost(entry, call_costs))
    groups = {number: numbers[model_group_of(profile)] for number, profile in profiles.items()}
    for table, rows in _tables(cells, groups).items():
        await _add(connection, table, rows)


def _call_cost(entry: Entry, call_costs: Mapping[str, Decimal]) -> Decimal | None:
    if call_costs:
        found = call_costs.get(key_of(entry.record.call_id or entry.record.id))
        if found is not None:
            return found
    row = entry.row
    return None if row[_COST] is None else join_usd(row[_COST], row[_COST_REST])


def _tables(cells: Mapping[Key, Cell], groups: Mapping[int, int]) -> dict[str, dict[Key, Cell]]:
    """What is added to each table."""
    by_model = _merge(((key[0], groups[key[1]]), cell) for key, cell in cells.items())
    return {
        "usage_by_model_hourly": by_model,
        "usage_by_model_daily": _merge(_by_day(by_model)),
        "usage_full_hourly": dict(cells),
        "usage_full_daily": _merge(_by_day(cells)),
    }


def _by_day(cells: Mapping[Key, Cell]) -> Iterable[tuple[Key, Cell]]:
    return (((key[0] // HOURS_A_DAY, *key[1:]), cell) for key, cell in cells.items())


def _merge(cells: Iterable[tuple[Key, Cell]]) -> dict[Key, Cell]:
    merged: dict[Key, Cell] = {}
    for key, cell in cells:
        if key not in merged:
            merged[key] = Cell()
        merged[key].merge(cell)
    return merged


async def _add(connection: Connection, table: str, cells: Mapping[Key, Cell]) -> None:
    ordered = sorted(cells)
    keys = ("period", *USAGE_TABLES[table])
    columns: list[list[Any]] = [list(column) for column in zip(*ordered, strict=True)]
    old = {
        tuple(row[: len(keys)]): row[len(keys) :]
        for row in map(tuple, await connection.fetch(_select(table), *columns))
    }
    rows = [_values(cells[key], old.get(key)) for key in ordered]
    columns += [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(_upsert(table), *columns)


def _values(cell: Cell, old: Sequence[bytes | None] | None) -> list[Any]:
    """The sums, which are added by the database, and the histograms, which are merged here."""
    histograms = [*[cell.histograms.get(metric) for metric in HISTOGRAMS], cell.gaps]
    packed = [
        _merge_histogram(histogram, None if old is None else old[at])
        for at, histogram in enumerate(histograms)
    ]
    sums = [getattr(cell, name) for name in SUMS]
    return [*sums, cell.cost_usd, cell.estimated_usd, *packed]


def _merge_histogram(histogram: Histogram | None, old: bytes | None) -> bytes | None:
    if histogram is None:
        return old
    if old is None:
        return pack_histogram(histogram)
    merged = unpack_histogram(old)
    merged.merge(histogram)
    return pack_histogram(merged)


def _types(table: str) -> list[str]:
    keys = ["bigint" if name == "user_name" else "integer" for name in USAGE_TABLES[table]]
    sums = ["bigint"] * len(SUMS)
    return ["integer", *keys, *sums, "numeric", "numeric", *["bytea"] * len(HISTOGRAM_COLUMNS)]


def _unnest(table: str, count: int) -> str:
    arrays = [f"${at}::{kind}[]" for at, kind in enumerate(_types(table)[:count], 1)]
    return f"unnest({', '.join(arrays)})"


def _select(table: str) -> str:
    keys = ("period", *USAGE_TABLES[table])
    return (
        f"SELECT {quote((*keys, *HISTOGRAM_COLUMNS))} FROM {table} "
        f"JOIN {_unnest(table, len(keys))} AS k ({quote(keys)}) USING ({quote(keys)})"
    )


def _upsert(table: str) -> str:
    keys = ("period", *USAGE_TABLES[table])
    added = (*SUMS, "cost_usd", "estimated_usd")
    columns = (*keys, *added, *HISTOGRAM_COLUMNS)
    sets = [f"{name} = t.{name} + excluded.{name}" for name in added]
    sets += [f"{name} = excluded.{name}" for name in HISTOGRAM_COLUMNS]
    return (
        f"INSERT INTO {table} AS t ({quote(columns)}) "
        f"SELECT * FROM {_unnest(table, len(columns))} "
        f"ON CONFLICT ({quote(keys)}) DO UPDATE SET {', '.join(sets)}"
    )


async def find_model_groups(
    connection: Connection, numbers: KeyNumbers, entries: Sequence[Entry]
) -> Mapping[tuple[Any, ...], int]:
    groups = {model_group_of(entry.keys.profile) for entry in entries}
    return await numbers.find(connection, "model_groups", groups)
