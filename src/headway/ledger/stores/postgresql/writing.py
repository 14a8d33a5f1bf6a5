"""Writing records, feedback and positions. Everything here runs within a transaction.

Records are copied into their table at once; only where some of them were there already, which is
after a crash, they go through a temporary table. Rows are made while the database takes those
before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from headway.ledger.content_chain import search_words
from headway.ledger.cubes import Place
from headway.ledger.money import join_usd, split_usd, sum_usd
from headway.ledger.rows import COLUMNS, Keys, Row, encode_row
from headway.ledger.store import Position
from headway.ledger.stores.postgresql.ids import clean, key_of, key_of_packed, pack_texts
from headway.ledger.stores.postgresql.schema import RECORD_COLUMNS, quote
from headway.ledger.usage_parts import (
    Contribution,
    Flags,
    contributions_of,
    correct_call_cost,
    flags_of,
)
from headway.record import Feedback, Record

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

DAY_US = 86_400 * 10**6
HOUR_US = 3_600 * 10**6
LARGEST = 10**15
"""Of a count that no provider can mean: sums of it stay within 64 bits."""
MAX_TIME_US = 250_000_000_000 * 10**6
"""In the year 9892: partitions are named by date."""
LONGEST_WORD = 200
_PROFILE, _TERMS, _USER, _TAGS, _SESSION, _COST, _UPSTREAM_ID = map(
    COLUMNS.index,
    ("profile", "terms", "user", "tags", "session", "cost_pd", "upstream_request_id"),
)
_CALL_PD = RECORD_COLUMNS.index("call_pd")
_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE records INCLUDING DEFAULTS)
ON COMMIT DELETE ROWS
"""
_INSERT_NEW = f"""
INSERT INTO records ({quote(RECORD_COLUMNS)}) SELECT {quote(RECORD_COLUMNS)} FROM incoming
ORDER BY time_us, id ON CONFLICT (time_us, id) DO NOTHING RETURNING time_us, id
"""
_ATTEMPTS = """
SELECT r.call_id, r.time_us, r.id, p.is_last, r.cost_pd, r.cost_rest, r.call_pd, r.profile,
  r."user", r.tags
FROM records r JOIN profiles p ON p.id = r.profile
WHERE r.call_id = ANY($1::bytea[]) AND r.time_us BETWEEN $2 AND $3 ORDER BY r.time_us, r.id
"""
_SET_CALL_COST = "UPDATE records SET call_pd = $1, call_rest = $2 WHERE time_us = $3 AND id = $4"
Correction = tuple[tuple[int, int, int | None, int | None], bytes]
"""Time, profile, user and tag set of the last attempt of a call, and what corrects its cells."""


class Batch:
    """Records that are stored together, in the order of their primary key, so that two gateways do
    not wait for each other in a circle."""

    def __init__(
        self,
        records: Sequence[Record],
        keys: Sequence[Keys],
        numbers: Sequence[Sequence[int | None]],
        masked: Mapping[int, Sequence[int]],
    ) -> None:
        """``masked``: the numbers of each profile with each of ``headway.ledger.cubes.MASKS``."""
        order = sorted(range(len(records)), key=lambda at: (records[at].timestamp, records[at].id))
        self.records = [records[at] for at in order]
        self.values: list[Row] = []
        """The values of ``RECORD_COLUMNS``, of the records for which they were made."""
        self.call_pd: dict[int, int] = {}
        """The cost of all attempts, of the last ones of calls with several."""
        self._keys = [keys[at] for at in order]
        self._numbers = [numbers[at] for at in order]
        self._masked = masked
        self._flags: dict[tuple[int, int], Flags] = {}

    def make_rows(self) -> Iterator[Row]:
        yield from self.values
        for at in range(len(self.values), len(self.records)):
            values = _values_of(self.records[at], self._numbers[at])
            self.values.append(values)
            yield values

    def sums_of(self, chosen: Sequence[int]) -> tuple[list[Place], list[Contribution]]:
        """What some of the records add to the sums, and where."""
        rows = [self.values[at] for at in chosen]
        if not rows:
            return [], []
        places = [
            Place(row[0], self._masked[row[_PROFILE]], row[_USER], row[_TAGS]) for row in rows
        ]
        flags = [self._flags_of(at) for at in chosen]
        call_pds = [self.call_pd.get(at, row[_COST]) for at, row in zip(chosen, rows, strict=True)]
        gaps = [self.records[at].gap_counts for at in chosen]
        return places, contributions_of(rows, flags, call_pds, gaps)

    def _flags_of(self, at: int) -> Flags:
        row, keys = self.values[at], self._keys[at]
        kind = row[_PROFILE], row[_TERMS]
        if kind not in self._flags:
            self._flags[kind] = flags_of(keys.profile, keys.terms)
        return self._flags[kind]


def _values_of(record: Record, numbers: Sequence[int | None]) -> Row:
    row = encode_row(record, numbers)
    id_, request_id, call_id, upstream_id = *row[1:4], record.upstream_request_id
    if call_id is None:
        call_id = id_
    texts = None
    if type(id_) is str or type(request_id) is str or type(call_id) is str:
        texts = pack_texts(id_, request_id, call_id)
    return (
        max(0, min(row[0], MAX_TIME_US)),
        key_of_packed(id_),
        key_of_packed(request_id),
        key_of_packed(call_id),
        *row[4:_UPSTREAM_ID],
        None if upstream_id is None else clean(upstream_id),
        None if record.reply_id is None else clean(record.reply_id),
        *row[_UPSTREAM_ID + 2 :],
        *_error_of(record),
        texts,
        None,
        None,
    )


def fit_time(timestamp: float) -> int:
    """Microseconds, within what can be stored."""
    return max(0, min(round(timestamp * 1e6), MAX_TIME_US))


