"""Retention, and what a database says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headway.ledger.store import Deleted, StoreFacts
from headway.ledger.stores.postgresql.connections import SCHEMA
from headway.ledger.stores.postgresql.contents import delete_contents
from headway.ledger.stores.postgresql.filters import limit_us
from headway.ledger.stores.postgresql.indexes import find_missing
from headway.ledger.stores.postgresql.locks import PRUNE, SHIP, has_table, lock_number, take_lock
from headway.ledger.stores.postgresql.migrations import read_version
from headway.ledger.stores.postgresql.partitions import (
    DAY_US,
    RECORDS,
    day_of_name,
    drop_partition,
    list_partitions,
    month_end_us,
    month_of_name,
)
from headway.ledger.stores.postgresql.schema import MONTHLY

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection, Connections

AT_ONCE = 500
"""Contents that are deleted in one transaction."""
COUNTED_EXACTLY = 200_000
"""Messages up to which they are counted; more are estimated, as PostgreSQL's planner does."""
MAINTENANCE_S = 3600.0
"""Timeout of statements that read whole tables."""
UNLIMITED = f"SET statement_timeout = '{MAINTENANCE_S:.0f}s'"
"""Until the connection goes back to the pool."""


async def prune(
    connections: Connections, records_before: float | None, content_before: float | None
) -> Deleted:
    """Drop whole days of records and whole months of content that ended before these times. Content
    of the month in which ``content_before`` is goes row by row, so that nothing stays longer than
    it should."""
    records = contents = freed = 0
    if records_before is not None:
        records, freed = await _prune_records(connections, limit_us(records_before))
    if content_before is not None:
        before = limit_us(content_before)
        contents, more = await _drop_months(connections, before)
        freed += more
        while deleted := await connections.write(lambda c: _delete_contents(c, before)):
            contents += deleted
    return Deleted(records, contents, freed)


async def _prune_records(connections: Connections, before_us: int) -> tuple[int, int]:
    async with connections.connection() as connection:
        names = [
            name
            for name, _ in await list_partitions(connection, RECORDS)
            if (day_of_name(name) + 1) * DAY_US <= before_us
        ]
    records, freed = 0, 0
    for name in names:
        async with connections.connection() as connection:
            count, size = await _drop(connection, RECORDS, name)
        records, freed = records + count, freed + size
    await connections.write(lambda connection: _forget_records(connection, before_us))
    return records, freed


async def _forget_records(connection: Connection, before_us: int) -> None:
    """What belonged to the records of days that are gone."""
    end = before_us // DAY_US * DAY_US
    await take_lock(connection, SHIP)
    await connection.execute("DELETE FROM stored_by_hour WHERE hour < $1 / 3600000000::bigint", end)
    await connection.execute("DELETE FROM feedback WHERE time_us < $1", end)
    await connection.execute("DELETE FROM sessions WHERE ended_us < $1", end)


async def _drop_months(connections: Connections, before_us: int) -> tuple[int, int]:
    contents, freed = 0, 0
    async with connections.connection() as connection:
        for table in MONTHLY:
            for name, _ in await list_partitions(connection, table):
                if month_end_us(month_of_name(name)) <= before_us:
                    count, size = await _drop(connection, table, name)
                    contents += count if table == "contents" else 0
                    freed += size
    return contents, freed


async def _drop(connection: Connection, table: str, name: str) -> tuple[int, int]:
    """Rows and bytes of a partition that is dropped; nothing where another gateway does it."""
    number = lock_number(PRUNE)
    await connection.execute(UNLIMITED)
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", number):
        return 0, 0
    try:
        if not await has_table(connection, name):
            return 0, 0
        count = await connection.fetchval(f"SELECT count(*) FROM {name}", timeout=MAINTENANCE_S)
        size = await connection.fetchval("SELECT pg_total_relation_size($1::regclass)", name)
        await drop_partition(connection, table, name, MAINTENANCE_S)
        return int(count), int(size)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", number)


async def _delete_contents(connection: Connection, before_us: int) -> int:
    await take_lock(connection, SHIP)
    rows = await connection.fetch(
        "SELECT month, call_id FROM contents WHERE time_us < $1 LIMIT $2", before_us, AT_ONCE
    )
    deleted = 0
    for month in sorted({row["month"] for row in rows}):
        calls = [row["call_id"] for row in rows if row["month"] == month]
        deleted += await delete_contents(connection, month, calls)
    return deleted


