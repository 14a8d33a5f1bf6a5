"""Writing records, feedback and positions. Everything here runs within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from zlib import crc32

import apsw

from headway.ledger.ids import pack_id
from headway.ledger.money import ZERO, add_usd, join_usd, split_usd
from headway.ledger.rows import COLUMNS, Row, encode_row, keys_of
from headway.ledger.store import Position
from headway.ledger.stores.sqlite.keys import KeyNumbers
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.record import Feedback, Record

SPREAD = 1024
"""Numbers of records within one microsecond; which one is chosen by the id."""
MAX_TIME_US = 2**63 // SPREAD - 1
_INSERT = f"INSERT INTO records VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
_ID = COLUMNS.index("id")
CALL_IS = "substr(ifnull(r.call_id, r.id), -6) = substr(?, -6) AND ifnull(r.call_id, r.id) = ?"
"""Whether a record belongs to a call, whose packed id is given twice."""


def number_of(time_us: int, packed_id: bytes | str) -> int:
    """A record's number: by time, then by chance, so that the same record has the same one."""
    if isinstance(packed_id, str):
        packed_id = crc32(packed_id.encode()).to_bytes(4, "big")
    spread = (packed_id[-2] << 8 | packed_id[-1]) % SPREAD
    return max(-MAX_TIME_US, min(time_us, MAX_TIME_US)) * SPREAD + spread


def time_of(number: int) -> int:
    """Unix microseconds."""
    return number // SPREAD


def add_records(db: apsw.Connection, numbers: KeyNumbers, records: Sequence[Record]) -> int:
    """Returns how many were new."""
    if not records:
        return 0
    keys = [keys_of(record) for record in records]
    rows = [
        encode_row(record, found)
        for record, found in zip(records, numbers.find_all(db, keys), strict=True)
    ]
    numbered = [(number_of(row[0], row[_ID]), *row[1:], None, None) for row in rows]
    try:
        with db:
            db.executemany(_INSERT, numbered)
        new = list(range(len(rows)))
    except apsw.ConstraintError:  # some were stored before, or share their number
        new = [at for at, row in enumerate(numbered) if _add_row(db, row)]
    _total_calls(db, [(records[at], rows[at]) for at in new])
    _note_errors(db, [(numbered[at][0], records[at]) for at in new])
    _note_sessions(db, [rows[at] for at in new])
    return len(new)


def _add_row(db: apsw.Connection, row: Row) -> bool:
    """Returns False where the record is there already; of another record with the same number the
    next free one is taken."""
    number = row[0]
    while True:
        found = first_value(db, "SELECT id FROM records WHERE n = ?", (number,))
        if found is None:
            db.execute(_INSERT, (number, *row[1:]))
            return True
        if found == row[_ID]:
            return False
        number += 1


def _total_calls(db: apsw.Connection, added: Iterable[tuple[Record, Row]]) -> None:
    """Write the cost of all attempts to the last one, for calls with several."""
    several = {
        pack_id(record.call_id or record.id): None
        for record, _ in added
        if not record.is_last or (record.call_id and record.call_id != record.id)
    }
    for call in several:
        rows = all_rows(
            db,
            "SELECT r.n, r.cost_pd, r.cost_rest, p.is_last FROM records AS r "
            f"JOIN profiles AS p ON p.id = r.profile WHERE {CALL_IS} ORDER BY r.n",
            (call, call),
        )
        costs = [join_usd(pd, rest) for _, pd, rest, _ in rows if pd is not None]
        last = [n for n, _, _, is_last in rows if is_last]
        if last and costs:
            db.execute(
                "UPDATE records SET call_pd = ?, call_rest = ? WHERE n = ?",
                (*split_usd(sum_usd(costs)), last[-1]),
            )


def sum_usd(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add_usd(total, amount)
    return total


def _note_errors(db: apsw.Connection, added: Iterable[tuple[int, Record]]) -> None:
    db.executemany(
        "INSERT INTO error_texts (rowid, text) VALUES (?, ?)",
        [(n, record.error_message) for n, record in added if record.error_message],
    )


def _note_sessions(db: apsw.Connection, rows: Iterable[Row]) -> None:
    ended: dict[int, int] = {}
    session = COLUMNS.index("session")
    for row in rows:
        if row[session] is not None:
            ended[row[session]] = max(row[0], ended.get(row[session], row[0]))
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
