"""Deadlines of all requests under way, watched by one coarse timer in place of one each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from headway.types import Clock

if TYPE_CHECKING:
    from headway.transport.pool import Pool
    from headway.transport.sending import HttpSending

INTERVAL = 0.05
LATE = 4


class Ticker:
    """Calls ``tick`` every ``interval`` seconds for as long as it says that there is work."""

    __slots__ = ("_handle", "_interval", "_loop", "_tick", "is_running")

    def __init__(self, interval: float, tick: Callable[[], bool]) -> None:
        self._loop = asyncio.get_running_loop()
        self._interval = interval
        self._tick = tick
        self._handle: asyncio.TimerHandle | None = None
        self.is_running = False

    def start(self) -> None:
        if not self.is_running:
            self.is_running = True
            self._handle = self._loop.call_later(self._interval, self._run)

    def stop(self) -> None:
        self.is_running = False
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        # Set again before the work: an error in it must not end the watch over everyone else.
        self._handle = self._loop.call_later(self._interval, self._run)
        if not self._tick():
            self.stop()


class Deadlines:
    """Of the requests in ``pools``. A request costs nothing here but the look whether the ticker
    runs: the pools are asked who is under way, and only those are looked at closely of which a
    deadline could have passed."""

    __slots__ = ("_clock", "_pools", "_swept_at", "ticker")

    def __init__(self, clock: Clock, pools: Mapping[Any, Pool]) -> None:
        self._clock = clock
        self._pools = pools
        self._swept_at = clock()
        self.ticker = Ticker(INTERVAL, self._sweep)

    def start(self, now: float) -> None:
        """Something is under way. The ticker stops by itself when nothing is any more."""
        self._swept_at = now
        self.ticker.start()

    def watched(self) -> list[HttpSending]:
        return [sending for pool in self._pools.values() for sending in pool.under_way()]

    def _sweep(self) -> bool:
        now = self._clock()
        was_late = now - self._swept_at > LATE * INTERVAL
        self._swept_at = now
        watched = self.watched()
        # After a stall of our own the answers may be waiting in the kernel, unread: let them in.
        if not was_late:
            self._expire(watched, now)
        return bool(watched)

    def _expire(self, watched: list[HttpSending], now: float) -> None:
        due = [sending for sending in watched if sending.check_at <= now]
        for sending in due:
            code = None if sending.is_over else sending.check(now)
            if code is not None:
                sending.time_out(code, now)
