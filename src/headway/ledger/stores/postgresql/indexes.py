"""The indexes of a day of records.

They are each day's own, not the partitioned table's: so those of past days can be built while
records are read and written, which PostgreSQL cannot do for all partitions at once. Where an index
has a value and the time, the time is in steps of ``TIME_STEP``, and the latency and the cost are in
steps, too: PostgreSQL stores an entry that many rows have once.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from headway.ledger.stores.postgresql.connections import SCHEMA
from headway.ledger.stores.postgresql.locks import lock_number
from headway.ledger.stores.postgresql.schema import end_of_id, number_of, own_call

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

TASK = "indexes"
BUILD_S = 3600.0
"""Timeout of building an index."""
_LATENCY_BITS = 15
"""Of microseconds that are left out: 33 ms."""
_COST_STEPS = 16
"""Steps of the natural logarithm of the cost: one is 6%."""


def time_step(prefix: str = "r.") -> str:
    """SQL for the time in steps of 72 minutes."""
    return f"({prefix}time_us >> 32)"


def step_of_time(time_us: int) -> int:
    return time_us >> 32


def latency_step(prefix: str = "r.") -> str:
    return f"({number_of('latency_us', prefix)} >> {_LATENCY_BITS})"


def step_of_latency(latency_us: int) -> int:
    """What ``latency_step`` is for a latency."""
    return latency_us >> _LATENCY_BITS


def call_cost(prefix: str = "r.") -> str:
    """SQL for the picodollars of all attempts of a call."""
    return f"coalesce({prefix}call_pd, {prefix}cost_pd)"


def cost_step(prefix: str = "r.") -> str:
    return f"((ln(greatest({call_cost(prefix)}, 1)::float8) * {_COST_STEPS})::integer)"


def step_of_cost(picodollars: int) -> int:
    """What ``cost_step`` is for a cost, or one beside it: a logarithm may be rounded elsewhere in
    another way."""
    return round(log(max(picodollars, 1)) * _COST_STEPS)


_TIME = time_step("")
_LATENCY, _COST = number_of("latency_us", ""), call_cost("")
INDEXES = {
    "by_call": f"({end_of_id(own_call(''))})",
    "by_request": f"({end_of_id('request_id')})",
    "by_profile": f"(profile, {_TIME})",
    "by_user": f'("user", {_TIME}) WHERE "user" IS NOT NULL',
    "by_tags": f"(tags, {_TIME}) WHERE tags IS NOT NULL",
    "by_session": f"(session, {_TIME}) WHERE session IS NOT NULL",
    "by_latency": f"({latency_step('')}) WHERE {_LATENCY} IS NOT NULL",
    "by_cost": f"({cost_step('')}) WHERE {_COST} IS NOT NULL",
}
"""Name -> what is indexed. Besides these, a day has the indexes of the partitioned table."""


async def create_indexes(connection: Connection, table: str) -> None:
    """Those of a new table."""
    for name, what in INDEXES.items():
        await connection.execute(f"CREATE INDEX {table}_{name} ON {table} {what}")


async def build_missing(connection: Connection) -> int:
    """Build the indexes that days lack, the newest first, beside the traffic, and outside of a
    transaction. Returns how many were built. Does nothing while another gateway does it."""
    missing = await find_missing(connection)
    if not missing:
        return 0
    number = lock_number(TASK)
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", number):
        return 0
    try:
        await connection.execute(f"SET statement_timeout = '{BUILD_S:.0f}s'")
        for table, name in missing:
            await connection.execute(  # what is left of one whose building was cut off
                f"DROP INDEX CONCURRENTLY IF EXISTS {table}_{name}", timeout=BUILD_S
            )
            await connection.execute(
                f"CREATE INDEX CONCURRENTLY {table}_{name} ON {table} {INDEXES[name]}",
                timeout=BUILD_S,
            )
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", number)
    return len(missing)


async def find_missing(connection: Connection) -> list[tuple[str, str]]:
    """Days, and the names of indexes that they do not have, or that cannot be used."""
    rows = await connection.fetch(_DAYS, SCHEMA)
    return [
        (row["relname"], name)
        for row in rows
        for name in INDEXES
        if f"{row['relname']}_{name}" not in row["indexes"]
    ]


_DAYS = """
SELECT c.relname, array(
  SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  WHERE x.indrelid = c.oid AND x.indisvalid
) AS indexes
FROM pg_class c JOIN pg_inherits h ON h.inhrelid = c.oid AND NOT h.inhdetachpending
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND c.relname ~ '^records_\\d+$'
ORDER BY c.relname DESC
"""
