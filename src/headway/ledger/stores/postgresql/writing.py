"""Writing records, feedback and positions. Everything here runs within a transaction.

Records are copied into their table at once; only where some of them were there already, which is
after a crash, they go through a temporary table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from headway.ledger.rows import COLUMNS, ends_call
from headway.ledger.store import Position
from headway.ledger.stores.postgresql.batch import Batch, add_costs, fit_time
from headway.ledger.stores.postgresql.ids import clean, key_of
from headway.ledger.stores.postgresql.schema import (
    NARROW,
    NARROW_COLUMNS,
    RECORD_COLUMNS,
    end_of_id,
    own_call,
    quote,
)
from headway.ledger.usage_parts import correct_call_cost
from headway.record import Feedback

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

DAY_US = 86_400 * 10**6
HOUR_US = 3_600 * 10**6
_SESSION = COLUMNS.index("session")
_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE records INCLUDING DEFAULTS)
ON COMMIT DELETE ROWS
"""
_ALL_COLUMNS = quote((*RECORD_COLUMNS, *NARROW.values()))
_INSERT_NEW = f"""
INSERT INTO records ({_ALL_COLUMNS}) SELECT {_ALL_COLUMNS} FROM incoming
ORDER BY time_us, id ON CONFLICT (time_us, id) DO NOTHING RETURNING time_us, id
"""
_ATTEMPTS = f"""
SELECT {own_call()} AS call_id, r.time_us, r.id, p.is_last, r.cost_pd, r.cost_rest, r.call_pd,
  r.call_rest, r.profile, r."user", r.tags
FROM records r JOIN profiles p ON p.id = r.profile
WHERE {end_of_id(own_call())} = ANY($1::bytea[]) AND {own_call()} = ANY($2::bytea[])
AND r.time_us BETWEEN $3 AND $4 ORDER BY r.time_us, r.id
"""
_SET_CALL_COST = "UPDATE records SET call_pd = $1, call_rest = $2 WHERE time_us = $3 AND id = $4"
Correction = tuple[tuple[int, int, int | None, int | None], bytes]
"""Time, profile, user and tag set of the last attempt of a call, and what corrects its cells."""


async def add_records(connection: Connection, batch: Batch) -> Sequence[int]:
    """Returns the places in the batch of those that are new; ``batch.parts`` has their sums."""
    try:
        await _copy(connection, "records", batch)
    except asyncpg.UniqueViolationError:  # some were stored before
        await connection.execute(_INCOMING)
        await _copy(connection, "incoming", batch)
        found = {tuple(row) for row in await connection.fetch(_INSERT_NEW)}
        new = []
        for at, row in enumerate(batch.rows):
            if row[:2] in found:
                found.discard(row[:2])  # of two that are the same one is new
                new.append(at)
        batch.sum_up(new)
        batch.incomplete = list(batch.several)
        return new
    return range(len(batch.records))


async def _copy(connection: Connection, table: str, batch: Batch) -> None:
    try:
        await _copy_rows(connection, table, batch)
    except (asyncpg.DataError, asyncpg.CharacterNotInRepertoireError, OverflowError):
        batch.separate()
        await _copy_rows(connection, table, batch)


async def _copy_rows(connection: Connection, table: str, batch: Batch) -> None:
    async with connection.transaction():
        await connection.copy_records_to_table(
            table, records=batch.narrow_rows(), columns=NARROW_COLUMNS
        )
        if batch.large:
            await connection.copy_records_to_table(
                table, records=[batch.rows[at] for at in batch.large], columns=RECORD_COLUMNS
            )


async def correct_calls(
    connection: Connection, batch: Batch, new: Sequence[int]
) -> Sequence[Correction]:
    """Write the cost of all attempts to the last one, for calls with several of which some were
    stored before. Returns what corrects the sums, where the last attempt was counted with another
    cost."""
    if not batch.incomplete or not new:
        return []
    calls = sorted(batch.incomplete)
    times = [batch.rows[at][0] for at in (new[0], new[-1])]
    attempts: dict[bytes, list[Any]] = {}
    for row in await connection.fetch(
        _ATTEMPTS, [call[12:] for call in calls], calls, times[0] - DAY_US, times[1] + DAY_US
    ):
        attempts.setdefault(row["call_id"], []).append(row)
    updates, corrections = [], []
    for _, rows in sorted(attempts.items()):
        last = next((row for row in reversed(rows) if row["is_last"]), None)
        if last is None:
            continue
        cost = add_costs((row["cost_pd"], row["cost_rest"]) for row in rows)
        counted = (last["call_pd"], last["call_rest"])
        if counted[0] is None:
            counted = (last["cost_pd"], last["cost_rest"])
        if cost[0] is None or cost == counted:
            continue
        updates.append((*cost, last["time_us"], last["id"]))
        place = last["time_us"], last["profile"], last["user"], last["tags"]
        corrections.append((place, correct_call_cost(counted[0], cost[0])))
    await connection.executemany(_SET_CALL_COST, updates)
    return corrections


async def note_sessions(connection: Connection, batch: Batch, new: Sequence[int]) -> bool:
    """Returns False where a session is no longer there: its number is from before retention."""
    ended: dict[int, int] = {}
    for at in new:
        row = batch.rows[at]
        session = row[_SESSION]
        if session is not None:
            ended[session] = max(row[0], ended.get(session, row[0]))
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
        count = counts.setdefault(batch.rows[at][0] // HOUR_US, [0, 0])
        count[0] += 1
        count[1] += ends_call(batch.records[at])
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
