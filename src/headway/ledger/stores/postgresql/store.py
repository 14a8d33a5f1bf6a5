"""The ledger in PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import asyncpg
from msgspec import Raw

from headway.ledger.collection import without_collection
from headway.ledger.rows import fit_record, parameters_of
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
    StoreError,
    StoreFacts,
    Usage,
    ValueCounts,
)
from headway.ledger.stores.postgresql import contents, maintenance, writing
from headway.ledger.stores.postgresql.batch import Batch, fit_time, sort_key
from headway.ledger.stores.postgresql.cells import (
    PartCounts,
    add_parts,
    correct,
    merge_cells,
    merge_past,
)
from headway.ledger.stores.postgresql.connections import STATEMENT_S, Connections
from headway.ledger.stores.postgresql.feedback import read_feedback
from headway.ledger.stores.postgresql.indexes import build_missing
from headway.ledger.stores.postgresql.keys import KeyNumbers, KeyTexts, find_profiles
from headway.ledger.stores.postgresql.kinds import KindFinder
from headway.ledger.stores.postgresql.locks import SHIP, take_lock, try_lock
from headway.ledger.stores.postgresql.migrations import (
    MIGRATIONS,
    check_server,
    check_version,
    migrate,
    read_version,
)
from headway.ledger.stores.postgresql.partitions import DAY_US, create_days, create_months
from headway.ledger.stores.postgresql.reading import Reader
from headway.ledger.stores.postgresql.sessions import read_sessions
from headway.ledger.stores.postgresql.usage import UsageReader
from headway.ledger.stores.postgresql.value_counts import ValueCounter
from headway.ledger.usage_parts import metric_numbers
from headway.record import Content, Entry, Feedback, Record

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

_log = logging.getLogger("headway.ledger")
T = TypeVar("T")
DAYS_AHEAD = 2


class Rest(NamedTuple):
    """What is stored together with records."""

    contents: Sequence[Content]
    feedback: Sequence[Feedback]
    positions: Sequence[Position]


class PostgresqlStore:
    """A ``Store``. Any number of processes may read and write."""

    def __init__(self, url: str, *, statement_s: float = STATEMENT_S) -> None:
        """``statement_s``: after so many seconds a question is given up."""
        self._connections = Connections(url, statement_s=statement_s)
        self._numbers = KeyNumbers()
        self._texts = KeyTexts()
        self._kinds = KindFinder(self._numbers)
        self._parts = PartCounts()
        self._days: set[int] = set()
        self._months: set[int] = set()
        """Whose partitions exist, as far as this process knows."""

    async def open(self, *, migrates: bool = True) -> None:
        await self._connections.open()
        if migrates:
            await migrate(self._connections)
        else:
            await check_server(self._connections)
            version = await self._connections.read(read_version)
            check_version(version, self._connections.address.text, len(MIGRATIONS))

    async def close(self) -> None:
        await self._connections.close()

    # --- Writing ----------------------------------------------------------------------------------

    async def add(self, entries: Iterable[Entry], positions: Sequence[Position] = ()) -> int:
        entries = list(entries)
        rest = Rest(
            [entry for entry in entries if type(entry) is Content],
            [entry for entry in entries if type(entry) is Feedback],
            positions,
        )
        records = sorted([entry for entry in entries if isinstance(entry, Record)], key=sort_key)
        with without_collection():
            try:
                return await self._add_or_refresh(records, rest)
            except OverflowError:
                return await self._add_or_refresh([fit_record(record) for record in records], rest)

    async def _add_or_refresh(self, records: Sequence[Record], rest: Rest) -> int:
        """Once more where another gateway's retention deleted what this one remembers."""
        try:
            return await self._prepare_and_add(records, rest)
        except _StaleError:
            self._forget()
            return await self._prepare_and_add(records, rest)

    async def _prepare_and_add(self, records: Sequence[Record], rest: Rest) -> int:
        batch = await self._connections.read(
            lambda connection: self._prepare(connection, records, rest.contents)
        )
        return await self._connections.write(partial(self._add, batch=batch, rest=rest))

    def _forget(self) -> None:
        self._numbers.forget()
        self._kinds.forget()
        self._days.clear()
        self._months.clear()

    async def _prepare(
        self, connection: Connection, records: Sequence[Record], kept: Sequence[Content]
    ) -> Batch:
        """What must be there before the transaction: numbers of keys, and partitions."""
        kinds = await self._kinds.find(connection, records)
        find = partial(self._numbers.find, connection)
        names = (
            await find("names", [record.user for record in records]),
            await find("tag_sets", [record.tags or None for record in records]),
            await find("sessions", [record.session_id for record in records]),
            await find("names", list(map(parameters_of, records))),
        )
        days = {fit_time(record.timestamp) // DAY_US for record in records}
        if missing := days - self._days:
            ahead = {max(days) + more for more in range(1, DAYS_AHEAD + 1)}
            await create_days(connection, missing | ahead)
            self._days |= days
        months = set(map(contents.month_of_content, kept))
        if missing := months - self._months:
            await create_months(connection, missing)
            self._months |= months
        return Batch(records, kinds, names)

    async def _add(self, connection: Connection, batch: Batch, rest: Rest) -> int:
        new: Sequence[int] = ()
        try:
            if batch.records:
                new = await writing.add_records(connection, batch)
            many = self._parts.count(batch.parts)
            if rest.contents or batch.incomplete or many:
                await take_lock(connection, SHIP)
            if new:
                await self._add_sums(connection, batch, new)
                await merge_cells(connection, many)
            if rest.contents:
                await contents.add_contents(connection, rest.contents)
        except asyncpg.CheckViolationError as error:
            raise _StaleError(f"a partition was dropped in the meantime: {error}") from error
        if rest.feedback:
            await writing.add_feedback(connection, rest.feedback)
        if rest.positions:
            await writing.set_positions(connection, rest.positions)
        return len(new)

    async def _add_sums(self, connection: Connection, batch: Batch, new: Sequence[int]) -> None:
        corrections = await writing.correct_calls(connection, batch, new)
        profiles = await find_profiles(connection, {place[1] for place, _ in corrections})
        masked = await self._kinds.mask(connection, profiles)
        parts = chain(batch.parts, *[correct(each, masked) for each in corrections])
        await add_parts(connection, list(parts))
        await writing.count_by_hour(connection, batch, new)
        if not await writing.note_sessions(connection, batch, new):
            raise _StaleError("a session was deleted in the meantime")

    async def positions(self) -> Mapping[str, int]:
        sql = 'SELECT file, "offset" FROM positions'
        rows = await self._connections.read(lambda connection: connection.fetch(sql))
        return {row["file"]: row["offset"] for row in rows}

    async def forget_positions(self, files: Sequence[str]) -> None:
        sql = "DELETE FROM positions WHERE file = ANY($1::text[])"
        await self._connections.write(lambda connection: connection.execute(sql, list(files)))

    async def prune(self, records_before: float | None, content_before: float | None) -> Deleted:
        try:
            return await maintenance.prune(self._connections, records_before, content_before)
        finally:
            self._forget()

    async def maintain(self, now: float) -> None:
        async with self._connections.connection() as connection:
            built = await build_missing(connection)
        if built:
            _log.info("%d indexes of past days were built", built)
        while await self._connections.write(lambda connection: merge_past(connection, now)):
            pass

    async def delete_content(self, call_id: str, owner: str | None = None) -> bool:
        async def delete(connection: Connection) -> bool:
            await take_lock(connection, SHIP)
            found = await contents.find_content(connection, call_id, owner)
            if found is None:
                return False
            await contents.delete_contents(connection, found["month"], [found["call_id"]])
            return True

        return await self._connections.write(delete)

    async def set_parameter(
        self, call_id: str, name: str, value: Raw | None, owner: str | None = None
    ) -> bool:
        async def replace(connection: Connection) -> bool:
            await take_lock(connection, SHIP)
            found = await contents.find_content(connection, call_id, owner)
            if found is not None:
                data = None if value is None else bytes(value)
                await contents.set_parameter(connection, found, name, data)
            return found is not None

        return await self._connections.write(replace)

    @asynccontextmanager
    async def exclusively(self, task: str) -> AsyncIterator[bool]:
        async with self._connections.connection() as connection, connection.transaction():
            yield await try_lock(connection, task)

    # --- Reading ----------------------------------------------------------------------------------

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
            lambda connection: read_feedback(connection, where, _clamp(limit), cursor)
        )

    async def conversation(self, call_id: str, owner: str | None = None) -> Conversation | None:
        async def read(connection: Connection) -> Conversation | None:
            found = await contents.find_content(connection, call_id, owner)
            return None if found is None else await contents.read_conversation(connection, found)

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
            lambda connection: contents.read_stored(
                connection, wire, owner, after, newest_first, _clamp(limit)
            )
        )

    async def usage(
        self,
        where: Filter,
        by: Sequence[Dimension] = (),
        *,
        metrics: Sequence[str] = HISTOGRAM_METRICS,
    ) -> Sequence[Usage]:
        metric_numbers(metrics)  # raises for one that is unknown
        return await self._read(lambda reader: UsageReader(reader, where, by, metrics).read())

    async def count_values(self, where: Filter, *, limit: int) -> ValueCounts:
        return await self._connections.read(
            lambda connection: ValueCounter(connection, self._texts).count(where, limit)
        )

    async def sessions(
        self, where: Filter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> SessionPage:
        return await self._read(lambda reader: read_sessions(reader, where, _clamp(limit), cursor))

    async def session_history(self, session_id: str, owner: str | None = None) -> Sequence[str]:
        return await self._read(lambda reader: reader.session_history(session_id, owner))

    async def reconcilable(self, where: Filter, *, limit: int = DEFAULT_LIMIT) -> Sequence[Record]:
        return await self._read(lambda reader: reader.reconcilable(where, _clamp(limit)))

    async def records_by_hour(self, since: float | None) -> Mapping[int, int]:
        hour = -(2**31) if since is None else int(since // 3600)
        sql = "SELECT hour, records FROM stored_by_hour WHERE hour >= $1"
        rows = await self._connections.read(lambda connection: connection.fetch(sql, hour))
        return {row["hour"]: row["records"] for row in rows}

    async def describe(self) -> StoreFacts:
        place = self._connections.address.text
        return await self._connections.read(
            lambda connection: maintenance.describe(connection, place)
        )

    async def check(self) -> Sequence[str]:
        return await self._connections.read(maintenance.check)

    async def _read(self, question: Callable[[Reader], Awaitable[T]]) -> T:
        return await self._connections.read(
            lambda connection: question(Reader(connection, self._texts))
        )


class _StaleError(StoreError):
    """What this process remembers of the database is no longer there."""


def _clamp(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))
