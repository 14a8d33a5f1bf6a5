"""The child process that stores records: ``python -m headway.server.shipper_main FD DELAY``.

Its settings come as JSON from the descriptor FD. It imports no server and no provider.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from headway.ledger.shipper import PeriodicTask, Shipper
from headway.ledger.shipper_process import LOCKED, ShipperSettings
from headway.ledger.spool import make_private
from headway.ledger.spool_reader import ShipperLock
from headway.ledger.store import Store
from headway.ledger.stores import new_store
from headway.server.log_format import FORMATS, LineFormatter

LOCK_WAIT_S = 5.0
"""Time for which the shipper of a gateway that was killed may still store the rest."""
LOCK_POLL_S = 0.1
NICENESS = 5
"""Requests come first."""

_log = logging.getLogger("headway.ledger")


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of standard input says when to stop
    with open(int(arguments[0]), "rb") as pipe:  # noqa: PTH123 - a descriptor
        settings = msgspec.json.decode(pipe.read(), type=ShipperSettings)
    _configure_log(settings)
    with suppress(OSError):
        os.nice(NICENESS)
    time.sleep(float(arguments[1]))
    return asyncio.run(_run(settings))


async def _run(settings: ShipperSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(0, _on_input, loop, stop)
    make_private(Path(settings.directory))
    lock = ShipperLock(settings.directory)
    if not await _take(lock, stop):
        return LOCKED
    shipper = Shipper(
        settings.directory,
        new_store=partial(new_store, settings.url),
        old_file=settings.old_file,
        tasks=_tasks(settings),
    )
    try:
        await shipper.run(stop)
    finally:
        await shipper.close()
        lock.release()
    return 0


def _on_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(0, 1):
        loop.remove_reader(0)
        stop.set()


async def _take(lock: ShipperLock, stop: asyncio.Event) -> bool:
    until = time.monotonic() + LOCK_WAIT_S
    while not lock.take():
        if time.monotonic() >= until or stop.is_set():
            return False
        await asyncio.sleep(LOCK_POLL_S)
    return True


def _tasks(settings: ShipperSettings) -> list[PeriodicTask]:
    """In the order in which they are done: what is not archived is not deleted."""
    tasks: list[PeriodicTask] = []
    if settings.archive is not None:
        tasks.append(_archiving(settings.archive))
    if settings.retention is not None or settings.content_retention is not None:
        tasks.append(_pruning(settings))
    return [*tasks, maintain]


async def maintain(store: Store, now: float) -> None:
    await store.maintain(now)


def _archiving(address: str) -> PeriodicTask:
    """The archiver of a store remembers what it has done."""
    from headway.ledger.archive import Archiver  # pyarrow, for those who need it

    archivers: dict[Store, Archiver] = {}

    async def archive(store: Store, now: float) -> None:
        if store not in archivers:
            archivers.clear()
            archivers[store] = Archiver(store, address)
        done = await archivers[store].run_due(now)
        if done.records:
            _log.info(
                "%d records were archived in %d files of %d bytes",
                done.records,
                done.files,
                done.bytes,
            )

    return archive


def _pruning(settings: ShipperSettings) -> PeriodicTask:
    async def prune(store: Store, now: float) -> None:
        records, content = (
            None if age is None else now - age
            for age in (settings.retention, settings.content_retention)
        )
        deleted = await store.prune(records, content)
        if deleted.records or deleted.contents:
            _log.info(
                "%d records and the content of %d calls were deleted, as ledger.retention says",
                deleted.records,
                deleted.contents,
            )

    return prune


def _configure_log(settings: ShipperSettings) -> None:
    """Log to stderr as the gateway does."""
    handler = logging.StreamHandler()
    is_debug = settings.log_level <= logging.DEBUG
    formatter = LineFormatter(FORMATS[settings.log_format], shows_messages=is_debug)
    handler.setFormatter(formatter)
    logging.raiseExceptions = False  # nobody may read what it says
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(max(settings.log_level, logging.WARNING))
    logging.getLogger("headway").setLevel(settings.log_level)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
