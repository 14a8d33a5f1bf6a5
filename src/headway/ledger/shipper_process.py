"""Runs the shipper as a child process, for the gateway that writes the spool.

The child ends when its standard input does: when this process and all processes forked from it are
gone, for any reason, also ``kill -9``. It stores what is left first. Signals do not stop it.
"""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
import time

import msgspec
from msgspec import Struct

from headway.ledger.spool import list_files
from headway.ledger.spool_reader import is_shipper_running
from headway.types import Clock

MODULE = "headway.server.shipper_main"
LOCKED = 75
"""The exit code of a shipper that ends because another one ships the same spool."""
STOP_S = 5.0
"""Time that ``stop`` waits. A shipper with much to store continues by itself."""
SHORTEST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
"""Between two starts of a shipper that dies."""
LONG_LIFE_S = 60.0
"""A shipper that lived so long is restarted soon."""
UNASKED_S = 10.0
"""A shipper is started so long after the gateway, even if there is nothing to ship: what is old is
deleted and archived all the same."""

_log = logging.getLogger("headway.ledger")


class ShipperSettings(Struct, frozen=True, kw_only=True):
    """What the child needs, passed to it as JSON through a pipe: the URL may have a password."""

    url: str
    directory: str
    """The spool."""
    old_file: str | None = None
    """The spool file of an earlier version."""
    retention: float | None = None
    """Seconds, as in the configuration."""
    content_retention: float | None = None
    archive: str | None = None
    log_format: str = "text"
    log_level: int = logging.INFO


class ShipperProcess:
    """At most one child at a time. ``keep_running`` starts and restarts it; nothing here blocks
    but ``stop``."""

    def __init__(self, settings: ShipperSettings, clock: Clock = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lifeline: tuple[int, int] | None = None
        """The pipe whose end the child waits for. Children of ``os.fork`` hold it, too."""
        self._child: subprocess.Popen[bytes] | None = None
        self._started_at = math.inf
        self._unasked_at = clock() + UNASKED_S
        self._next_start = 0.0
        self._delay = SHORTEST_DELAY_S

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return None if self._child is None else self._child.pid

    def keep_running(self) -> None:
        """Start the child as soon as there is something to ship, and again if it has died. To be
        called each second."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self.on_exit(code)
        if self._clock() >= self._next_start and self._is_needed():
            self.start()

    def open_lifeline(self) -> int:
        """Create the pipe whose end the child waits for, before a fork whose child is to hold it,
        too. Returns the descriptor to read from."""
        if self._lifeline is None:
            self._lifeline = os.pipe()
        return self._lifeline[0]

    def start(self, delay_s: float = 0.0) -> None:
        """Start the child, which waits for ``delay_s`` seconds. An OSError is logged."""
        try:
            self._child = self._spawn(delay_s)
        except OSError as error:
            _log.error("the process that stores records cannot be started: %s", error.strerror)
            self._postpone()
            return
        self._started_at = self._clock() + delay_s

    def on_exit(self, code: int) -> float:
        """The child has exited with ``code``. Returns the seconds after which to start another
        one."""
        if self._child is not None:
            self._child.poll()  # it was waited for elsewhere, and need not be again
        self._child = None
        if self._clock() >= self._started_at + LONG_LIFE_S:
            self._delay = SHORTEST_DELAY_S
        if code != LOCKED:
            _log.error(
                "the process that stores records ended with exit code %d; another one is started, "
                "and nothing is lost",
                code,
            )
        return self._postpone()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Let the child store what is left, and wait until it has exited. One that has died is
        replaced for that. Idempotent."""
        if self._lifeline is None:
            return
        has_rest = self._finish(timeout_s) and self._has_files()
        if has_rest and not is_shipper_running(self._settings.directory):
            self.start()
            self._finish(timeout_s)

    def _finish(self, timeout_s: float) -> bool:
        """End the child. Returns whether there was none, or it had died."""
        for end in self._lifeline or ():
            os.close(end)
        self._lifeline = None
        child, self._child = self._child, None
        if child is None:
            return True
        try:
            return child.wait(timeout_s) != 0
        except subprocess.TimeoutExpired:
            _log.warning("records are still being stored, by process %d", child.pid)
            return False

    def _postpone(self) -> float:
        delay = self._delay
        self._next_start = self._clock() + delay
        self._delay = min(2 * delay, LONGEST_DELAY_S)
        return delay

    def _is_needed(self) -> bool:
        if not self._has_files() and self._clock() < self._unasked_at:
            return False
        return not is_shipper_running(self._settings.directory)

    def _has_files(self) -> bool:
        old_file = self._settings.old_file
        return any(list_files(self._settings.directory)) or (
            old_file is not None and os.path.exists(old_file)  # noqa: PTH110
        )

    def _spawn(self, delay_s: float) -> subprocess.Popen[bytes]:
        """In its own session, so that Ctrl-C does not stop it."""
        lifeline = self.open_lifeline()
        reading, writing = os.pipe()
        try:
            os.write(writing, msgspec.json.encode(self._settings))
            os.close(writing)
            return subprocess.Popen(  # noqa: S603 - no shell
                [sys.executable, "-m", MODULE, str(reading), str(delay_s)],
                stdin=lifeline,
                stdout=subprocess.DEVNULL,
                pass_fds=(reading,),
                start_new_session=True,
            )
        finally:
            os.close(reading)
