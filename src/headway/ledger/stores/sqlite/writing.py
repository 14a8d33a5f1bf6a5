"""Writing records, feedback and positions. Everything here runs within a transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import apsw
from msgspec import Struct, field
from msgspec.structs import astuple

from headway.ledger.cubes import (
    HOUR_US,
    MASKS,
    Place,
    addresses_of,
    mask_profile,
)
from headway.ledger.ids import pack_id
from headway.ledger.money import join_usd, split_usd, sum_usd
from headway.ledger.new_sums import NewSums
from headway.ledger.rows import (
    COLUMNS,
    Gaps,
    Key,
    Kind,
    Row,
    encode_rows,
    fit_record,
    gaps_of,
    kind_of,
    parameters_of,
    split_kind,
)
from headway.ledger.segments import block_of, encode_parts
from headway.ledger.store import Position
from headway.ledger.stores.sqlite.facets import add_facets, delete_facets, id_token
from headway.ledger.stores.sqlite.keys import CACHE_LIMIT, KeyNumbers
from headway.ledger.stores.sqlite.numbers import EPOCH_US, MAX_NUMBER, time_of
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.ledger.stores.sqlite.sums import (
    append_segments,
    find_rolled_day,
    roll_up,
    set_rolled_day,
)
from headway.ledger.usage_parts import (
    Flags,
    contributions_of,
    correct_call_cost,
    flags_of,
)
from headway.record import Feedback, Record
from headway.types import Clock

CALL_IS = "facets MATCH ? AND ifnull(r.call_id, r.id) = ?"
"""Whether a record belongs to a call, of which ``id_token`` and the packed id are given."""
_INSERT = f"INSERT INTO records VALUES (? - {EPOCH_US}{', ?' * (len(COLUMNS) - 1)}, NULL, NULL)"
_ID, _PROFILE, _USER, _TAGS, _SESSION, _COST = map(
    COLUMNS.index, ("id", "profile", "user", "tags", "session", "cost_pd")
)


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
        return _New(*[[column[at] for at in chosen] for column in astuple(self)])

    @classmethod
    def join(cls, several: Iterable[_New]) -> _New:
        return cls(
            *[list(chain.from_iterable(each)) for each in zip(*map(astuple, several), strict=True)]
        )


class _Added(Struct):
    """What a transaction has added so far, and is to be summed up and indexed at its end."""

    numbers: list[int] = field(default_factory=list)
    ids: list[bytes | str] = field(default_factory=list)
    sums: NewSums = field(default_factory=NewSums)
    corrections: list[tuple[Place, bytes]] = field(default_factory=list)
    """What corrects the sums of earlier transactions."""
    several: list[_New] = field(default_factory=list)
    """Of calls with several attempts, whose costs are added up at the end."""
    ended: dict[int, int] = field(default_factory=dict)
    """Session -> Unix microseconds of its last record."""
    hours: dict[int, list[int]] = field(default_factory=dict)
    """Hour -> number of records, and of calls."""


class RecordWriter:
    """Of one connection: ``add`` several times and ``finish`` in one transaction; ``forget`` after
    one that failed."""

    def __init__(self, unix_time: Clock = time.time) -> None:
        self._unix_time = unix_time
        self._numbers = KeyNumbers()
        self._masked: dict[int, tuple[int, ...]] = {}
        self._kinds: dict[Kind, _Kind] = {}
        self._added = _Added()

    def forget(self) -> None:
        self.forget_keys()
        self._added = _Added()

    def forget_keys(self) -> None:
        """Whose rows may be gone."""
        self._numbers.forget()
        self._masked.clear()
        self._kinds.clear()

    def add(self, db: apsw.Connection, records: Sequence[Record]) -> None:
        """Store records, few enough that they are in memory at once."""
        if not records:
            return
        new = self._store(db, records)
        calls = {record.call_id for record in new.records if _is_one_of_several(record)}
        if calls:
            is_several = [record.call_id in calls for record in new.records]
            self._added.several.append(new.choose([at for at, is_ in enumerate(is_several) if is_]))
            new = new.choose([at for at, is_ in enumerate(is_several) if not is_])
        self._contribute(new, [row[_COST] for row in new.rows])

    def finish(self, db: apsw.Connection) -> int:
        """Index what was added, and add it to the sums. Returns how many records were new."""
        added = self._added
        if added.several:
            new = _New.join(added.several)
            self._contribute(new, self._total_calls(db, new))
        self._added = _Added()
        if not added.numbers:
            return 0
        add_facets(db, sorted(added.numbers))
        self._append_sums(db, added)
        db.executemany(_COUNT_HOUR, [(hour, *counts) for hour, counts in added.hours.items()])
        db.executemany(_END_SESSION, [(time, session) for session, time in added.ended.items()])
        return len(added.numbers)

    def _append_sums(self, db: apsw.Connection, added: _Added) -> None:
        newest = max(added.hours) // 24
        rolled = find_rolled_day(db)
        if rolled is None:
            rolled = min(added.hours) // 24
            set_rolled_day(db, rolled)
        append_segments(db, added.sums.segments(rolled))
        for place, part in added.corrections:
            for address in addresses_of(place, rolled):
                body = encode_parts([(*address[2:], part)], has_metrics=True)
                append_segments(db, [(block_of(address), body)])
        tomorrow = int(self._unix_time() // 86400) + 1  # no clock of a record makes a day be over
        roll_up(db, rolled, min(newest, tomorrow))

    def _store(self, db: apsw.Connection, records: Sequence[Record]) -> _New:
        """Returns what is new of it."""
        try:
            with db:
                new = self._insert(db, records)
        except OverflowError:
            self.forget_keys()
            new = self._insert(db, [fit_record(record) for record in records])
        return new

    def _insert(self, db: apsw.Connection, records: Sequence[Record]) -> _New:
        records = sorted(records, key=attrgetter("timestamp"))
        kinds = self._find_kinds(db, records)
        find_all = self._numbers.find_all
        numbers = (
            [kind.profile for kind in kinds],
            [kind.terms for kind in kinds],
            find_all(db, "names", [record.user for record in records]),
            find_all(db, "tag_sets", [record.tags or None for record in records]),
            find_all(db, "sessions", [record.session_id for record in records]),
            find_all(db, "names", list(map(parameters_of, records))),
        )
        gaps = list(map(gaps_of, records))
        rows = encode_rows(records, numbers, gaps)
        rows = _fit_times(rows)
        new = _insert(db, _New([row[0] - EPOCH_US for row in rows], records, kinds, gaps, rows))
        _note_errors(db, new)
        return new

    def _contribute(self, new: _New, call_pds: Sequence[int | None]) -> None:
        """``call_pds``: what all attempts of a call cost, for its last one."""
        if not new.numbers:
            return
        added, hours, ended = self._added, self._added.hours, self._added.ended
        added.numbers += new.numbers
        added.ids += [row[_ID] for row in new.rows]
        places = [
            (number + EPOCH_US, kind.masked, row[_USER], row[_TAGS])
            for number, kind, row in zip(new.numbers, new.kinds, new.rows, strict=True)
        ]
        flags = [kind.flags for kind in new.kinds]
        contributions = contributions_of(new.rows, flags, call_pds, new.gaps)
        added.sums.add(places, contributions, new.gaps)
        for number, kind in zip(new.numbers, flags, strict=True):
            counts = hours.setdefault((number + EPOCH_US) // HOUR_US, [0, 0])
            counts[0] += 1
            counts[1] += kind.head[1]
        for row in new.rows:
            session = row[_SESSION]
            if session is not None:
                ended[session] = max(row[0], ended.get(session, row[0]))

    def _total_calls(self, db: apsw.Connection, new: _New) -> Sequence[int | None]:
        """Write the cost of all attempts to the last one, for calls with several, and return it.
        Where that one was added to the sums before, have what corrects them in ``corrections``."""
        several: dict[bytes | str, dict[int, int]] = {}
        for at, record in enumerate(new.records):
            call = several.setdefault(pack_id(record.call_id or record.id), {})
            call[new.numbers[at]] = at
        call_pds = [row[_COST] for row in new.rows]
        unindexed = dict(zip(self._added.ids, self._added.numbers, strict=True))
        for packed, chosen in several.items():
            attempts = all_rows(db, _ATTEMPTS, (id_token(packed), packed))
            if packed in unindexed:
                attempts += all_rows(db, _ATTEMPT, (unindexed[packed],))
            attempts += [_attempt_of(new, at) for at in chosen.values()]
            costs = [join_usd(pd, rest) for _, _, pd, rest, *_ in attempts if pd is not None]
            last = max((row for row in attempts if row[1]), default=None, key=itemgetter(0))
            if last is None or not costs:
                continue
            number, _, own_pd, _, before_pd, profile, user, tags = last
            total_pd, rest = split_usd(sum_usd(costs))
            total = total_pd, rest, number
            if number in chosen:
                call_pds[chosen[number]] = total_pd
                db.execute(_SET_TOTAL, total)
                continue
            if packed in unindexed:
                db.execute(_SET_TOTAL, total)
            else:
                delete_facets(db, (number,))
                db.execute(_SET_TOTAL, total)
                add_facets(db, (number,))
            part = correct_call_cost(own_pd if before_pd is None else before_pd, total_pd)
            place = Place(time_of(number), self._mask(db, profile), user, tags)
            self._added.corrections.append((place, part))
        return call_pds

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


def _is_one_of_several(record: Record) -> bool:
    """Its call has, or had, other attempts."""
    return not record.is_last or bool(record.call_id and record.call_id != record.id)


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


_COLUMNS = "r.n, p.is_last, r.cost_pd, r.cost_rest, r.call_pd, r.profile, r.user, r.tags"
_ATTEMPTS = f"""
SELECT {_COLUMNS} FROM facets CROSS JOIN records AS r ON r.n = facets.rowid
CROSS JOIN profiles AS p ON p.id = r.profile WHERE {CALL_IS}"""
_ATTEMPT = f"""
SELECT {_COLUMNS} FROM records AS r JOIN profiles AS p ON p.id = r.profile WHERE r.n = ?"""
_SET_TOTAL = "UPDATE records SET call_pd = ?, call_rest = ? WHERE n = ?"


def _attempt_of(new: _New, at: int) -> Row:
    """A new record as a row of ``_ATTEMPTS``."""
    row = new.rows[at]
    names = row[_PROFILE], row[_USER], row[_TAGS]
    return (new.numbers[at], new.records[at].is_last, *row[_COST : _COST + 2], None, *names)


_COUNT_HOUR = """
INSERT INTO hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE
SET records = records + excluded.records, calls = calls + excluded.calls"""
_END_SESSION = "UPDATE sessions SET ended_us = max(ended_us, ?) WHERE id = ?"


def _note_errors(db: apsw.Connection, new: _New) -> None:
    errors = [
        (number, record.error_message)
        for number, record in zip(new.numbers, new.records, strict=True)
        if record.error_message
    ]
    if errors:
        db.executemany("INSERT INTO error_texts (rowid, text) VALUES (?, ?)", errors)


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
