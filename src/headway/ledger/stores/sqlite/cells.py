"""The sums of ``headway.ledger.cubes`` in SQLite.

Parts are appended to the cells of the shortest time of each family. When a day is over its cells
are merged, and appended to those of the longer times: the days before ``rolled.day`` are in these,
and the others are not yet. What comes late, for a day that was rolled up, is appended to all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import apsw

from headway.ledger.cubes import (
    DAY_US,
    FAMILIES,
    Address,
    Cube,
    Span,
    start_of,
    time_of_start,
)
from headway.ledger.stores.sqlite.sql import all_rows, each_row, first_value
from headway.ledger.usage_parts import MAX_PARTS, merge_parts

OPEN_DAYS = 2
"""The newest days, which are not rolled up yet: records of them are still on their way."""
TABLES = "CREATE TABLE rolled (day INTEGER NOT NULL);"
_APPEND = """
INSERT INTO cells VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT DO UPDATE SET parts = parts + 1, cell = CAST(cell || excluded.cell AS BLOB)
RETURNING parts, rowid"""
_ROLL = """
INSERT INTO cells SELECT ?1, ?2, name, profile, parts, cell FROM cells
WHERE cube = ?3 AND start >= ?4 AND start < ?5
ON CONFLICT DO UPDATE SET parts = parts + excluded.parts, cell = CAST(cell || excluded.cell AS BLOB)
"""


def append_parts(db: apsw.Connection, parts: Sequence[tuple[Address, bytes]]) -> None:
    appended = db.executemany(_APPEND, [(*address, part) for address, part in parts])
    _merge(db, [rowid for parts, rowid in appended if parts >= MAX_PARTS])


def _merge(db: apsw.Connection, rowids: Sequence[int]) -> None:
    for rowid in rowids:
        cell = first_value(db, "SELECT cell FROM cells WHERE rowid = ?", (rowid,))
        db.execute(
            "UPDATE cells SET parts = 1, cell = ? WHERE rowid = ?", (merge_parts(cell), rowid)
        )


def find_rolled_day(db: apsw.Connection) -> int | None:
    """The first day, since 1970, that is not rolled up; None where there are no sums yet."""
    day: int | None = first_value(db, "SELECT day FROM rolled")
    return day


def set_rolled_day(db: apsw.Connection, day: int) -> None:
    db.execute("DELETE FROM rolled")
    db.execute("INSERT INTO rolled VALUES (?)", (day,))


def roll_up(db: apsw.Connection, rolled: int, newest: int) -> None:
    """Roll up the days that are over when there are records of the day ``newest``."""
    until = newest - OPEN_DAYS + 1
    if rolled >= until:
        return
    by_day = next(family[0] for family in FAMILIES if family[0].level == "day")
    days = "SELECT DISTINCT start FROM cells WHERE cube = ? AND start >= ? AND start < ?"
    for (day,) in all_rows(db, days, (by_day.number, rolled, until)):
        for family in FAMILIES:
            _roll_up_day(db, family, day)
    set_rolled_day(db, until)


def _roll_up_day(db: apsw.Connection, family: Sequence[Cube], day: int) -> None:
    for cube, wider in zip_longest(family, family[1:]):
        first, stop = (start_of(cube.level, time * DAY_US) for time in (day, day + 1))
        if stop > first:  # what is shorter than a month is over
            _pack(db, cube, first, stop)
        if wider is not None:
            start = start_of(wider.level, day * DAY_US)
            db.execute(_ROLL, (wider.number, start, cube.number, first, stop))
    sql = "SELECT rowid FROM cells WHERE cube = ? AND start = ? AND parts >= ?"
    _merge(db, [rowid for (rowid,) in all_rows(db, sql, (cube.number, first, MAX_PARTS))])


def _pack(db: apsw.Connection, cube: Cube, first: int, stop: int) -> None:
    """Merge the cells of a time that is over, and write them one after the other, as those that
    grew left half of their pages empty."""
    taken = db.execute(
        "DELETE FROM cells WHERE cube = ? AND start >= ? AND start < ? RETURNING *",
        (cube.number, first, stop),
    )
    merged = [
        (*address, cell if parts == 1 else merge_parts(cell)) for *address, parts, cell in taken
    ]
    db.executemany("INSERT INTO cells VALUES (?, ?, ?, ?, 1, ?)", merged)


def spans_to_read(
    db: apsw.Connection, family: Sequence[Cube], spans: Sequence[Span]
) -> Iterator[tuple[Cube, Span]]:
    """The cubes in which the sums of ``spans`` are: those of the longer times, and for days that
    are not rolled up yet those of the shortest."""
    rolled = find_rolled_day(db)
    shortest = family[0]
    for span in spans:
        cube = next(cube for cube in family if cube.level == span.level)
        yield cube, span
        if cube is not shortest and rolled is not None:
            first = start_of(shortest.level, rolled * DAY_US)
            start, stop = (
                None if limit is None else _narrow(cube, shortest, limit)
                for limit in (span.start, span.stop)
            )
            yield shortest, Span(shortest.level, max(first, start or first), stop)


def _narrow(wide: Cube, narrow: Cube, start: int) -> int:
    return start_of(narrow.level, time_of_start(wide.level, start))


def each_cell(
    db: apsw.Connection, cube: Cube, span: Span, condition: str = "", values: Sequence[object] = ()
) -> Iterator[tuple[int, int, int, bytes]]:
    """Time, name, profile and parts of cells; ``condition`` is about ``name``."""
    sql, limits = "SELECT start, name, profile, cell FROM cells WHERE cube = ?", [cube.number]
    for limit, comparison in ((span.start, ">="), (span.stop, "<")):
        if limit is not None:
            sql += f" AND start {comparison} ?"
            limits.append(limit)
    return each_row(db, sql + condition, (*limits, *values))