async def describe(connection: Connection, place: str) -> StoreFacts:
    row = await connection.fetchrow(_FACTS, SCHEMA, COUNTED_EXACTLY)
    assert row is not None
    messages = row["messages"]
    if messages is None:
        messages = await connection.fetchval("SELECT count(*) FROM pieces")
    return StoreFacts(
        kind="postgresql",
        place=place,
        version=await read_version(connection),
        records=int(row["records"]),
        calls=int(row["calls"]),
        messages=int(messages),
        bytes=int(row["bytes"]),
        oldest=None if row["oldest"] is None else row["oldest"] / 1e6,
        newest=None if row["newest"] is None else row["newest"] / 1e6,
    )


_FACTS = """
SELECT
  (SELECT coalesce(sum(records), 0) FROM stored_by_hour) AS records,
  (SELECT coalesce(sum(calls), 0) FROM stored_by_hour) AS calls,
  (SELECT min(time_us) FROM records) AS oldest,
  (SELECT max(time_us) FROM records) AS newest,
  (SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = to_regnamespace($1)
     AND relkind IN ('r', 'i', 't')) +
  (SELECT coalesce(sum(pg_total_relation_size(reltoastrelid)), 0) FROM pg_class
     WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' AND reltoastrelid <> 0) AS bytes,
  (SELECT CASE WHEN sum(reltuples) > $2 THEN sum(reltuples)::bigint END FROM pg_class
     WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' AND relname ~ '^pieces_\\d+$')
  AS messages
"""


async def check(connection: Connection) -> Sequence[str]:
    """As ``Store.check``."""
    problems = []
    await connection.execute(UNLIMITED)
    for table, column, referred in _REFERENCES:
        missing = await connection.fetchval(
            f'SELECT count(*) FROM {table} t WHERE t."{column}" IS NOT NULL '
            f'AND NOT EXISTS (SELECT 1 FROM {referred} o WHERE o.id = t."{column}")',
            timeout=MAINTENANCE_S,
        )
        if missing:
            problems.append(f"{missing} rows of {table} refer to {referred} that are missing")
    for text, sql in _CHECKS:
        found = await connection.fetchval(sql, timeout=MAINTENANCE_S)
        if found:
            problems.append(text.format(found))
    for table in (RECORDS, *MONTHLY):
        problems += [
            f"the table {name} is no longer a part of {table}: the next pruning drops it"
            for name, is_attached in await list_partitions(connection, table)
            if not is_attached
        ]
    problems += [
        f"the table {table} lacks its index {name}: it is built within ten minutes, or by "
        "`headway db migrate`"
        for table, name in await find_missing(connection)
    ]
    return problems


_REFERENCES = (
    ("records", "profile", "profiles"),
    ("records", "terms", "terms"),
    ("records", "user", "names"),
    ("records", "parameters", "names"),
    ("records", "tags", "tag_sets"),
    ("records", "session", "sessions"),
)
_CHECKS = (
    (
        "{} nodes of conversations refer to pieces that are missing",
        "SELECT count(*) FROM nodes n WHERE NOT EXISTS "
        "(SELECT 1 FROM pieces p WHERE p.month = n.month AND p.hash = n.piece)",
    ),
    (
        "{} nodes of conversations refer to nodes that are missing",
        "SELECT count(*) FROM nodes n WHERE n.parent <> '' AND NOT EXISTS "
        "(SELECT 1 FROM nodes p WHERE p.month = n.month AND p.hash = n.parent)",
    ),
    (
        "{} contents refer to nodes that are missing",
        "SELECT count(*) FROM contents c WHERE c.head <> '' AND NOT EXISTS "
        "(SELECT 1 FROM nodes n WHERE n.month = c.month AND n.hash = c.head)",
    ),
    (
        "{} hours have another number of records than was counted when they were stored",
        "SELECT count(*) FROM stored_by_hour h FULL JOIN "
        "(SELECT div(time_us, 3600000000) AS hour, count(*) AS records FROM records GROUP BY 1) r "
        "USING (hour) WHERE h.records IS DISTINCT FROM r.records",
    ),
    (
        "{} indexes are not valid: rebuild them with REINDEX",
        "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE NOT i.indisvalid AND c.relnamespace = to_regnamespace('headway')",
    ),
)
