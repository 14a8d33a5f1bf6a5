"""Deadlines of all requests under way, watched by one coarse timer in place of one each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from headway.transport.sending import HttpSending
from headway.types import Clock

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
    """The requests under way. Adding one costs a set's insertion; the timer runs only while there
    are any, and looks closely only at those of which a deadline could have passed."""

    __slots__ = ("_active", "_clock", "_swept_at", "ticker")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: set[HttpSending] = set()
        self._swept_at = clock()
        self.ticker = Ticker(INTERVAL, self._sweep)

    def add(self, sending: HttpSending) -> None:
        self._active.add(sending)
        if not self.ticker.is_running:
            self._swept_at = sending.started
            self.ticker.start()

    def discard(self, sending: HttpSending) -> None:
        self._active.discard(sending)

    def __iter__(self) -> Iterator[HttpSending]:
        return iter(list(self._active))

    def _sweep(self) -> bool:
        now = self._clock()
        was_late = now - self._swept_at > LATE * INTERVAL
        self._swept_at = now
        # After a stall of our own the answers may be waiting in the kernel, unread: let them in.
        if not was_late:
            self._expire(now)
        return bool(self._active)

    def _expire(self, now: float) -> None:
        due = [sending for sending in self._active if sending.check_at <= now]
        for sending in due:
            code = None if sending.is_over else sending.check(now)
            if code is not None:
                sending.time_out(code, now)
