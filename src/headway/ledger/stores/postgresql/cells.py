"""The sums of ``headway.ledger.cubes`` in PostgreSQL. The caller holds the lock SHIP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from headway.ledger.cubes import MASKS, Address, Place, addresses_of, mask_profile, sum_records
from headway.ledger.stores.postgresql.keys import KeyNumbers
from headway.ledger.stores.postgresql.writing import Batch, Correction
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


class MaskedProfiles:
    """The numbers of profiles with each of ``MASKS``."""

    def __init__(self) -> None:
        self.known: dict[int, Sequence[int]] = {}

    async def find(
        self, connection: Connection, numbers: KeyNumbers, profiles: dict[int, tuple[Any, ...]]
    ) -> None:
        """Have those of ``profiles``, given by number, in ``known``."""
        missing = {number: key for number, key in profiles.items() if number not in self.known}
        if not missing:
            return
        masked = [mask_profile(key, fields) for key in missing.values() for fields in MASKS]
        found = iter(await numbers.find(connection, "profiles", masked))
        for number in missing:
            self.known[number] = [next(found) or 0 for _ in MASKS]


async def add_facts(
    connection: Connection, batch: Batch, new: Sequence[int], corrections: Sequence[Correction],
    masked: MaskedProfiles,
) -> None:  # fmt: skip
    await _append(connection, list(sum_records(*batch.sums_of(new))))
    for correction in corrections:
        await _append(connection, list(_correct(correction, masked)))


def _correct(correction: Correction, masked: MaskedProfiles) -> Iterator[tuple[Address, bytes]]:
    (time_us, profile, user, tags), part = correction
    for address in addresses_of(Place(time_us, masked.known[profile], user, tags)):
        yield address, part


async def _append(connection: Connection, parts: list[tuple[Address, bytes]]) -> None:
    if not parts:
        return
    parts.sort(key=lambda part: part[0])
    rows = await connection.fetch(_APPEND, *_columns(parts), MAX_PARTS)
    merged = [
        ((row["cube"], row["start"], row["name"], row["profile"]), merge_parts(row["cell"]))
        for row in rows
        if row["cell"] is not None
    ]
    if merged:
        await connection.execute(_REPLACE, *_columns(merged))


def _columns(parts: Iterable[tuple[Address, bytes]]) -> list[list[Any]]:
    return [
        list(column) for column in zip(*[(*address, part) for address, part in parts], strict=True)
    ]
