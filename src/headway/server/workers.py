"""Several processes behind one listening socket: started by fork, replaced when they die.

The parent runs no event loop and no thread of its own, so a fork of it is safe; what it has
imported its children share.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable

from headway.config import Config

log = logging.getLogger("headway")
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TOO_SOON_S = 1.0
"""A worker that dies younger than this is not replaced before that much time has passed."""

RunWorker = Callable[[Config, socket.socket], int]


class Supervisor:
    """Keeps ``config.server.workers`` children alive until it is told to stop."""

    def __init__(self, config: Config, listener: socket.socket, run: RunWorker) -> None:
        self._config = config
        self._listener = listener
        self._run = run
        self._born: dict[int, float] = {}
        self._is_stopping = False

    def serve(self) -> int:
        for name in FORWARDED:
            signal.signal(name, self._forward)
        for _ in range(self._config.server.workers):
            self._spawn()
        while self._born:
            try:
                pid, status = os.wait()
            except InterruptedError:  # pragma: no cover - PEP 475 retries for us
                continue
            self._bury(pid, status)
        return 0

    def _spawn(self) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_worker()
        self._born[pid] = time.monotonic()

    def _become_worker(self) -> None:
        for name in FORWARDED:
            signal.signal(name, signal.SIG_DFL)
        code = 1
        try:
            code = self._run(self._config, self._listener)
        finally:
            os._exit(code)

    def _bury(self, pid: int, status: int) -> None:
        age = time.monotonic() - self._born.pop(pid)
        if self._is_stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        log.error("worker %d ended with %d; another takes its place", pid, code)
        if age < TOO_SOON_S:
            time.sleep(TOO_SOON_S)
        if not self._is_stopping:
            self._spawn()

    def _forward(self, number: int, frame: object) -> None:
        if number != signal.SIGHUP:
            self._is_stopping = True
        for pid in list(self._born):
            os.kill(pid, number)


def supervise(config: Config, listener: socket.socket, run: RunWorker) -> int:
    return Supervisor(config, listener, run).serve()
