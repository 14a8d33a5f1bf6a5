"""What can happen to a database and to a disk."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import asyncpg

from support.services import PostgresqlServer

DISK_BYTES = 4 * 2**20
CUT_INTERVAL_S = 0.05


def lock_sqlite(url: str, seconds: float) -> None:
    """Hold the write lock of the database."""
    database = apsw.Connection(url.removeprefix("sqlite:///"))
    database.set_busy_timeout(30_000)
    database.execute("BEGIN IMMEDIATE")
    time.sleep(seconds)
    database.execute("ROLLBACK")
    database.close()


async def lock_postgresql(url: str, seconds: float) -> None:
    """Hold every table that has rows of the ledger, so that each statement waits."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            tables = await connection.fetch(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name "
                "FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            for table in tables:
                await connection.execute(f"LOCK TABLE {table['name']} IN ACCESS EXCLUSIVE MODE")
            await connection.execute("SELECT pg_sleep($1)", seconds)
    finally:
        await connection.close()


def restart_postgresql(server: PostgresqlServer, seconds: float) -> None:
    """Stop the server, and start it again after ``seconds``."""
    server.stop()
    time.sleep(seconds)
    server.start()


async def cut_connections(url: str, seconds: float) -> int:
    """End every connection to the database, again and again. Returns the number."""
    connection = await asyncpg.connect(url)
    until, count = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < until:
            rows = await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            count += len(rows)
            await asyncio.sleep(CUT_INTERVAL_S)
    finally:
        await connection.close()
    return count


@contextmanager
def small_disk(directory: Path) -> Iterator[None]:
    """Mount a disk of ``DISK_BYTES`` there. Raises OSError where that is not permitted."""
    directory.mkdir(mode=0o700, parents=True)
    if os.geteuid():
        raise OSError("only root may mount a small disk")
    options = f"size={DISK_BYTES},mode=0700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
