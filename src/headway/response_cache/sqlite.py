"""Responses in a SQLite file, which the workers of a server share and which outlives them, behind a
cache in memory.

The file is read and written by one thread of its own, and never by the event loop. A file that
fails is logged once a minute and has nothing: requests go to their providers then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw
import msgspec

from headway.ports import CachedResponse
from headway.response_cache.memory import MemoryCache, size_of

log = logging.getLogger("headway")
T = TypeVar("T")
VERSION = 1
BUSY_MS = 2000
LOG_EVERY_S = 60.0
PUTS_PER_CLEANING = 64
MAX_WAITING = 256
"""Writes that wait for the thread; a further one is left out."""
SCHEMA = """
PRAGMA auto_vacuum = incremental;
PRAGMA journal_mode = wal;
PRAGMA synchronous = off;
CREATE TABLE IF NOT EXISTS responses (
    key BLOB PRIMARY KEY,
    expires REAL NOT NULL,
    stored REAL NOT NULL,
    size INTEGER NOT NULL,
    response BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS responses_stored ON responses (stored);
"""
FIND = "SELECT response FROM responses WHERE key = ? AND expires > ?"
STORE = "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?)"
DELETE_EXPIRED = "DELETE FROM responses WHERE expires <= ?"
TOTAL = "SELECT coalesce(sum(size), 0) FROM responses"
DELETE_OLDEST = """
DELETE FROM responses WHERE key IN (SELECT key FROM responses ORDER BY stored LIMIT ?)
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CachedResponse).decode


class SqliteCache:
    """A ``ports.ResponseCache``. ``limit`` is of the file, ``memory_limit`` of what is in memory
    in front of it, in bytes."""

    is_shared = True

    def __init__(self, path: Path, *, limit: int, memory_limit: int) -> None:
        self._path = path
        self._limit = limit
        self._memory = MemoryCache(memory_limit)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="response-cache")
        self._connection: apsw.Connection | None = None
        self._waiting = 0
        self._puts = 0
        self._logged = -LOG_EVERY_S

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        return self._memory.get(key, now)

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        response = self._memory.get(key, now)
        if response is None:
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._thread, self._find, key, now)
            if response is not None:
                self._memory.put(key, response)
        return response

    def put(self, key: bytes, response: CachedResponse) -> None:
        self._memory.put(key, response)
        if self._waiting < MAX_WAITING:
            self._waiting += 1
            self._thread.submit(self._store, key, response)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
        await self._memory.close()

    # --- In the thread ----------------------------------------------------------------------------

    def _find(self, key: bytes, now: float) -> CachedResponse | None:
        def find(connection: apsw.Connection) -> CachedResponse | None:
            row = connection.execute(FIND, (key, now)).fetchone()
            return None if row is None else _decode(row[0])

        return self._attempt(find)

    def _store(self, key: bytes, response: CachedResponse) -> None:
        self._waiting -= 1
        row = (key, response.expires, response.stored, size_of(response), _encode(response))

        def store(connection: apsw.Connection) -> None:
            connection.execute(STORE, row)
            self._puts += 1
            if self._puts % PUTS_PER_CLEANING == 1:
                self._clean(connection, response.stored)

        self._attempt(store)

    def _clean(self, connection: apsw.Connection, now: float) -> None:
        """Delete what has expired, and the oldest where the file is too large."""
        connection.execute(DELETE_EXPIRED, (now,))
        while connection.execute(TOTAL).fetchone()[0] > self._limit:  # type: ignore[index]
            connection.execute(DELETE_OLDEST, (PUTS_PER_CLEANING,))
        connection.execute("PRAGMA incremental_vacuum")

    def _attempt(self, act: Callable[[apsw.Connection], T]) -> T | None:
        try:
            return act(self._connection or self._open())
        except (apsw.Error, OSError, msgspec.MsgspecError) as error:
            self._close()
            if time.monotonic() - self._logged >= LOG_EVERY_S:
                self._logged = time.monotonic()
                log.warning("the response cache %s failed: %s", self._path, error)
            return None

    def _open(self) -> apsw.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.touch(mode=0o600)  # the answers are the users' own
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(BUSY_MS)
        version = connection.pragma("user_version")
        if version != VERSION:
            connection.execute("DROP TABLE IF EXISTS responses")
            connection.pragma("user_version", VERSION)
        for _ in connection.execute(SCHEMA):
            pass  # a statement with a result runs only when that is read
        self._connection = connection
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
