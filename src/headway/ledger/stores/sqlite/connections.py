"""Connections to one SQLite file: one that writes, several that read, each in a thread of its own,
so that the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from headway.ledger.store import StoreError
from headway.ledger.stores.sqlite.schema import (
    MIGRATIONS,
    check_version,
    migrate,
    read_version,
)

MEMORY = ":memory:"
READERS = 2
BUSY_MS = 10_000
"""How long a statement waits for another process that writes."""
WAL_LIMIT = 8 * 1024 * 1024
"""Bytes to which the log of writes is cut after a large transaction."""
WRITER_CACHE_KIB, READER_CACHE_KIB = 16_384, 16_384

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]
_READ_WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


class Connections:
    """``path`` is that of the file, or ``MEMORY``, where one connection does all."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._writer = ThreadPoolExecutor(1, "headway-ledger-writer")
        self._readers = self._writer
        if path != MEMORY:
            self._readers = ThreadPoolExecutor(READERS, "headway-ledger-reader")
        self._is_closed = False
        self._written: apsw.Connection | None = None
        self._local = threading.local()
        self._opened: list[apsw.Connection] = []

    async def write(self, work: Work[T], undo: Callable[[], None] = lambda: None) -> T:
        """Run ``work`` in a transaction that is written to disk before this returns. Creates what
        is missing. ``undo`` is called where the transaction was rolled back."""
        return await self._run(self._writer, partial(self._write, undo=undo), work)

    async def write_plainly(self, work: Work[T]) -> T:
        """Run ``work``, which begins and ends its transactions itself."""
        return await self._run(self._writer, self._work, work)

    async def read(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction, so that all it reads is of one time. A database that does
        not exist is read as an empty one, and not created."""
        return await self._run(self._readers, self._read, work)

    async def close(self) -> None:
        """Idempotent."""
        self._is_closed = True
        await asyncio.to_thread(self._close)

    async def _run(
        self, executor: ThreadPoolExecutor, run: Callable[[Work[T]], T], work: Work[T]
    ) -> T:
        if self._is_closed:
            raise StoreError(f"{self.path} is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, run, work)
        except apsw.Error as error:
            raise _explain(error, self.path) from error
        except OSError as error:
            raise StoreError(f"cannot use {self.path}: {error.strerror}") from error

    def _work(self, work: Work[T]) -> T:
        return work(self._open_writer())

    def _write(self, work: Work[T], undo: Callable[[], None] = lambda: None) -> T:
        db = self._open_writer()
        db.execute("BEGIN IMMEDIATE")
        try:
            result = work(db)
            db.execute("COMMIT")
        except BaseException:
            undo()
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return result

    def _read(self, work: Work[T]) -> T:
        db = self._written if self.path == MEMORY else self._open_reader()
        if db is None:
            db = open_empty()
        db.execute("BEGIN")
        try:
            return work(db)
        finally:
            db.execute("ROLLBACK")

    def _open_writer(self) -> apsw.Connection:
        if self._written is None:
            if self.path != MEMORY:
                Path(self.path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                Path(self.path).touch(0o600)
            db = apsw.Connection(self.path, _READ_WRITE)
            try:
                db.set_busy_timeout(BUSY_MS)
                migrate(db, self.path)
                db.pragma("journal_mode", "wal")
                db.pragma("synchronous", "full")
                db.pragma("journal_size_limit", WAL_LIMIT)
                db.pragma("cache_size", -WRITER_CACHE_KIB)
            except BaseException:
                db.close()
                raise
            self._written = db
            self._opened.append(db)
        return self._written

    def _open_reader(self) -> apsw.Connection | None:
        """None where there is no database yet."""
        db: apsw.Connection | None = getattr(self._local, "db", None)
        if db is None:
            if not Path(self.path).exists():
                return None
            db = apsw.Connection(self.path, apsw.SQLITE_OPEN_READONLY)
            db.set_busy_timeout(BUSY_MS)
            version = read_version(db, self.path)
            if version == 0:
                db.close()
                return None
            check_version(version, self.path, len(MIGRATIONS))
            db.pragma("cache_size", -READER_CACHE_KIB)
            self._local.db = db
            self._opened.append(db)
        return db

    def _close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        while self._opened:
            self._opened.pop().close()
        self._written = None


def open_empty() -> apsw.Connection:
    """A database in memory with nothing in it."""
    db = apsw.Connection(MEMORY)
    migrate(db, MEMORY)
    return db


def _explain(error: apsw.Error, path: str) -> StoreError:
    if isinstance(error, apsw.FullError):
        return StoreError(f"the disk of {path} is full: free space")
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreError(f"another process has locked {path}")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreError(f"{path} is damaged, or no SQLite database: {error}")
    if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError):
        return StoreError(f"cannot open {path}: check that its folder exists and its permissions")
    return StoreError(f"cannot use {path}: {error}")
