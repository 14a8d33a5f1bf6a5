"""Partitions: a table for each day of records, and for each month of content.

They are created beside the running traffic: a table of its own is attached to the partitioned one,
which stops neither readers nor writers. Dropping detaches first, for the same reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from headway.ledger.stores.postgresql.connections import SCHEMA
from headway.ledger.stores.postgresql.indexes import create_indexes
from headway.ledger.stores.postgresql.locks import PARTITION, has_table, take_lock
from headway.ledger.stores.postgresql.schema import MONTHLY

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

DAY_US = 86_400 * 10**6
RECORDS = "records"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(rf"({RECORDS}|{'|'.join(MONTHLY)})_(-?\d+)")


def month_of(time_us: int) -> int:
    """Months since the year 0, in UTC."""
    at = _EPOCH + timedelta(microseconds=time_us)
    return at.year * 12 + at.month - 1


def month_end_us(month: int) -> int:
    year, index = divmod(month + 1, 12)
    end = datetime(year, index + 1, 1, tzinfo=UTC) - _EPOCH
    return end // timedelta(microseconds=1)


def day_name(day: int) -> str:
    """``records_20261129``; ``day`` is counted from 1970."""
    return f"{RECORDS}_{_EPOCH + timedelta(days=day):%Y%m%d}"


def month_name(table: str, month: int) -> str:
    """``pieces_202611``."""
    return f"{table}_{month // 12:04d}{month % 12 + 1:02d}"


async def create_days(connection: Connection, days: Iterable[int]) -> None:
    """Create the partitions that are missing."""
    for day in sorted(days):
        bounds = f"FROM ({day * DAY_US}) TO ({(day + 1) * DAY_US})"
        await _create(connection, RECORDS, day_name(day), bounds)


async def create_months(connection: Connection, months: Iterable[int]) -> None:
    for month in sorted(months):
        for table in MONTHLY:
            await _create(connection, table, month_name(table, month), f"IN ({month})")


async def _create(connection: Connection, table: str, name: str, bounds: str) -> None:
    if await has_table(connection, name):
        return
    async with connection.transaction():
        await take_lock(connection, PARTITION)
        if await has_table(connection, name):
            return  # another gateway was faster
        await connection.execute(
            f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE)"
        )
        if table == RECORDS:
            await create_indexes(connection, name)
        await connection.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}")


async def list_partitions(connection: Connection, table: str) -> list[tuple[str, bool]]:
    """Names of the tables that are, or were, partitions, in order; and whether they are attached
    and nobody is detaching them."""
    rows = await connection.fetch(
        """
        SELECT c.relname, i.inhrelid IS NOT NULL AND NOT i.inhdetachpending AS attached
        FROM pg_class c
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND c.relname ~ $2
        ORDER BY c.relname
        """,
        SCHEMA,
        rf"^{table}_\d+$",
    )
    return [(row["relname"], row["attached"]) for row in rows]


async def drop_partition(connection: Connection, table: str, name: str, timeout_s: float) -> None:
    """Detach and drop. Outside of a transaction: detaching waits for those who read."""
    assert _NAME.fullmatch(name)
    state = await connection.fetchval(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)",
        f"{SCHEMA}.{name}",
    )
    if state is not None:
        how = "FINALIZE" if state else "CONCURRENTLY"
        sql = f"ALTER TABLE {table} DETACH PARTITION {name} {how}"
        await connection.execute(sql, timeout=timeout_s)
    await connection.execute(f"DROP TABLE IF EXISTS {name}", timeout=timeout_s)


def day_of_name(name: str) -> int:
    """The day of a partition of the records."""
    at = datetime.strptime(name.rpartition("_")[2], "%Y%m%d").replace(tzinfo=UTC)
    return (at - _EPOCH).days


def month_of_name(name: str) -> int:
    digits = name.rpartition("_")[2]
    return int(digits[:-2]) * 12 + int(digits[-2:]) - 1
