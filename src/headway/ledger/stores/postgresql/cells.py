"""The sums of ``headway.ledger.cubes`` in PostgreSQL.

A part of a cell is a row. Rows are added, and never changed, as a changed row is written anew with
all of it. Those of a cell that has many are merged into one, and so are those whose time is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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

Parts = Sequence[tuple[Address, bytes]]
_ADDRESSES = "unnest($1::smallint[], $2::integer[], $3::bigint[], $4::integer[]"
_ADD = f"""
INSERT INTO cells (cube, start, name, profile, parts, cell)
SELECT cube, start, name, profile, 1, cell
FROM {_ADDRESSES}, $5::bytea[]) AS n (cube, start, name, profile, cell)
"""
_TAKE = f"""
DELETE FROM cells c USING {_ADDRESSES}) AS n (cube, start, name, profile)
WHERE (c.cube, c.start, c.name, c.profile) = (n.cube, n.start, n.name, n.profile)
RETURNING c.cube, c.start, c.name, c.profile, c.cell
"""
_NEXT_PAST = "SELECT min(start) FROM cells WHERE cube = $1 AND start >= $2 AND start < $3"
_SEVERAL = """
SELECT cube, start, name, profile FROM cells WHERE cube = $1 AND start = $2
GROUP BY cube, start, name, profile HAVING sum(parts) > 1 LIMIT $3
"""
_SET_MERGED = """
INSERT INTO merged VALUES ($1, $2) ON CONFLICT (cube) DO UPDATE SET start = excluded.start
"""
MERGED_AFTER_S = 600.0
"""After its end the parts of an hour, a day or a month are merged."""
MERGED_AT_ONCE = 500
EARLIEST = -(2**31)
"""No cell has a time before."""
MAX_COUNTED = 100_000
"""Cells whose parts a writer counts."""


class PartCounts:
    """How many parts this process has added to which cell since the last time that it merged
    them."""

    def __init__(self) -> None:
        self._counts: Counter[Address] = Counter()

    def count(self, parts: Parts) -> list[Address]:
        """Count ``parts``, and return the cells that have many now, which are to be merged."""
        if len(self._counts) > MAX_COUNTED:
            self._counts.clear()
        counts = self._counts
        counts.update([address for address, _ in parts])
        many = [address for address, _ in parts if counts[address] >= MAX_PARTS]
        for address in many:
            del counts[address]
        return many


def correct(
    correction: Correction, masked: Mapping[int, Sequence[int]]
) -> list[tuple[Address, bytes]]:
    """``masked``: the numbers of the profile with each of ``headway.ledger.cubes.MASKS``."""
    (time_us, profile, user, tags), part = correction
    place = Place(time_us, masked[profile], user, tags)
    return [(address, part) for address in addresses_of(place)]


async def add_parts(connection: Connection, parts: Parts) -> None:
    if parts:
        await connection.execute(_ADD, *_columns([(*address, part) for address, part in parts]))


async def merge_cells(connection: Connection, addresses: Iterable[Address]) -> None:
    """Merge the parts of each of these cells. The caller holds the lock SHIP, so that nobody else
    merges them meanwhile; parts that others add meanwhile stay parts."""
    chosen = sorted(set(addresses))
    if not chosen:
        return
    found: dict[Address, list[bytes]] = {}
    for *address, cell in await connection.fetch(_TAKE, *_columns(chosen)):
        cube, start, name, profile = address
        found.setdefault((cube, start, name, profile), []).append(cell)
    merged = [(address, merge_parts(b"".join(cells))) for address, cells in found.items()]
    await add_parts(connection, merged)


async def merge_past(connection: Connection, now: float) -> bool:
    """Merge the parts of some cells whose time is over, in a transaction: nothing more is added to
    them but what comes late. Returns whether there may be more."""
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
    await merge_cells(
        connection, [(row["cube"], row["start"], row["name"], row["profile"]) for row in rows]
    )
    if len(rows) < MERGED_AT_ONCE:
        await connection.execute(_SET_MERGED, cube, start + 1)


def _columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
