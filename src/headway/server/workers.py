"""Several processes at one address: started by fork, replaced when they exit.

The parent runs no event loop and no thread of its own, so it can fork safely; the children share
what it has imported. It holds every listening socket, so that no connection is lost when the
worker that would have accepted it dies: the replacement finds it waiting.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from headway.config import Config
from headway.ledger.shipper_process import ShipperProcess

log = logging.getLogger("headway")
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NOT_STARTED = 3
"""The exit code of docs/cli.md for a gateway that did not start."""
SHORT_LIFE_S = 1.0
"""A worker that exits within this time is replaced only after the same time."""
SHIPPER_DELAY_S = 0.5
"""The workers start first."""
MAX_FAILED_STARTS = 5
"""Workers in a row that exit within ``SHORT_LIFE_S``, while no other worker lives longer."""


class WorkerSlot(Struct, frozen=True):
    """The resources of one worker, which its replacement inherits."""

    listener: socket.socket
    shared: Path | None = None
    """A directory for what all workers share; None for a single worker."""
    lifeline: int | None = None
    """A descriptor that reaches end of file when the parent exits, for any reason."""


RunWorker = Callable[[Config, WorkerSlot], int]
"""Returns the worker's exit code."""
Reload = Callable[[Config], Config | None]
"""The configuration as its sources have it now; None, with the reason logged, if it is wrong."""


class Supervisor:
    """Keeps one child for each listener alive until a signal says to stop."""

    def __init__(
        self,
        config: Config,
        listeners: Sequence[socket.socket],
        run: RunWorker,
        reload: Reload,
        shared: Path,
        shipper: ShipperProcess | None = None,
    ) -> None:
        """``shipper`` stores what the workers record."""
        self._config = config
        self._shipper = shipper
        self._run = run
        self._reload = reload
        self._lifeline, self._held_end = os.pipe()
        self._slots = [WorkerSlot(listener, shared, self._lifeline) for listener in listeners]
        self._started: dict[int, tuple[WorkerSlot, float]] = {}
        """The worker's slot and its start time, by process id."""
        self._is_stopping = False
        self._failed_starts = 0
        self._exit_code = 0

    def serve(self) -> int:
        """Return the exit code when the last worker is gone."""
        gc.freeze()  # otherwise the first collection in each child would copy all shared pages
        gc.enable()
        for name in FORWARDED:
            signal.signal(name, self._forward)
        if self._shipper is not None:
            self._shipper.open_lifeline()  # the workers hold it, too: they may outlive this process
        for slot in self._slots:
            self._spawn(slot, 0.0)
        if self._shipper is not None:
            self._shipper.start(SHIPPER_DELAY_S)
        while self._started:
            pid, status = os.wait()
            if self._shipper is not None and pid == self._shipper.pid:
                self._restart_shipper(self._shipper, status)
            else:
                self._reap(pid, status)
        if self._shipper is not None:
            self._shipper.stop()
        os.close(self._lifeline)
        os.close(self._held_end)
        return self._exit_code

    def _spawn(self, slot: WorkerSlot, delay: float) -> None:
        """Signals are blocked until the child is registered: one in between would be handled in
        the child as if it were the parent, or be lost. Starts nothing after a signal to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        if not self._is_stopping:
            pid = os.fork()
            if pid == 0:
                self._become_worker(slot, delay)
            self._started[pid] = slot, time.monotonic() + delay
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)

    def _become_worker(self, slot: WorkerSlot, delay: float) -> None:
        """SIGHUP stays blocked until the server can act on it, so none is lost."""
        code = 1
        try:
            for name in FORWARDED:
                signal.signal(name, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
            time.sleep(delay)
            os.close(self._held_end)
            for other in self._slots:
                if other.listener is not slot.listener:
                    other.listener.close()
            code = self._run(self._config, slot)
        except Exception:
            log.exception("the worker failed")
        finally:
            os._exit(code)

    def _restart_shipper(self, shipper: ShipperProcess, status: int) -> None:
        """Also while the server is stopping: the last records are to be stored, too."""
        shipper.start(shipper.on_exit(os.waitstatus_to_exitcode(status)))

    def _reap(self, pid: int, status: int) -> None:
        """Replace a dead worker, unless the server is stopping."""
        slot, started = self._started.pop(pid)
        if self._is_stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        now = time.monotonic()
        is_short_lived = now - started < SHORT_LIFE_S
        self._failed_starts = self._failed_starts + 1 if is_short_lived else 0
        if self._failed_starts >= MAX_FAILED_STARTS and not self._has_settled_worker(now):
            self._give_up(pid, code)
            return
        log.error("worker %d ended with exit code %d; it is replaced", pid, code)
        self._spawn(slot, SHORT_LIFE_S if is_short_lived else 0.0)

    def _has_settled_worker(self, now: float) -> bool:
        return any(now - started >= SHORT_LIFE_S for _, started in self._started.values())

    def _give_up(self, pid: int, code: int) -> None:
        log.error(
            "worker %d ended with exit code %d; %d workers in a row ended while they started, so "
            "the server stops",
            pid,
            code,
            self._failed_starts,
        )
        self._exit_code = NOT_STARTED
        self._forward(signal.SIGTERM, None)

    def _forward(self, number: int, frame: object) -> None:
        if number != signal.SIGHUP:
            self._is_stopping = True
        elif (config := self._reload(self._config)) is None:
            return
        else:
            self._config = config
        for pid in list(self._started):
            os.kill(pid, number)


def supervise(
    config: Config,
    listeners: Sequence[socket.socket],
    run: RunWorker,
    reload: Reload,
    shipper: ShipperProcess | None = None,
) -> int:
    """Return the exit code when all workers are gone."""
    import shutil  # these imports are only needed for several processes
    import tempfile

    shared = Path(tempfile.mkdtemp(prefix="headway-"))
    parent = os.getpid()
    try:
        return Supervisor(config, listeners, run, reload, shared, shipper).serve()
    finally:
        if os.getpid() == parent:
            shutil.rmtree(shared, ignore_errors=True)
