"""Advisory locks: what gateways on one database do one after the other.

They end with the transaction that took them, so that they also work through a pooler of
transactions, and nobody holds one after a connection is cut.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from headway.ledger.stores.postgresql.connections import SCHEMA

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

MIGRATE = "migrate"
PARTITION = "partition"
SHIP = "ship"
"""Sums, sessions and content: what one gateway reads, changes and writes."""
PRUNE = "prune"


def lock_number(task: str) -> int:
    """The same for all programs, and for none that is not Headway, as far as numbers can tell."""
    return int.from_bytes(sha256(f"headway {task}".encode()).digest()[:8], "big", signed=True)


async def take_lock(connection: Connection, task: str) -> None:
    """Wait for the lock, until the end of the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_number(task))


async def try_lock(connection: Connection, task: str) -> bool:
    """Take the lock if it is free, until the end of the transaction."""
    return bool(
        await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock_number(task))
    )


async def has_table(connection: Connection, name: str) -> bool:
    """Also right for a table that was created while a lock was awaited: ``to_regclass`` is not."""
    sql = (
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = $1 AND n.nspname = $2"
    )
    return bool(await connection.fetchval(sql, name, SCHEMA))
