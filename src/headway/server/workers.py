"""Several processes behind one address: started by fork, replaced when they die.

The parent runs no event loop and no thread of its own, so a fork of it is safe; what it has
imported its children share. It holds every listening socket, so that no connection is lost with
the worker that would have taken it: the replacement finds it waiting.
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

log = logging.getLogger("headway")
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TOO_SOON_S = 1.0
"""A worker that dies younger than this is not replaced before that much time has passed."""


class Place(Struct, frozen=True):
    """What one worker is given; its replacement gets the same."""

    listener: socket.socket
    shared: Path | None = None
    """A directory for what all workers have in common; None: this one is alone."""
    lifeline: int | None = None
    """A descriptor that is at its end when the parent is gone, however it went."""


RunWorker = Callable[[Config, Place], int]
Reload = Callable[[Config], Config | None]
"""The configuration, read anew; None, with the reason in the log, if it cannot be."""


class Supervisor:
    """Keeps one child for each listener alive until it is told to stop."""

    def __init__(
        self,
        config: Config,
        listeners: Sequence[socket.socket],
        run: RunWorker,
        reload: Reload,
        shared: Path,
    ) -> None:
        self._config = config
        self._run = run
        self._reload = reload
        self._lifeline, self._held = os.pipe()
        self._places = [Place(listener, shared, self._lifeline) for listener in listeners]
        self._born: dict[int, tuple[Place, float]] = {}
        self._is_stopping = False

    def serve(self) -> int:
        """Until the last worker is gone."""
        gc.freeze()  # or each child's first collection would copy all pages that it shares with us
        gc.enable()
        for name in FORWARDED:
            signal.signal(name, self._forward)
        for place in self._places:
            self._spawn(place, 0.0)
        while self._born:
            pid, status = os.wait()
            self._bury(pid, status)
        os.close(self._lifeline)
        os.close(self._held)
        return 0

    def _spawn(self, place: Place, delay: float) -> None:
        """A signal in between would be handled in the child as if it were the parent, or miss it:
        it waits until the child is on the list."""
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        pid = os.fork()
        if pid == 0:
            self._become_worker(place, delay)
        self._born[pid] = place, time.monotonic() + delay
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)

    def _become_worker(self, place: Place, delay: float) -> None:
        """SIGHUP stays blocked until the server can act on it: none is lost."""
        code = 1
        try:
            for name in FORWARDED:
                signal.signal(name, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
            time.sleep(delay)
            os.close(self._held)
            for other in self._places:
                if other.listener is not place.listener:
                    other.listener.close()
            code = self._run(self._config, place)
        finally:
            os._exit(code)

    def _bury(self, pid: int, status: int) -> None:
        place, born = self._born.pop(pid)
        if self._is_stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        log.error("worker %d ended with %d; another takes its place", pid, code)
        is_too_soon = time.monotonic() - born < TOO_SOON_S
        self._spawn(place, TOO_SOON_S if is_too_soon else 0.0)

    def _forward(self, number: int, frame: object) -> None:
        if number != signal.SIGHUP:
            self._is_stopping = True
        elif (config := self._reload(self._config)) is None:
            return
        else:
            self._config = config
        for pid in list(self._born):
            os.kill(pid, number)


def supervise(
    config: Config, listeners: Sequence[socket.socket], run: RunWorker, reload: Reload
) -> int:
    """Returns the exit code when all workers are gone."""
    import shutil  # with what it brings, for several processes only
    import tempfile

    shared = Path(tempfile.mkdtemp(prefix="headway-"))
    parent = os.getpid()
    try:
        return Supervisor(config, listeners, run, reload, shared).serve()
    finally:
        if os.getpid() == parent:
            shutil.rmtree(shared, ignore_errors=True)
