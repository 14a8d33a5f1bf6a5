"""Writing records, feedback and positions. Everything here runs within a transaction.

Records are copied into their table at once; only where some of them were there already, which is
after a crash, they go through a temporary table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
from msgspec import Struct

from headway.ledger.content_chain import search_words
from headway.ledger.money import ZERO, add_usd, join_usd, split_usd
from headway.ledger.rows import COLUMNS, Keys, Row, encode_row
from headway.ledger.store import Position
from headway.ledger.stores.postgresql.ids import clean, key_of, pack_texts
from headway.ledger.stores.postgresql.schema import RECORD_COLUMNS, quote
from headway.record import Feedback, Record

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

DAY_US = 86_400 * 10**6
HOUR_US = 3_600 * 10**6
LARGEST = 2**63 - 1
MAX_TIME_US = 250_000_000_000 * 10**6
"""In the year 9892: partitions are named by date."""
LONGEST_WORD = 200
_COST, _COST_REST, _SESSION, _UPSTREAM_ID = map(
    COLUMNS.index, ("cost_pd", "cost_rest", "session", "upstream_request_id")
)
_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE records INCLUDING DEFAULTS)
ON COMMIT DELETE ROWS
"""
_INSERT_NEW = f"""
INSERT INTO records ({quote(RECORD_COLUMNS)}) SELECT {quote(RECORD_COLUMNS)} FROM incoming
ORDER BY time_us, id ON CONFLICT (time_us, id) DO NOTHING RETURNING time_us, id
"""
_ATTEMPTS = """
SELECT r.time_us, r.id, r.call_id, r.cost_pd, r.cost_rest, p.is_last
FROM records r JOIN profiles p ON p.id = r.profile
WHERE r.call_id = ANY($1::uuid[]) AND r.time_us BETWEEN $2 AND $3 ORDER BY r.time_us, r.id
"""
_SET_CALL_COST = "UPDATE records SET call_pd = $1, call_rest = $2 WHERE time_us = $3 AND id = $4"


class Entry(Struct, frozen=True):
    """A record that is to be stored, as the tables take it."""

    record: Record
    keys: Keys
    row: Row
    """The values of ``headway.ledger.rows.COLUMNS``."""
    values: Row
    """The values of ``RECORD_COLUMNS``."""


def make_entries(
    records: Sequence[Record], keys: Sequence[Keys], numbers: Sequence[Sequence[int | None]]
) -> list[Entry]:
    """In the order of their primary key, so that two gateways do not wait for each other."""
    entries = [
        _make_entry(record, found, numbers_of)
        for record, found, numbers_of in zip(records, keys, numbers, strict=True)
    ]
    entries.sort(key=lambda entry: entry.values[:2])
    return entries


def _make_entry(record: Record, keys: Keys, numbers: Sequence[int | None]) -> Entry:
    row = encode_row(record, numbers)
    id_, request_id, call_id = record.id, record.request_id, record.call_id or record.id
    upstream_id = record.upstream_request_id
    row = (max(0, min(row[0], MAX_TIME_US)), *row[1:])
    values = (
        row[0],
        key_of(id_),
        key_of(request_id),
        key_of(call_id),
        *row[4:_UPSTREAM_ID],
        None if upstream_id is None else clean(upstream_id),
        *row[_UPSTREAM_ID + 1 :],
        *_error_of(record),
        pack_texts(id_, request_id, call_id),
        None,
        None,
    )
    return Entry(record, keys, row, values)


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


async def add_records(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Returns those that are new."""
    if not entries:
        return []
    try:
        async with connection.transaction():
            await _copy(connection, "records", entries)
    except asyncpg.UniqueViolationError:  # some were stored before
        await connection.execute(_INCOMING)
        await _copy(connection, "incoming", entries)
        found = {(row["time_us"], row["id"].hex) for row in await connection.fetch(_INSERT_NEW)}
        new = []
        for entry in entries:
            key = (entry.values[0], entry.values[1].replace("-", ""))
            if key in found:
                found.discard(key)  # of two that are the same one is new
                new.append(entry)
        return new
    return list(entries)


async def _copy(connection: Connection, table: str, entries: Sequence[Entry]) -> None:
    rows = [entry.values for entry in entries]
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(table, records=rows, columns=RECORD_COLUMNS)
    except (asyncpg.DataError, asyncpg.CharacterNotInRepertoireError):
        fitted = [tuple(map(_fit, row)) for row in rows]
        await connection.copy_records_to_table(table, records=fitted, columns=RECORD_COLUMNS)


def _fit(value: Any) -> Any:
    """What PostgreSQL can hold: a record with a number from outer space is stored, too."""
    if type(value) is int:
        return max(-LARGEST, min(value, LARGEST))
    return clean(value) if type(value) is str else value


async def total_calls(connection: Connection, new: Sequence[Entry]) -> Mapping[str, Decimal]:
    """Write the cost of all attempts to the last one, for calls with several. Returns it by the
    UUID of the call."""
    several = {
        key_of(entry.record.call_id or entry.record.id)
        for entry in new
        if not entry.record.is_last
        or (entry.record.call_id and entry.record.call_id != entry.record.id)
    }
    if not several:
        return {}
    times = [entry.values[0] for entry in new]
    rows = await connection.fetch(
        _ATTEMPTS, sorted(several), min(times) - DAY_US, max(times) + DAY_US
    )
    costs: dict[str, list[Decimal]] = {}
    last: dict[str, tuple[int, Any]] = {}
    for row in rows:
        call = str(row["call_id"])
        if row["cost_pd"] is not None:
            costs.setdefault(call, []).append(join_usd(row["cost_pd"], row["cost_rest"]))
        if row["is_last"]:
            last[call] = row["time_us"], row["id"]
    totals = {call: sum_usd(amounts) for call, amounts in costs.items()}
    await connection.executemany(
        _SET_CALL_COST,
        [(*split_usd(totals[call]), *last[call]) for call in sorted(last) if call in totals],
    )
    return totals


def sum_usd(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add_usd(total, amount)
    return total


async def note_sessions(connection: Connection, new: Sequence[Entry]) -> bool:
    """Returns False where a session is no longer there: its number is from before retention."""
    ended: dict[int, int] = {}
    for entry in new:
        session = entry.row[_SESSION]
        if session is not None:
            ended[session] = max(entry.row[0], ended.get(session, entry.row[0]))
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


async def count_by_hour(connection: Connection, new: Sequence[Entry]) -> None:
    """How many records and calls of each hour are stored."""
    counts: dict[int, list[int]] = {}
    for entry in new:
        count = counts.setdefault(entry.row[0] // HOUR_US, [0, 0])
        count[0] += 1
        count[1] += entry.record.is_last
    await connection.executemany(
        "INSERT INTO stored_by_hour AS s VALUES ($1, $2, $3) ON CONFLICT (hour) DO UPDATE "
        "SET records = s.records + excluded.records, calls = s.calls + excluded.calls",
        [(hour, *count) for hour, count in sorted(counts.items())],
    )


async def add_feedback(connection: Connection, feedback: Iterable[Feedback]) -> None:
    rows = [
        (key_of(each.id), pack_texts(each.id), key_of(each.call_id), clean(each.call_id),
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
