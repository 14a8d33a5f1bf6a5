"""The ledger in one SQLite file, or in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import TypeVar

import apsw
from msgspec import Raw

from headway.ledger.collection import without_collection
from headway.ledger.store import (
    DEFAULT_LIMIT,
    HISTOGRAM_METRICS,
    MAX_LIMIT,
    Call,
    Conversation,
    Deleted,
    Dimension,
    FeedbackFilter,
    FeedbackPage,
    Filter,
    Page,
    Position,
    SessionPage,
    StoredReply,
    StoreFacts,
    Usage,
    ValueCounts,
)
from headway.ledger.stores.sqlite import contents, maintenance, writing
from headway.ledger.stores.sqlite.connections import Connections
from headway.ledger.stores.sqlite.feedback import read_feedback
from headway.ledger.stores.sqlite.keys import KeyTexts
from headway.ledger.stores.sqlite.reading import Reader
from headway.ledger.stores.sqlite.sql import all_rows
from headway.ledger.stores.sqlite.usage import UsageReader
from headway.ledger.stores.sqlite.value_counts import count_newest
from headway.ledger.usage_parts import metric_numbers
from headway.record import Content, Entry, Feedback, Record
from headway.types import Clock

CHUNK = 500
"""Entries that are in memory at once."""
T = TypeVar("T")


class SqliteStore:
    """A ``Store``. ``path`` is that of the file, or ``:memory:``.

    Any number of processes may read; writes wait for each other."""

    def __init__(self, path: str, unix_time: Clock = time.time) -> None:
        self.path = path
        self._connections = Connections(path)
        self._records = writing.RecordWriter(unix_time)
        self._local = threading.local()

    async def open(self, *, migrates: bool = True) -> None:
        if migrates:
            await self._connections.write(lambda db: None)
        else:
            await self._connections.read(lambda db: None)

    async def close(self) -> None:
        await self._connections.close()

    async def add(self, entries: Iterable[Entry], positions: Sequence[Position] = ()) -> int:
        return await self._connections.write(
            lambda db: self._add(db, entries, positions), undo=self._records.forget
        )

    def _add(
        self, db: apsw.Connection, entries: Iterable[Entry], positions: Sequence[Position]
    ) -> int:
        iterator = iter(entries)
        with without_collection():
            while chunk := list(islice(iterator, CHUNK)):
                records = [entry for entry in chunk if isinstance(entry, Record)]
                self._records.add(db, records)
                if len(records) < len(chunk):
                    contents.add_contents(db, [each for each in chunk if type(each) is Content])
                    writing.add_feedback(db, [each for each in chunk if type(each) is Feedback])
            added = self._records.finish(db)
        writing.set_positions(db, positions)
        return added

    async def positions(self) -> Mapping[str, int]:
        return await self._connections.read(
            lambda db: dict(all_rows(db, "SELECT file, offset FROM positions"))
        )

    async def forget_positions(self, files: Sequence[str]) -> None:
        def forget(db: apsw.Connection) -> None:
            db.executemany("DELETE FROM positions WHERE file = ?", [(file,) for file in files])

        await self._connections.write(forget)

    async def prune(self, records_before: float | None, content_before: float | None) -> Deleted:
        return await self._connections.write_plainly(
            lambda db: self._prune(db, records_before, content_before)
        )

    def _prune(
        self, db: apsw.Connection, records_before: float | None, content_before: float | None
    ) -> Deleted:
        try:
            return maintenance.prune(db, self.path, records_before, content_before)
        finally:
            self._records.forget()  # sessions that are gone

    async def maintain(self, now: float) -> None:
        """There is nothing to do: sums are merged when they are written."""

    async def delete_content(self, call_id: str, owner: str | None = None) -> bool:
        def delete(db: apsw.Connection) -> bool:
            found = contents.find_content(db, call_id, owner)
            if found is not None:
                contents.delete_content(db, found)
            return found is not None

        return await self._connections.write(delete)

    async def set_parameter(
        self, call_id: str, name: str, value: Raw | None, owner: str | None = None
    ) -> bool:
        def replace(db: apsw.Connection) -> bool:
            found = contents.find_content(db, call_id, owner)
            if found is not None:
                data = None if value is None else bytes(value)
                contents.set_parameter(db, found, name, data)
            return found is not None

        return await self._connections.write(replace)

    @asynccontextmanager
    async def exclusively(self, task: str) -> AsyncIterator[bool]:
        yield True  # whoever writes has the lock of the spool

    async def logs(
        self, where: Filter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page:
        return await self._read(lambda reader: reader.logs(where, _clamp(limit), cursor))

    async def attempts(
        self, where: Filter, *, limit: int = MAX_LIMIT, cursor: str | None = None
    ) -> tuple[Sequence[Record], str | None]:
        return await self._read(lambda reader: reader.attempts(where, _clamp(limit), cursor))

    async def call(self, call_id: str, owner: str | None = None) -> Call | None:
        return await self._read(lambda reader: reader.call(call_id, owner))

    async def scores(self, call_ids: Sequence[str]) -> Mapping[str, float]:
        return await self._read(lambda reader: reader.scores(call_ids))

    async def feedback(
        self, where: FeedbackFilter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> FeedbackPage:
        return await self._connections.read(
            lambda db: read_feedback(db, where, _clamp(limit), cursor)
        )

    async def conversation(self, call_id: str, owner: str | None = None) -> Conversation | None:
        def read(db: apsw.Connection) -> Conversation | None:
            found = contents.find_content(db, call_id, owner)
            return None if found is None else contents.read_conversation(db, found)

        return await self._connections.read(read)

    async def stored_replies(
        self,
        wire: str,
        owner: str | None = None,
        *,
        after: str | None = None,
        newest_first: bool = False,
        limit: int = DEFAULT_LIMIT,
    ) -> Sequence[StoredReply]:
        return await self._connections.read(
            lambda db: contents.read_stored(db, wire, owner, after, newest_first, _clamp(limit))
        )

    async def usage(
        self,
        where: Filter,
        by: Sequence[Dimension] = (),
        *,
        metrics: Sequence[str] = HISTOGRAM_METRICS,
    ) -> Sequence[Usage]:
        metric_numbers(metrics)

        def sum_up(reader: Reader) -> Sequence[Usage]:
            with without_collection():
                return UsageReader(reader, where, by, metrics).read()

        return await self._read(sum_up)

    async def count_values(self, where: Filter, *, limit: int) -> ValueCounts:
        return await self._read(lambda reader: count_newest(reader, where, limit))

    async def sessions(
        self, where: Filter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> SessionPage:
        return await self._read(lambda reader: reader.sessions(where, _clamp(limit), cursor))

    async def session_history(self, session_id: str, owner: str | None = None) -> Sequence[str]:
        return await self._read(lambda reader: reader.session_history(session_id, owner))

    async def reconcilable(self, where: Filter, *, limit: int = DEFAULT_LIMIT) -> Sequence[Record]:
        return await self._read(lambda reader: reader.reconcilable(where, _clamp(limit)))

    async def records_by_hour(self, since: float | None) -> Mapping[int, int]:
        return await self._connections.read(lambda db: maintenance.count_by_hour(db, since))

    async def describe(self) -> StoreFacts:
        return await self._connections.read(lambda db: maintenance.describe(db, self.path))

    async def check(self) -> Sequence[str]:
        return await self._connections.read(maintenance.check)

    async def _read(self, question: Callable[[Reader], T]) -> T:
        return await self._connections.read(lambda db: question(self._reader(db)))

    def _reader(self, db: apsw.Connection) -> Reader:
        """What a connection has read of the keys stays valid."""
        known: tuple[apsw.Connection, KeyTexts] | None = getattr(self._local, "known", None)
        if known is None or known[0] is not db:
            known = self._local.known = db, KeyTexts()
        return Reader(*known)


def _clamp(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))
