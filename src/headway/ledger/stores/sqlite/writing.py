"""Writing records, feedback and positions. Everything here runs within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import apsw
from msgspec import Struct

from headway.ledger.cubes import HOUR_US, MASKS, Place, addresses_of, mask_profile, sum_records
from headway.ledger.ids import pack_id
from headway.ledger.money import join_usd, split_usd, sum_usd
from headway.ledger.rows import (
    COLUMNS,
    Gaps,
    Key,
    Kind,
    Row,
    encode_row,
    fit_record,
    gaps_of,
    kind_of,
    parameters_of,
    split_kind,
)
from headway.ledger.store import Position
from headway.ledger.stores.sqlite.facets import add_facets, delete_facets, id_token
from headway.ledger.stores.sqlite.keys import CACHE_LIMIT, KeyNumbers
from headway.ledger.stores.sqlite.schema import EPOCH_US
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.ledger.usage_parts import (
    MAX_PARTS,
    Flags,
    contributions_of,
    correct_call_cost,
    flags_of,
    merge_parts,
)
from headway.record import Feedback, Record

MAX_NUMBER = 2**62
CALL_IS = "facets MATCH ? AND ifnull(r.call_id, r.id) = ?"
"""Whether a record belongs to a call, of which ``id_token`` and the packed id are given."""
_INSERT = f"INSERT INTO records VALUES (? - {EPOCH_US}{', ?' * (len(COLUMNS) - 1)}, NULL, NULL)"
_ID, _PROFILE, _USER, _TAGS, _SESSION, _COST = map(
    COLUMNS.index, ("id", "profile", "user", "tags", "session", "cost_pd")
)


SLACK = 1_000_000
"""By how much a record's number may be above that of its time."""


def number_of(time_us: int) -> int:
    """The number of a record that ended then, and of no other one in that microsecond: further ones
    get the next free numbers."""
    return max(-MAX_NUMBER, min(time_us - EPOCH_US, MAX_NUMBER))


def time_of(number: int) -> int:
    """Unix microseconds."""
    return number + EPOCH_US


class _Kind(NamedTuple):
    """What records with one profile and terms have in common."""

    profile: int
    terms: int
    masked: tuple[int, ...]
    """The numbers of the profile with each of ``MASKS``."""
    flags: Flags


class _New(Struct):
    """Records that were not stored before, in columns."""

    numbers: list[int]
    records: Sequence[Record]
    kinds: Sequence[_Kind]
    gaps: Sequence[Gaps | None]
    rows: Sequence[Row]

    def choose(self, chosen: Sequence[int]) -> _New:
        return _New(
            [self.numbers[at] for at in chosen],
            [self.records[at] for at in chosen],
            [self.kinds[at] for at in chosen],
            [self.gaps[at] for at in chosen],
            [self.rows[at] for at in chosen],
        )


