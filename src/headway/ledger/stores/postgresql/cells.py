"""The sums of ``headway.ledger.cubes`` in PostgreSQL. The caller holds the lock SHIP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from headway.ledger.cubes import (
    FAMILIES,
    Address,
    Place,
    addresses_of,
    start_of,
)
from headway.ledger.stores.postgresql.locks import SHIP, take_lock
from headway.ledger.stores.postgresql.writing import Correction
from headway.ledger.usage_parts import MAX_PARTS, merge_parts

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

_ADDRESSES = "unnest($1::smallint[], $2::integer[], $3::bigint[], $4::integer[]"
_APPEND = f"""
INSERT INTO cells AS c SELECT cube, start, name, profile, 1, cell
FROM {_ADDRESSES}, $5::bytea[]) AS n (cube, start, name, profile, cell)
ON CONFLICT (cube, start, name, profile) DO UPDATE
SET parts = c.parts + 1, cell = c.cell || excluded.cell
RETURNING parts, cube, start, name, profile, CASE WHEN parts >= $6 THEN cell END AS cell
"""
_REPLACE = f"""
UPDATE cells c SET parts = 1, cell = n.cell
FROM {_ADDRESSES}, $5::bytea[]) AS n (cube, start, name, profile, cell)
WHERE (c.cube, c.start, c.name, c.profile) = (n.cube, n.start, n.name, n.profile)
"""
_NEXT_PAST = "SELECT min(start) FROM cells WHERE cube = $1 AND start >= $2 AND start < $3"
_SEVERAL = """
SELECT cube, start, name, profile, cell FROM cells
WHERE cube = $1 AND start = $2 AND parts > 1 LIMIT $3
"""
_SET_MERGED = """
INSERT INTO merged VALUES ($1, $2) ON CONFLICT (cube) DO UPDATE SET start = excluded.start
"""
MERGED_AFTER_S = 600.0
"""After its end the parts of an hour, a day or a month are merged."""
MERGED_AT_ONCE = 500
EARLIEST = -(2**31)
"""No cell has a time before."""


async def add_parts(
    connection: Connection,
    parts: list[tuple[Address, bytes]],
    corrections: Sequence[Correction],
    masked: Mapping[int, Sequence[int]],
) -> None:
    """``masked``: the numbers of the profiles of ``corrections`` with each of
    ``headway.ledger.cubes.MASKS``."""
    await _append(connection, parts)
    for correction in corrections:
        await _append(connection, list(_correct(correction, masked)))


def _correct(
    correction: Correction, masked: Mapping[int, Sequence[int]]
) -> Iterator[tuple[Address, bytes]]:
    (time_us, profile, user, tags), part = correction
    for address in addresses_of(Place(time_us, masked[profile], user, tags)):
        yield address, part


async def _append(connection: Connection, parts: list[tuple[Address, bytes]]) -> None:
    if not parts:
        return
    parts.sort(key=lambda part: part[0])
    rows = await connection.fetch(_APPEND, *_columns(parts), MAX_PARTS)
    many = [row for row in rows if row["cell"] is not None]
    if many:
        await _replace(connection, many)


async def merge_past(connection: Connection, now: float) -> bool:
    """Merge the parts of some cells whose time is over, in a transaction: nothing more is appended
    to them but what comes late. Returns whether there may be more."""
    await take_lock(connection, SHIP)
    done = {row["cube"]: row["start"] for row in await connection.fetch("SELECT * FROM merged")}
    until_us = round((now - MERGED_AFTER_S) * 1e6)
    for cube in chain.from_iterable(FAMILIES):
        until = start_of(cube.level, until_us)
        found = cube.number, done.get(cube.number, EARLIEST), until
        start = await connection.fetchval(_NEXT_PAST, *found)
        if start is not None:
            await _merge_some(connection, cube.number, start)
            return True
    return False


async def _merge_some(connection: Connection, cube: int, start: int) -> None:
    rows = await connection.fetch(_SEVERAL, cube, start, MERGED_AT_ONCE)
    if rows:
        await _replace(connection, rows)
    if len(rows) < MERGED_AT_ONCE:
        await connection.execute(_SET_MERGED, cube, start + 1)


async def _replace(connection: Connection, rows: Iterable[Any]) -> None:
    """Merge the parts of cells."""
    merged = [
        ((row["cube"], row["start"], row["name"], row["profile"]), merge_parts(row["cell"]))
        for row in rows
    ]
    await connection.execute(_REPLACE, *_columns(merged))


def _columns(parts: Iterable[tuple[Address, bytes]]) -> list[list[Any]]:
    return [
        list(column) for column in zip(*[(*address, part) for address, part in parts], strict=True)
    ]
