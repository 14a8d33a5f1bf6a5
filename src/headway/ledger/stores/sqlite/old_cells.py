"""The sums as versions 1 to 4 of the schema kept them: a row for each cell, with its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import apsw

from headway.ledger.cubes import Address
from headway.ledger.segments import CUBES, Block, block_of, encode_parts
from headway.ledger.stores.sqlite.sql import each_row, first_value
from headway.ledger.usage_parts import MAX_PARTS, merge_parts

_APPEND = """
INSERT INTO cells VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT DO UPDATE SET parts = parts + 1, cell = CAST(cell || excluded.cell AS BLOB)
RETURNING parts, rowid"""


def append_parts(db: apsw.Connection, parts: Sequence[tuple[Address, bytes]]) -> None:
    appended = db.executemany(_APPEND, [(*address, part) for address, part in parts])
    for rowid in [rowid for parts, rowid in appended if parts >= MAX_PARTS]:
        cell = first_value(db, "SELECT cell FROM cells WHERE rowid = ?", (rowid,))
        db.execute(
            "UPDATE cells SET parts = 1, cell = ? WHERE rowid = ?", (merge_parts(cell), rowid)
        )


def each_segment(db: apsw.Connection) -> Iterator[tuple[Block, bytes]]:
    """All cells, as they are kept now."""
    rows = each_row(db, "SELECT cube, start, name, profile, cell FROM cells ORDER BY 1, 2, 3, 4")
    for block, cells in groupby(rows, key=lambda row: block_of(row[:4])):
        has_metrics = CUBES[block.cube].has_metrics
        yield block, encode_parts([row[2:] for row in cells], has_metrics=has_metrics)
