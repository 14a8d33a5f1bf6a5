"""Stores the lines of a spool in the database, in batches, each exactly once.

The offset up to which a file is stored is written in the same transaction as its lines, so a
shipper that is killed continues where the database is. A complete file whose lines are all stored
is deleted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.ledger import spool_reader
from headway.ledger.spool import make_private
from headway.ledger.spool_reader import NO_ENTRY, Lines, ShipperLock, SpoolFile
from headway.ledger.store import Position, Store, StoreError
from headway.record import Entry, encode
from headway.types import Clock

BATCH_BYTES = 4 * 2**20
BATCH_LINES = 5000
"""The sums of a batch are written once, so large ones are cheaper a record."""
POLL_S = 0.1
STATUS_INTERVAL_S = 1.0
"""Of the file that says how the shipper is doing, where that has changed."""
STATUS_REPEAT_S = 10.0
"""Of the same file, where nothing has changed but the time in it."""
REPORT_INTERVAL_S = 60.0
"""Of the line in the log that says how much was stored."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 5.0
"""Between attempts to use a database that cannot be used."""
FAREWELL_S = 1.0
"""Time for which a database that cannot be used is tried, after the gateway is gone."""
DELETION_INTERVAL_S = 1.0
"""Of looking for files that can be deleted."""
FIRST_TASKS_S, TASKS_S = 10.0, 600.0
"""When retention and archive are due first, and how often then."""
STATUS_NAME = "status.json"
REJECTED_NAME = "rejected.txt"
"""A file in the spool's directory with the lines that cannot be stored."""

_log = logging.getLogger("headway.ledger")
PeriodicTask = Callable[[Store, float], Awaitable[None]]
"""Work on the database that is due now and then; is given Unix seconds."""


class ShipperStatus(Struct, frozen=True, kw_only=True):
    """The contents of ``status.json``."""

    pid: int
    updated: float
    """Unix seconds."""
    problem: str | None
    """Why nothing can be stored; None while it can."""
    failing_since: float | None
    stored: int
    """Records since the shipper started."""
    rejected: int
    """Lines that were neither stored nor empty."""
    unstored_bytes: int
    oldest: float | None
    """As in ``SpoolFacts``."""


class Batch(Struct):
    """What one transaction stores."""

    lines: list[bytes] = []
    positions: list[Position] = []
    is_full: bool = False
    """There may be more."""


