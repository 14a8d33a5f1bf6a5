"""Fills cubes that an older version did not have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headway.ledger.cubes import Sums
from headway.ledger.rows import COLUMNS, decode_key
from headway.ledger.stores.postgresql.cells import add_parts
from headway.ledger.stores.postgresql.keys import KeyNumbers
from headway.ledger.stores.postgresql.kinds import KindFinder
from headway.ledger.stores.postgresql.usage import COUNTED
from headway.ledger.usage_parts import contributions_of, flags_of

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

    Profiles = Mapping[int, tuple[Any, ...]]

AT_ONCE = 20_000
_PROFILE, _TERMS, _USER, _TAGS, _COST = map(
    COLUMNS.index, ("profile", "terms", "user", "tags", "cost_pd")
)


async def fill_cubes(connection: Connection, cubes: Collection[int]) -> None:
    """Add all records to these cubes, which are empty."""
    profiles, terms = (
        await _read_keys(connection, "profiles"),
        await _read_keys(connection, "terms"),
    )
    finder = KindFinder(KeyNumbers())
    cursor = await connection.cursor(f"SELECT {COUNTED} FROM records r ORDER BY time_us")
    while rows := [tuple(row) for row in await cursor.fetch(AT_ONCE)]:
        used = {number: profiles[number] for number in {row[_PROFILE] for row in rows}}
        masked = await finder.mask(connection, used)
        parts = _sum_up(rows, profiles, terms, masked).parts()
        await add_parts(connection, [part for part in parts if part[0][0] in cubes])


async def _read_keys(connection: Connection, table: str) -> Profiles:
    rows = await connection.fetch(f"SELECT id, key FROM {table}")
    return {row["id"]: decode_key(row["key"]) for row in rows}


def _sum_up(
    rows: Sequence[tuple[Any, ...]],
    profiles: Profiles,
    terms: Profiles,
    masked: Mapping[int, Sequence[int]],
) -> Sums:
    places = [(row[0], masked[row[_PROFILE]], row[_USER], row[_TAGS]) for row in rows]
    kinds = [(row[_PROFILE], row[_TERMS]) for row in rows]
    flags = {kind: flags_of(profiles[kind[0]], terms[kind[1]]) for kind in set(kinds)}
    call_pds = [row[_COST] if row[-1] is None else row[-1] for row in rows]
    gaps = [None] * len(rows)
    sums = Sums()
    contributions = contributions_of(rows, [flags[kind] for kind in kinds], call_pds, gaps)
    sums.add(places, contributions, gaps)
    return sums