class RecordWriter:
    """Of one connection; ``forget`` after a transaction that failed."""

    def __init__(self) -> None:
        self._numbers = KeyNumbers()
        self._masked: dict[int, tuple[int, ...]] = {}
        self._kinds: dict[Kind, _Kind] = {}

    def forget(self) -> None:
        self._numbers.forget()
        self._masked.clear()
        self._kinds.clear()

    def add(self, db: apsw.Connection, records: Sequence[Record]) -> int:
        """Returns how many were new."""
        if not records:
            return 0
        try:
            with db:
                added = self._add(db, records)
        except OverflowError:
            self.forget()
            added = self._add(db, [fit_record(record) for record in records])
        return added

    def _add(self, db: apsw.Connection, records: Sequence[Record]) -> int:
        records = sorted(records, key=attrgetter("timestamp"))
        kinds = self._find_kinds(db, records)
        names = zip(
            self._numbers.find_all(db, "names", [record.user for record in records]),
            self._numbers.find_all(db, "tag_sets", [record.tags or None for record in records]),
            self._numbers.find_all(db, "sessions", [record.session_id for record in records]),
            self._numbers.find_all(db, "names", [parameters_of(record) for record in records]),
            strict=True,
        )
        gaps = [gaps_of(record) for record in records]
        rows = [
            encode_row(record, (kind.profile, kind.terms, *numbers), each)
            for record, kind, numbers, each in zip(records, kinds, names, gaps, strict=True)
        ]
        rows = _fit_times(rows)
        new = _insert(db, _New([row[0] - EPOCH_US for row in rows], records, kinds, gaps, rows))
        if not new.numbers:
            return 0
        call_pds = [row[_COST] for row in new.rows]
        corrections = _total_calls(db, new, call_pds)
        add_facets(db, sorted(new.numbers))
        _count_by_hour(db, new)
        _sum_up(db, new, call_pds)
        for place, profile, part in corrections:
            place = place._replace(masked=self._mask(db, profile))
            _append_parts(db, [(address, part) for address in addresses_of(place)])
        _note_errors(db, new)
        _note_sessions(db, new.rows)
        return len(new.numbers)

    def _find_kinds(self, db: apsw.Connection, records: Sequence[Record]) -> list[_Kind]:
        known = self._kinds
        if len(known) > CACHE_LIMIT:
            known.clear()
        found = []
        for record in records:
            kind = kind_of(record)
            numbers = known.get(kind)
            if numbers is None:
                numbers = known[kind] = self._learn(db, *split_kind(kind))
            found.append(numbers)
        return found

    def _learn(self, db: apsw.Connection, profile: Key, terms: Key) -> _Kind:
        number = self._numbers.find(db, "profiles", profile)
        return _Kind(
            number,
            self._numbers.find(db, "terms", terms),
            self._mask(db, number),
            flags_of(profile, terms),
        )

    def _mask(self, db: apsw.Connection, profile: int) -> tuple[int, ...]:
        """The numbers of a profile with each of ``MASKS``."""
        if profile not in self._masked:
            key = self._numbers.profile_of(db, profile)
            masked = [mask_profile(key, fields) for fields in MASKS]
            self._masked[profile] = tuple(
                [self._numbers.find(db, "profiles", each) for each in masked]
            )
        return self._masked[profile]


def _sum_up(db: apsw.Connection, new: _New, call_pds: Sequence[int | None]) -> None:
    places = [
        Place(number + EPOCH_US, kind.masked, row[_USER], row[_TAGS])
        for number, kind, row in zip(new.numbers, new.kinds, new.rows, strict=True)
    ]
    flags = [kind.flags for kind in new.kinds]
    contributions = contributions_of(new.rows, flags, call_pds, new.gaps)
    _append_parts(db, list(sum_records(places, contributions)))


def _fit_times(rows: list[Row]) -> list[Row]:
    """A clock that tells nonsense does not keep a record from being stored."""
    if rows[0][0] > -MAX_NUMBER and rows[-1][0] < MAX_NUMBER:
        return rows
    return [(max(-MAX_NUMBER, min(row[0], MAX_NUMBER)), *row[1:]) for row in rows]


def _insert(db: apsw.Connection, added: _New) -> _New:
    """Returns those that were new, with their numbers; ``added`` are sorted by number."""
    if len(set(added.numbers)) == len(added.numbers):
        try:
            with db:
                db.executemany(_INSERT, added.rows)
        except apsw.ConstraintError:  # some were stored before, or share their microsecond
            pass
        else:
            return added
    return added.choose([at for at in range(len(added.rows)) if _insert_one(db, added, at)])


def _insert_one(db: apsw.Connection, added: _New, at: int) -> bool:
    """Returns False where the record is there already."""
    number, row = added.numbers[at], added.rows[at]
    while True:
        found = first_value(db, "SELECT id FROM records WHERE n = ?", (number,))
        if found is None:
            added.numbers[at] = number
            db.execute(_INSERT, (number + EPOCH_US, *row[1:]))
            return True
        if found == row[_ID]:
            return False
        number += 1