class Shipper:
    """Ships the spool of ``directory`` to a database. Whoever calls ``ship`` or
    ``run`` holds the ``ShipperLock``."""

    def __init__(
        self,
        directory: str,
        store: Store | None = None,
        *,
        new_store: Callable[[], Store] | None = None,
        old_file: str | None = None,
        tasks: Sequence[PeriodicTask] = (),
        clock: Clock = time.monotonic,
        unix_time: Clock = time.time,
    ) -> None:
        """``store`` is open. Without it, or when it fails, ``run`` opens one that ``new_store``
        returns. ``old_file`` is the spool file of an earlier version."""
        self.stored = 0
        """New records."""
        self.rejected = 0
        self.problem: str | None = None
        self.failing_since: float | None = None
        self._directory = directory
        self._store = store
        self._new_store = new_store
        self._old_file = old_file
        self._tasks = tasks
        self._clock = clock
        self._unix_time = unix_time
        self._positions: dict[str, int] | None = None
        self._delete_at = 0.0
        self._status_at = self._status_due = 0.0
        self._status: ShipperStatus | None = None
        self._tasks_at = clock() + FIRST_TASKS_S
        self._report_at = clock() + REPORT_INTERVAL_S
        self._reported = 0
        self._failed_tasks: set[int] = set()

    # --- One pass ---------------------------------------------------------------------------------

    async def ship(self) -> int:
        """Store everything that is there now, delete complete files, and return the number of new
        records. Raises StoreError; what is stored until then stays."""
        before = self.stored
        while await self._ship_batch():
            pass
        if self._clock() >= self._delete_at:
            self._delete_at = self._clock() + DELETION_INTERVAL_S
            await self._delete_stored()
        return self.stored - before

    async def _ship_batch(self) -> bool:
        """Returns whether there may be more."""
        positions = await self._load_positions()
        batch = self._read_batch(positions)
        if not batch.positions:
            return False
        try:
            await self._store_batch(batch)
        except StoreError:
            self._positions = None  # the transaction may have been committed
            raise
        for position in batch.positions:
            positions[position.file] = position.offset
        return batch.is_full

    async def _store_batch(self, batch: Batch) -> None:
        """Lines that cannot be stored are put aside before the positions say that they are done
        with."""
        lines = Lines(batch.lines)
        try:
            self.stored += await self.store.add(lines, batch.positions)
        except StoreError:
            raise
        except Exception as error:
            if not isinstance(error, NO_ENTRY):
                _log.exception("the database refuses a line, which is looked for")
            entries, rejected = lines.separate()
            self._put_aside(rejected + await self._store_halves(entries))
            await self.store.add([], batch.positions)

    async def _store_halves(self, entries: Sequence[Entry]) -> list[bytes]:
        """Store what the database takes, and return the lines that it refuses. Raises
        StoreError."""
        try:
            self.stored += await self.store.add(entries)
        except StoreError:
            raise
        except Exception:  # was logged for the batch
            if len(entries) == 1:
                return [encode(entries[0]).rstrip(b"\n")]
            middle = len(entries) // 2
            refused = await self._store_halves(entries[:middle])
            return refused + await self._store_halves(entries[middle:])
        return []

    @property
    def store(self) -> Store:
        """The store in use. Raises StoreError where there is none."""
        if self._store is None:
            raise StoreError("the database is not open")
        return self._store

    async def _load_positions(self) -> dict[str, int]:
        if self._positions is None:
            self._positions = dict(await self.store.positions())
        return self._positions

    def _read_batch(self, positions: dict[str, int]) -> Batch:
        batch = Batch([], [])
        room = BATCH_BYTES
        for file in spool_reader.find_files(self._directory, self._old_file):
            offset = positions.get(file.name, 0)
            if offset == file.size:
                continue
            if offset > file.size:  # of another file that had this name
                offset = 0
            try:
                lines, behind = spool_reader.read_lines(file, offset, room)
            except FileNotFoundError:
                continue
            if behind == offset:
                continue
            batch.lines += lines
            batch.positions.append(Position(file.name, behind))
            batch.is_full |= offset + room < file.size
            room -= behind - offset
            if room < BATCH_BYTES // 4 or len(batch.lines) >= BATCH_LINES:
                batch.is_full = True
                break
        return batch

    def _put_aside(self, lines: Sequence[bytes]) -> None:
        """Keep lines that cannot be stored, for people to look at. Raises OSError."""
        if not lines:
            return
        self.rejected += len(lines)
        path = Path(self._directory) / REJECTED_NAME
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        _log.warning("%d lines of the spool are no records; they are in %s", len(lines), path)

    async def _delete_stored(self) -> None:
        """Delete files that are complete and stored, and forget their positions."""
        positions = await self._load_positions()
        deleted = [
            file.name
            for file in spool_reader.find_files(self._directory, self._old_file)
            if self._delete_if_stored(file, positions.get(file.name, 0))
        ]
        if deleted:
            for name in deleted:
                positions.pop(name, None)
            await self.store.forget_positions(deleted)

    def _delete_if_stored(self, file: SpoolFile, offset: int) -> bool:
        with spool_reader.locked(file.path) as size:
            if size is None or size != file.size:
                return False  # somebody writes it, or has written meanwhile
            if offset < size:
                rest = spool_reader.read_rest(file, offset)
                if b"\n" in rest or spool_reader.is_old_format(file):
                    return False
                self._put_aside([rest])  # a torn last line, which nobody completes
            elif not spool_reader.may_delete(file, offset, self._unix_time()):
                return False
            with suppress(FileNotFoundError):
                os.unlink(file.path)  # noqa: PTH108 - paths are strings here
        return True

    # --- The loop ---------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Ship until ``stop`` is set, and then what is left: for ``FAREWELL_S`` seconds where the
        database cannot be used. Does not raise StoreError."""
        spool_reader.delete_unfinished(self._directory)
        delay = FIRST_DELAY_S
        until: float | None = None
        while True:
            is_last = stop.is_set()
            if is_last and until is None:
                until = self._clock() + FAREWELL_S
            succeeded = await self._try_to_ship()
            self._write_status()
            if is_last and (succeeded or (until is not None and self._clock() >= until)):
                break
            if succeeded:
                delay = FIRST_DELAY_S
                await self._run_tasks()
                await _wait(stop, POLL_S)
            elif is_last:
                await asyncio.sleep(FIRST_DELAY_S)
            else:
                await _wait(stop, delay)
                delay = min(2 * delay, LONGEST_DELAY_S)
        self._delete_at = self._status_at = 0.0
        if self._store is not None:
            await self._try_to_ship()
        self._write_status()
        if self._new_store is not None:
            await self.close()

    async def _try_to_ship(self) -> bool:
        try:
            await self._open()
            await self.ship()
        except StoreError as error:
            await self.close()
            self._fail(str(error))
            return False
        except OSError as error:
            self._fail(f"the spool {self._directory}: {error.strerror or error}")
            return False
        if self.problem is not None:
            _log.warning("records are stored in the database again; nothing was lost")
            self.problem = self.failing_since = None
            self._status_at = 0.0
        self._report()
        return True

    async def _open(self) -> None:
        if self._store is None and self._new_store is not None:
            store = self._new_store()
            try:
                await store.open()
            except StoreError:
                await store.close()
                raise
            self._store = store

    async def close(self) -> None:
        """Close the store; ``run`` would open another one."""
        store, self._store, self._positions = self._store, None, None
        if store is not None:
            with suppress(StoreError):
                await store.close()

    def _fail(self, problem: str) -> None:
        if self.problem is None:
            self.failing_since = self._unix_time()
            self._status_at = 0.0
            _log.error(
                "records cannot be stored in the database, and stay in %s until they can: %s",
                self._directory,
                problem,
            )
        self.problem = problem

    def _report(self) -> None:
        now = self._clock()
        if now < self._report_at:
            return
        self._report_at = now + REPORT_INTERVAL_S
        count, self._reported = self.stored - self._reported, self.stored
        if count:
            _log.info("%d records were stored in %.0f s", count, REPORT_INTERVAL_S)

    async def _run_tasks(self) -> None:
        if self._clock() < self._tasks_at:
            return
        self._tasks_at = self._clock() + TASKS_S
        for number, task in enumerate(self._tasks):
            try:
                await task(self.store, self._unix_time())
            except Exception as error:
                if number not in self._failed_tasks:
                    _log.error("%s; it is tried again every %.0f s", error, TASKS_S)
                self._failed_tasks.add(number)
                return  # what is not archived is not deleted
            self._failed_tasks.discard(number)

    def _write_status(self) -> None:
        now = self._clock()
        if now < self._status_at:
            return
        self._status_at = now + STATUS_INTERVAL_S
        facts = spool_reader.describe_spool(self._directory, self._positions or {}, self._old_file)
        status = ShipperStatus(
            pid=os.getpid(),
            updated=self._unix_time(),
            problem=self.problem,
            failing_since=self.failing_since,
            stored=self.stored,
            rejected=self.rejected,
            unstored_bytes=facts.unstored_bytes,
            oldest=facts.oldest,
        )
        if now < self._status_due and replace(status, updated=0.0) == self._status:
            return
        self._status, self._status_due = replace(status, updated=0.0), now + STATUS_REPEAT_S
        path = Path(self._directory) / STATUS_NAME
        with suppress(OSError):  # a full disk; the status has a time
            new = path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(status) + b"\n")
            new.chmod(0o600)
            new.replace(path)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def read_status(directory: str) -> ShipperStatus | None:
    """None where no shipper has run, or none that this version understands."""
    try:
        data = (Path(directory) / STATUS_NAME).read_bytes()
        return msgspec.json.decode(data, type=ShipperStatus)
    except (OSError, msgspec.DecodeError):
        return None


async def ship_once(directory: str, store: Store, *, old_file: str | None = None) -> int | None:
    """Store everything that is in the spool now, for commands that run without a gateway; returns
    the number of new records. None, and nothing is done, where another process ships this spool.
    Raises StoreError, and OSError for a spool that cannot be read."""
    if not spool_reader.find_files(directory, old_file):
        return 0
    make_private(Path(directory))
    lock = ShipperLock(directory)
    if not lock.take():
        return None
    try:
        return await Shipper(directory, store, old_file=old_file).ship()
    finally:
        lock.release()
