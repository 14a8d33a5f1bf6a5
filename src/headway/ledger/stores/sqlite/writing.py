"""Writing records, feedback and positions. Everything here runs within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
from msgspec import Struct

from headway.ledger.cubes import MASKS, Fact, addresses_of, mask_profile, sum_facts
from headway.ledger.ids import pack_id
from headway.ledger.money import join_usd, split_usd, sum_usd
from headway.ledger.rows import COLUMNS, Keys, Row, encode_row, keys_of
from headway.ledger.store import Position
from headway.ledger.stores.sqlite.keys import KeyNumbers
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.ledger.usage_parts import (
    MAX_PARTS,
    Flags,
    contribution_of,
    correct_call_cost,
    flags_of,
    merge_parts,
)
from headway.record import Feedback, Record

EPOCH_US = 1_767_225_600_000_000
"""Unix microseconds of the record with number 0: the start of 2026, so that numbers have 6 bytes
until 2030."""
MAX_NUMBER = 2**62
CALL_IS = "substr(ifnull(r.call_id, r.id), -6) = substr(?, -6) AND ifnull(r.call_id, r.id) = ?"
"""Whether a record belongs to a call, whose packed id is given twice."""
_INSERT = f"INSERT INTO records VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
_ID, _PROFILE, _TERMS, _USER, _TAGS, _SESSION, _COST = map(
    COLUMNS.index, ("id", "profile", "terms", "user", "tags", "session", "cost_pd")
)


def number_of(time_us: int) -> int:
    """The number of a record that ended then, and of no other one in that microsecond: further ones
    get the next free numbers."""
    return max(-MAX_NUMBER, min(time_us - EPOCH_US, MAX_NUMBER))


def time_of(number: int) -> int:
    """Unix microseconds."""
    return number + EPOCH_US


class _New(Struct):
    """A record that was not stored before."""

    number: int
    record: Record
    keys: Keys
    row: Row
    call_pd: int | None
    """The cost of all attempts, where it is the last one."""


class RecordWriter:
    """Of one connection; ``forget`` after a transaction that failed."""

    def __init__(self) -> None:
        self._numbers = KeyNumbers()
        self._masked: dict[int, tuple[int, ...]] = {}
        self._flags: dict[tuple[int, int], Flags] = {}

    def forget(self) -> None:
        self._numbers.forget()
        self._masked.clear()
        self._flags.clear()

    def add(self, db: apsw.Connection, records: Sequence[Record]) -> int:
        """Returns how many were new."""
        if not records:
            return 0
        keys = [keys_of(record) for record in records]
        numbers = self._numbers.find_all(db, keys)
        rows = [encode_row(record, found) for record, found in zip(records, numbers, strict=True)]
        items = [
            _New(number_of(row[0]), record, key, row, row[_COST])
            for record, key, row in zip(records, keys, rows, strict=True)
        ]
        items.sort(key=lambda item: item.number)
        new = _insert(db, items)
        corrections = _total_calls(db, new)
        facts = [self._fact(db, item) for item in new]
        _append_parts(db, sum_facts(facts))
        for (time_us, profile, user, tags), part in corrections:
            fact = Fact(time_us, self._mask(db, profile), user, tags, ())
            _append_parts(db, ((address, part) for address in addresses_of(fact)))
        _note_errors(db, new)
        _note_sessions(db, [item.row for item in new])
        return len(new)

    def _fact(self, db: apsw.Connection, item: _New) -> Fact:
        row, profile = item.row, item.row[_PROFILE]
        masked = self._masked.get(profile)
        if masked is None:
            masked = self._mask(db, profile)
        kind = profile, row[_TERMS]
        flags = self._flags.get(kind)
        if flags is None:
            flags = self._flags[kind] = flags_of(item.keys.profile, item.keys.terms)
        contribution = contribution_of(row, flags, item.call_pd, item.record.gap_counts)
        return Fact(time_of(item.number), masked, row[_USER], row[_TAGS], contribution)

    def _mask(self, db: apsw.Connection, profile: int) -> tuple[int, ...]:
        """The numbers of a profile with each of ``MASKS``."""
        if profile not in self._masked:
            key = self._numbers.profile_of(db, profile)
            masked = [mask_profile(key, fields) for fields in MASKS]
            self._masked[profile] = tuple(self._numbers.find_profiles(db, masked))
        return self._masked[profile]


def _insert(db: apsw.Connection, items: Sequence[_New]) -> Sequence[_New]:
    """Returns those that were new, with their numbers; ``items`` are sorted by number."""
    if len({item.number for item in items}) == len(items):
        try:
            with db:
                rows = [(item.number, *item.row[1:], None, None) for item in items]
                db.executemany(_INSERT, rows)
        except apsw.ConstraintError:  # some were stored before, or share their microsecond
            pass
        else:
            return items
    return [item for item in items if _insert_one(db, item)]


def _insert_one(db: apsw.Connection, item: _New) -> bool:
    """Returns False where the record is there already."""
    while True:
        found = first_value(db, "SELECT id FROM records WHERE n = ?", (item.number,))
        if found is None:
            db.execute(_INSERT, (item.number, *item.row[1:], None, None))
            return True
        if found == item.row[_ID]:
            return False
        item.number += 1


_Place = tuple[int, int, int | None, int | None]
"""Time, profile, user and tag set of a record."""


def _total_calls(db: apsw.Connection, new: Iterable[_New]) -> list[tuple[_Place, bytes]]:
    """Write the cost of all attempts to the last one, for calls with several. Returns what corrects
    the sums where the last attempt had been counted before."""
    several: dict[bytes | str, dict[int, _New]] = {}
    for item in new:
        record = item.record
        if not record.is_last or (record.call_id and record.call_id != record.id):
            call = several.setdefault(pack_id(record.call_id or record.id), {})
            call[item.number] = item
    corrections = []
    for packed, added in several.items():
        rows = all_rows(db, _ATTEMPTS, (packed, packed))
        costs = [join_usd(pd, rest) for _, _, pd, rest, *_ in rows if pd is not None]
        last = next((row for row in reversed(rows) if row[1]), None)
        if last is None or not costs:
            continue
        number, _, own_pd, _, before_pd, *place = last
        total_pd, rest = split_usd(sum_usd(costs))
        db.execute(_SET_TOTAL, (total_pd, rest, number))
        if number in added:
            added[number].call_pd = total_pd
        else:
            counted = own_pd if before_pd is None else before_pd
            where = time_of(number), place[0], place[1], place[2]
            corrections.append((where, correct_call_cost(counted, total_pd)))
    return corrections


_ATTEMPTS = f"""
SELECT r.n, p.is_last, r.cost_pd, r.cost_rest, r.call_pd, r.profile, r.user, r.tags
FROM records AS r JOIN profiles AS p ON p.id = r.profile WHERE {CALL_IS} ORDER BY r.n"""
_SET_TOTAL = "UPDATE records SET call_pd = ?, call_rest = ? WHERE n = ?"


def _append_parts(db: apsw.Connection, parts: Iterable[tuple[tuple[int, ...], bytes]]) -> None:
    appended = db.executemany(_APPEND, [(*address, part) for address, part in parts])
    for _number, *address in [row for row in appended if row[0] >= MAX_PARTS]:
        cell = first_value(db, f"SELECT cell FROM cells WHERE {_CELL_IS}", address)
        db.execute(
            f"UPDATE cells SET parts = 1, cell = ? WHERE {_CELL_IS}", (merge_parts(cell), *address)
        )


_CELL_IS = "cube = ? AND start = ? AND name = ? AND profile = ?"
_APPEND = """
INSERT INTO cells VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT DO UPDATE SET parts = parts + 1, cell = CAST(cell || excluded.cell AS BLOB)
RETURNING parts, cube, start, name, profile"""


def _note_errors(db: apsw.Connection, new: Iterable[_New]) -> None:
    errors = [(item.number, item.record.error_message) for item in new if item.record.error_message]
    db.executemany("INSERT INTO error_texts (rowid, text) VALUES (?, ?)", errors)


def _note_sessions(db: apsw.Connection, rows: Iterable[Row]) -> None:
    ended: dict[int, int] = {}
    for row in rows:
        session = row[_SESSION]
        if session is not None:
            ended[session] = max(row[0], ended.get(session, row[0]))
    db.executemany(
        "UPDATE sessions SET ended_us = max(ended_us, ?) WHERE id = ?",
        [(time, id_) for id_, time in ended.items()],
    )


def add_feedback(db: apsw.Connection, feedback: Iterable[Feedback]) -> None:
    rows: list[tuple[Any, ...]] = [
        (pack_id(each.id), pack_id(each.call_id), round(each.timestamp * 1e6), each.key_id,
         each.score, each.label, each.comment)
        for each in feedback
    ]  # fmt: skip
    db.executemany("INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def set_positions(db: apsw.Connection, positions: Iterable[Position]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO positions VALUES (?, ?)",
        [(position.file, position.offset) for position in positions],
    )
