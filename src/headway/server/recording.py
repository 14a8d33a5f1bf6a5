"""Keeps the records of one process going: the spool, the shipper, and what ``/health`` says."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Literal

from headway.ledger import shipper, spool
from headway.ledger.shipper_process import ShipperProcess
from headway.ledger.spool import FileSpool
from headway.ledger.spool_reader import is_shipper_running
from headway.pipeline.gateway import Gateway, LedgerHealth
from headway.types import Clock

INTERVAL_S = 1.0
STUCK_S = 60.0
"""Age of the status at which the shipper waits for the database: it writes one each ten seconds."""
GRACE_S = 30.0
"""Time that a shipper has to start."""
HELD_S, RETRY_S = 5.0, 0.1
"""The longest wait, before the end, for space for the records that are held in memory."""
_log = logging.getLogger("headway.ledger")


class Recording:
    """``shipper_process`` is None where another process runs the shipper."""

    def __init__(
        self,
        file_spool: FileSpool,
        shipper_process: ShipperProcess | None,
        *,
        refuses_on_failure: bool,
        syncs: bool,
        unix_time: Clock = time.time,
    ) -> None:
        """``syncs``: force what was written to the disk each second."""
        self.spool = file_spool
        self._shipper = shipper_process
        self._refuses = refuses_on_failure
        self._syncs = syncs
        self._unix_time = unix_time
        self._started = unix_time()
        self._sync_failed = False
        self._timer: asyncio.TimerHandle | None = None
        self._sync: asyncio.Future[None] | None = None

    def start(self, gateway: Gateway) -> None:
        """Inside the event loop that serves ``gateway``."""
        gateway.ledger_health = self.health
        if self._refuses:
            self.spool.on_change = lambda is_failing: setattr(gateway, "is_refusing", is_failing)
        if self._shipper is not None:
            self._shipper.open_lifeline()  # so that the number of descriptors does not change later
        self._tick(asyncio.get_running_loop())

    async def close(self) -> None:
        """After the last record. Waits until all of them are stored, for a while."""
        if self._timer is not None:
            self._timer.cancel()
        await self._write_held()
        self.spool.close()
        if self._sync is not None:
            await asyncio.wait([self._sync])
        if self._shipper is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._shipper.stop)

    async def _write_held(self) -> None:
        """On a full disk, the shipper makes space by storing the files that are there."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + HELD_S
        while self.spool.held and clock() < deadline:
            if self._shipper is not None:
                with suppress(OSError):
                    self._shipper.keep_running()
            await asyncio.sleep(RETRY_S)
            self.spool.maintain()

    def health(self) -> LedgerHealth:
        """Contains no reason: it is open to everyone, and a reason may have an address."""
        status = shipper.read_status(self.spool.directory)
        now = self._unix_time()
        store: Literal["ok", "failing", "not running"] = "ok"
        if is_shipper_running(self.spool.directory):
            is_stuck = status is not None and now > status.updated + STUCK_S
            store = "failing" if is_stuck or (status and status.problem) else "ok"
        elif now > self._started + GRACE_S and any(spool.list_files(self.spool.directory)):
            store = "not running"
        return LedgerHealth(
            spool="ok" if self.spool.problem is None else "failing",
            store=store,
            lost=self.spool.lost,
            held=self.spool.held,
            unstored_bytes=None if status is None else status.unstored_bytes,
        )

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(INTERVAL_S, self._tick, loop)
        self.spool.maintain()
        if self._syncs and (self._sync is None or self._sync.done()):
            self._start_sync(loop)
        if self._shipper is not None:
            with suppress(OSError):  # the spool says what is wrong with its directory
                self._shipper.keep_running()

    def _start_sync(self, loop: asyncio.AbstractEventLoop) -> None:
        fd = self.spool.take_unsynced()
        if fd is not None:
            self._sync = loop.run_in_executor(None, self._run_sync, fd)

    def _run_sync(self, fd: int) -> None:
        """In a thread."""
        try:
            spool.sync(fd)
        except OSError as error:
            if not self._sync_failed:
                _log.error("records cannot be forced to the disk: %s", error.strerror)
            self._sync_failed = True
        else:
            self._sync_failed = False
