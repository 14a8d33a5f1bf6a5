"""The sums of ``headway.ledger.cubes`` in SQLite, as segments (``headway.ledger.segments``).

Segments are appended to the cubes of the shortest time of each family. When a day is over they are
merged, and appended to those of the longer times: the days before ``rolled.day`` are in these, and
the others are not yet. What comes late, for a day that was rolled up, is appended to all.

Of each block, some segments of one rank are merged into one of the next: so there are few, and none
is written often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import apsw

from headway.ledger.cubes import DAY_US, FAMILIES, Cube, Span, start_of, time_of_start
from headway.ledger.segments import CUBES, Block, Segment, decode, merge
from headway.ledger.stores.sqlite.sql import all_rows, each_row, first_value

OPEN_DAYS = 2
"""The newest days, which are not rolled up yet: records of them are still on their way."""
MAX_SEGMENTS, MAX_LARGE_SEGMENTS = 16, 4
"""Of one rank. Large ones are merged sooner, as each question reads all of them."""
LARGE = 16_384
"""Bytes."""
LAST_RANK = 100
"""Of a segment with all of a time that is over, but for what comes late."""
TABLES = """
CREATE TABLE sums (
  cube INTEGER, start INTEGER, names INTEGER, rank INTEGER, part INTEGER, body BLOB NOT NULL,
  PRIMARY KEY (cube, start, names, rank, part)
) WITHOUT ROWID;
"""
_APPEND = """
INSERT INTO sums SELECT ?1, ?2, ?3, ?4, 1 + (
  SELECT ifnull(max(part), 0) FROM sums WHERE cube = ?1 AND start = ?2 AND names = ?3 AND rank = ?4
), ?5 RETURNING part"""
_TAKE = """
DELETE FROM sums WHERE cube = ? AND start = ? AND names = ? AND rank = ? RETURNING body"""
_TAKE_DAY = """
DELETE FROM sums WHERE cube = ? AND start >= ? AND start < ? RETURNING start, names, body"""


def append_segments(db: apsw.Connection, segments: Iterable[tuple[Block, bytes]]) -> None:
    for block, body in segments:
        _append(db, block, 0, body)


def _append(db: apsw.Connection, block: Block, rank: int, body: bytes) -> None:
    limit = MAX_SEGMENTS if len(body) < LARGE else MAX_LARGE_SEGMENTS
    if first_value(db, _APPEND, (*block, rank, body)) >= limit:
        bodies = [body for (body,) in all_rows(db, _TAKE, (*block, rank))]
        _append(db, block, rank + 1, merge(bodies, has_metrics=CUBES[block.cube].has_metrics))


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
    days = "SELECT DISTINCT start FROM sums WHERE cube = ? AND start >= ? AND start < ?"
    for (day,) in all_rows(db, days, (by_day.number, rolled, until)):
        for family in FAMILIES:
            _roll_up_day(db, family, day)
    set_rolled_day(db, until)


def _roll_up_day(db: apsw.Connection, family: Sequence[Cube], day: int) -> None:
    """Merge the segments of the shortest time, and append what they are together to the others."""
    shortest, has_metrics = family[0], family[0].has_metrics
    first, stop = (start_of(shortest.level, time * DAY_US) for time in (day, day + 1))
    blocks: dict[tuple[int, int], list[bytes]] = {}
    sql = (
        "DELETE FROM sums WHERE cube = ? AND start >= ? AND start < ? RETURNING start, names, body"
    )
    for start, names, body in all_rows(db, sql, (shortest.number, first, stop)):
        blocks.setdefault((start, names), []).append(body)
    together: dict[int, list[bytes]] = {}
    for (start, names), bodies in sorted(blocks.items()):
        body = bodies[0] if len(bodies) == 1 else merge(bodies, has_metrics=has_metrics)
        together.setdefault(names, []).append(body)
        packed = shortest.number, start, names, LAST_RANK, 1, body
        db.execute("INSERT INTO sums VALUES (?, ?, ?, ?, ?, ?)", packed)
    for names, bodies in together.items():
        body = bodies[0] if len(bodies) == 1 else merge(bodies, has_metrics=has_metrics)
        for cube in family[1:]:
            block = Block(cube.number, start_of(cube.level, day * DAY_US), names)
            _append(db, block, 0, body)


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


def each_segment(db: apsw.Connection, cube: Cube, span: Span) -> Iterator[tuple[int, Segment]]:
    """Their times, and the segments."""
    sql, limits = "SELECT start, body FROM sums WHERE cube = ?", [cube.number]
    for limit, comparison in ((span.start, ">="), (span.stop, "<")):
        if limit is not None:
            sql += f" AND start {comparison} ?"
            limits.append(limit)
    for start, body in each_row(db, sql, limits):
        yield start, decode(body)