def _error_of(record: Record) -> tuple[str | None, list[str] | None]:
    """The message, and its words."""
    if not record.error_message:
        return None, None
    text = clean(record.error_message)
    return text, words_of(text)


def words_of(text: str) -> list[str]:
    """What an index of words holds. A longer word is none that anybody looks for."""
    return [word for word in search_words(text) if len(word) <= LONGEST_WORD]


async def add_records(connection: Connection, batch: Batch) -> Sequence[int]:
    """Returns the places in the batch of those that are new."""
    try:
        await _copy(connection, "records", batch)
    except asyncpg.UniqueViolationError:  # some were stored before
        await connection.execute(_INCOMING)
        await _copy(connection, "incoming", batch)
        found = {tuple(row) for row in await connection.fetch(_INSERT_NEW)}
        new = []
        for at, values in enumerate(batch.values):
            if values[:2] in found:
                found.discard(values[:2])  # of two that are the same one is new
                new.append(at)
        return new
    return range(len(batch.records))


async def _copy(connection: Connection, table: str, batch: Batch) -> None:
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                table, records=batch.make_rows(), columns=RECORD_COLUMNS
            )
    except (asyncpg.DataError, asyncpg.CharacterNotInRepertoireError, OverflowError):
        batch.values[:] = [(row[0], *map(_fit, row[1:])) for row in batch.make_rows()]
        async with connection.transaction():
            await connection.copy_records_to_table(
                table, records=batch.values, columns=RECORD_COLUMNS
            )


def _fit(value: Any) -> Any:
    """What PostgreSQL can hold: a record with a number from outer space is stored, too."""
    if type(value) is int:
        return max(-LARGEST, min(value, LARGEST))
    return clean(value) if type(value) is str else value


async def total_calls(
    connection: Connection, batch: Batch, new: Sequence[int]
) -> Sequence[Correction]:
    """Write the cost of all attempts to the last one, for calls with several. Returns what corrects
    the sums where the last attempt had been counted before."""
    several: dict[bytes, dict[tuple[int, bytes], int]] = {}
    for at in new:
        record, values = batch.records[at], batch.values[at]
        if not record.is_last or values[3] != values[1]:
            several.setdefault(values[3], {})[values[:2]] = at
    if not several:
        return []
    times = [batch.values[at][0] for at in (new[0], new[-1])]
    attempts: dict[bytes, list[Any]] = {}
    for row in await connection.fetch(
        _ATTEMPTS, sorted(several), times[0] - DAY_US, times[1] + DAY_US
    ):
        attempts.setdefault(row["call_id"], []).append(row)
    updates, corrections = [], []
    for call, rows in sorted(attempts.items()):
        costs = [
            join_usd(row["cost_pd"], row["cost_rest"]) for row in rows if row["cost_pd"] is not None
        ]
        last = next((row for row in reversed(rows) if row["is_last"]), None)
        if last is None or not costs:
            continue
        total_pd, rest = split_usd(sum_usd(costs))
        key = last["time_us"], last["id"]
        updates.append((total_pd, rest, *key))
        if key in several[call]:
            batch.call_pd[several[call][key]] = total_pd
        else:
            counted = last["cost_pd"] if last["call_pd"] is None else last["call_pd"]
            place = last["time_us"], last["profile"], last["user"], last["tags"]
            corrections.append((place, correct_call_cost(counted, total_pd)))
    await connection.executemany(_SET_CALL_COST, updates)
    return corrections


async def note_sessions(connection: Connection, batch: Batch, new: Sequence[int]) -> bool:
    """Returns False where a session is no longer there: its number is from before retention."""
    ended: dict[int, int] = {}
    for at in new:
        values = batch.values[at]
        session = values[_SESSION]
        if session is not None:
            ended[session] = max(values[0], ended.get(session, values[0]))
    if not ended:
        return True
    numbers = sorted(ended)
    status = await connection.execute(
        "UPDATE sessions s SET ended_us = greatest(s.ended_us, n.ended_us) "
        "FROM unnest($1::bigint[], $2::bigint[]) AS n (id, ended_us) WHERE s.id = n.id",
        numbers,
        [ended[number] for number in numbers],
    )
    return int(status.split()[-1]) == len(numbers)


async def count_by_hour(connection: Connection, batch: Batch, new: Sequence[int]) -> None:
    """How many records and calls of each hour are stored."""
    counts: dict[int, list[int]] = {}
    for at in new:
        count = counts.setdefault(batch.values[at][0] // HOUR_US, [0, 0])
        count[0] += 1
        count[1] += batch.records[at].is_last
    await connection.executemany(
        "INSERT INTO stored_by_hour AS s VALUES ($1, $2, $3) ON CONFLICT (hour) DO UPDATE "
        "SET records = s.records + excluded.records, calls = s.calls + excluded.calls",
        [(hour, *count) for hour, count in sorted(counts.items())],
    )


async def add_feedback(connection: Connection, feedback: Iterable[Feedback]) -> None:
    rows = [
        (key_of(each.id), clean(each.id), key_of(each.call_id), clean(each.call_id),
         fit_time(each.timestamp), each.key_id, each.score,
         None if each.label is None else clean(each.label),
         None if each.comment is None else clean(each.comment))
        for each in feedback
    ]  # fmt: skip
    await connection.executemany(
        "INSERT INTO feedback VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        rows,
    )


async def set_positions(connection: Connection, positions: Iterable[Position]) -> None:
    await connection.executemany(
        'INSERT INTO positions (file, "offset") VALUES ($1, $2) '
        'ON CONFLICT (file) DO UPDATE SET "offset" = excluded."offset"',
        [(position.file, position.offset) for position in positions],
    )
