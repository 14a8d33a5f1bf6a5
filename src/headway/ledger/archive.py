"""The archive: the records of past hours as Parquet files, for tools that read those.

The files are the only memory of what was archived: a part's name has the number of its rows, and
the ids in it tell what a later part must leave out. So a record is in one part, whatever process
died in between, and records that reach the database late get a part of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Sequence
from tempfile import SpooledTemporaryFile

from msgspec import Struct

from headway.ledger.archive_files import (
    HOUR_S,
    DamagedPartError,
    Part,
    Place,
    open_place,
    part_path,
)
from headway.ledger.parquet import ParquetEncoder, require_pyarrow
from headway.ledger.store import MAX_LIMIT, Filter, Store, StoreFacts
from headway.record import Record

MARGIN_S = 600.0
"""Time after the end of an hour for its last records to reach the database."""
LATE_S = 7 * 24 * 3600.0
"""How far back each run looks for late records. The first run of a process looks at all hours."""
TASK = "archive"
_IN_MEMORY_BYTES = 16 * 1024 * 1024
_DIGEST_DIGITS = 12
_SOURCE_DIGITS = 8


class ArchiveError(Exception):
    """The archive cannot be written now; the message says why and what to do."""


class Archived(Struct, frozen=True):
    """What one run added."""

    files: int = 0
    records: int = 0
    bytes: int = 0


class Archiver:
    """Copies the records of ``store`` to ``address``: an absolute directory, or
    ``s3://bucket/prefix`` with credentials, region and endpoint from AWS's environment variables
    and files. Raises MissingLibraryError when it is created without pyarrow."""

    def __init__(self, store: Store, address: str, *, margin_s: float = MARGIN_S) -> None:
        require_pyarrow()
        self._store = store
        self._address = address
        self._margin_s = margin_s
        self._place: Place | None = None
        self._source = ""
        self._done: dict[int, int] = {}
        """Hour -> the number of its records when it was last complete."""
        self._has_looked_at_all = False

    async def run_due(self, now: float) -> Archived:
        """Archive every hour that ended ``margin_s`` before ``now`` and has records that are not in
        the archive. ``now`` is Unix seconds; where entries wait to be stored, the time of the
        oldest of them. Does nothing while another gateway on the same database does it. Raises
        ArchiveError and StoreError; what was done until then stays."""
        async with self._store.exclusively(TASK) as is_alone:
            if not is_alone:
                return Archived()
            try:
                return await self._run(now)
            except OSError as error:
                raise ArchiveError(f"cannot archive to {self._address}: {error}") from error

    async def _run(self, now: float) -> Archived:
        place = self._place
        if place is None:
            place = self._place = await asyncio.to_thread(open_place, self._address)
            self._source = _source_of(await self._store.describe())
        end = int((now - self._margin_s) // HOUR_S)
        """The first hour that is not closed."""
        since = now - LATE_S if self._has_looked_at_all else None
        counts = await self._store.records_by_hour(since)
        total = Archived()
        parts: dict[int, Sequence[Part]] = {}
        damage: DamagedPartError | None = None
        for hour in sorted(hour for hour in counts if hour < end):
            if counts[hour] == self._done.get(hour):
                continue
            day = hour // 24
            if day not in parts:
                parts = {day: await asyncio.to_thread(place.parts, hour)}
            try:
                added = await self._archive(hour, counts[hour], place, parts[day])
            except DamagedPartError as error:  # the other hours do not wait for its repair
                damage = error
                continue
            self._done[hour] = counts[hour]
            total = Archived(*(a + b for a, b in zip(_sizes(total), _sizes(added), strict=True)))
        if damage is not None:
            raise damage
        self._has_looked_at_all = True
        return total

    async def _archive(
        self, hour: int, count: int, place: Place, parts: Sequence[Part]
    ) -> Archived:
        parts = [part for part in parts if part.hour == hour]
        if sum(part.rows for part in parts if part.source == self._source) == count:
            return Archived()
        known = await asyncio.to_thread(_ids, place, parts)
        encoder, digest = ParquetEncoder(), hashlib.sha256()
        with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            async for page in self._records(hour):
                new = [record for record in page if record.id not in known]
                digest.update("".join(record.id for record in new).encode())
                file.write(await asyncio.to_thread(encoder.add, new))
            if not encoder.rows:
                return Archived()
            file.write(await asyncio.to_thread(encoder.finish))
            size = file.tell()
            file.seek(0)
            name = digest.hexdigest()[:_DIGEST_DIGITS]
            path = part_path(hour, self._source, name, encoder.rows)
            await asyncio.to_thread(place.put, path, file)
        return Archived(1, encoder.rows, size)

    async def _records(self, hour: int) -> AsyncIterator[Sequence[Record]]:
        """Pages of all records that ended in one hour."""
        where = Filter(since=hour * HOUR_S, until=(hour + 1) * HOUR_S)
        cursor = None
        while True:
            page, cursor = await self._store.attempts(where, limit=MAX_LIMIT, cursor=cursor)
            yield page
            if cursor is None:
                return


def _ids(place: Place, parts: Sequence[Part]) -> set[str]:
    return {record_id for part in parts for record_id in place.ids(part)}


def _sizes(archived: Archived) -> tuple[int, int, int]:
    return archived.files, archived.records, archived.bytes


def _source_of(facts: StoreFacts) -> str:
    """Different for each database, also for files of one name on different machines."""
    host = socket.gethostname() if facts.kind == "sqlite" else ""
    text = f"{facts.kind} {facts.place} {host}"
    return hashlib.sha256(text.encode()).hexdigest()[:_SOURCE_DIGITS]