def _total_calls(
    db: apsw.Connection, new: _New, call_pds: list[int | None]
) -> list[tuple[Place, int, bytes]]:
    """Write the cost of all attempts to the last one, for calls with several, and to ``call_pds``.
    The records are not among the facets yet. Returns what corrects the sums where the last attempt
    had been counted before: its place, its profile, and the part of cells."""
    several: dict[bytes | str, dict[int, int]] = {}
    for at, record in enumerate(new.records):
        if not record.is_last or (record.call_id and record.call_id != record.id):
            call = several.setdefault(pack_id(record.call_id or record.id), {})
            call[new.numbers[at]] = at
    corrections = []
    for packed, added in several.items():
        attempts = all_rows(db, _ATTEMPTS, (id_token(packed), packed))
        attempts += [_attempt_of(new, at) for at in added.values()]
        costs = [join_usd(pd, rest) for _, _, pd, rest, *_ in attempts if pd is not None]
        last = max((row for row in attempts if row[1]), default=None, key=itemgetter(0))
        if last is None or not costs:
            continue
        number, _, own_pd, _, before_pd, profile, user, tags = last
        total_pd, rest = split_usd(sum_usd(costs))
        if number in added:
            db.execute(_SET_TOTAL, (total_pd, rest, number))
            call_pds[added[number]] = total_pd
        else:
            delete_facets(db, (number,))
            db.execute(_SET_TOTAL, (total_pd, rest, number))
            add_facets(db, (number,))
            counted = own_pd if before_pd is None else before_pd
            part = correct_call_cost(counted, total_pd)
            corrections.append((Place(time_of(number), (), user, tags), profile, part))
    return corrections


_ATTEMPTS = f"""
SELECT r.n, p.is_last, r.cost_pd, r.cost_rest, r.call_pd, r.profile, r.user, r.tags
FROM facets CROSS JOIN records AS r ON r.n = facets.rowid
CROSS JOIN profiles AS p ON p.id = r.profile WHERE {CALL_IS}"""
_SET_TOTAL = "UPDATE records SET call_pd = ?, call_rest = ? WHERE n = ?"


def _attempt_of(new: _New, at: int) -> Row:
    """A new record as a row of ``_ATTEMPTS``."""
    row = new.rows[at]
    names = row[_PROFILE], row[_USER], row[_TAGS]
    return (new.numbers[at], new.records[at].is_last, *row[_COST : _COST + 2], None, *names)


def _count_by_hour(db: apsw.Connection, new: _New) -> None:
    counts: dict[int, list[int]] = {}
    for number, record in zip(new.numbers, new.records, strict=True):
        count = counts.setdefault(time_of(number) // HOUR_US, [0, 0])
        count[0] += 1
        count[1] += record.is_last
    db.executemany(
        "INSERT INTO hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
        "SET records = records + excluded.records, calls = calls + excluded.calls",
        [(hour, *count) for hour, count in counts.items()],
    )


def _append_parts(db: apsw.Connection, parts: Sequence[tuple[tuple[int, ...], bytes]]) -> None:
    appended = db.executemany(_APPEND, [(*address, part) for address, part in parts])
    for _, *address in [row for row in appended if row[0] >= MAX_PARTS]:
        cell = first_value(db, f"SELECT cell FROM cells WHERE {_CELL_IS}", address)
        merge = f"UPDATE cells SET parts = 1, cell = ? WHERE {_CELL_IS}"
        db.execute(merge, (merge_parts(cell), *address))


_CELL_IS = "cube = ? AND start = ? AND name = ? AND profile = ?"
_APPEND = """
INSERT INTO cells VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT DO UPDATE SET parts = parts + 1, cell = CAST(cell || excluded.cell AS BLOB)
RETURNING parts, cube, start, name, profile"""


def _note_errors(db: apsw.Connection, new: _New) -> None:
    errors = [
        (number, record.error_message)
        for number, record in zip(new.numbers, new.records, strict=True)
        if record.error_message
    ]
    if errors:
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
