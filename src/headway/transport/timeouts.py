"""Timeouts of all requests in progress, checked by one coarse timer instead of one timer each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from headway.transport.pending_request import PendingRequest
from headway.transport.pool import Pool
from headway.types import Clock

CHECK_INTERVAL_S = 0.05
STALL_FACTOR = 4
"""A check that comes later than this many intervals after the one before was held up by the event
loop itself."""


class PeriodicTimer:
    """Calls ``tick`` every ``interval`` seconds for as long as it returns True."""

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
        # Set again before the work: an exception in it must not stop the checks of all requests.
        self._handle = self._loop.call_later(self._interval, self._run)
        if not self._tick():
            self.stop()


class TimeoutWatcher:
    """Fails the requests of ``pools`` whose timeouts have expired. Starting a request only checks
    whether the timer runs: each check asks the pools for their requests, and examines only those
    with a timeout that may have expired (``check_at``)."""

    __slots__ = ("_clock", "_last_check", "_pools", "timer")

    def __init__(self, clock: Clock, pools: Mapping[Any, Pool]) -> None:
        self._clock = clock
        self._pools = pools
        self._last_check = clock()
        self.timer = PeriodicTimer(CHECK_INTERVAL_S, self._check)

    def start(self, now: float) -> None:
        """A request is in progress. The timer stops by itself when none is left."""
        self._last_check = now
        self.timer.start()

    def requests(self) -> list[PendingRequest]:
        """All requests in progress."""
        return [request for pool in self._pools.values() for request in pool.requests()]

    def _check(self) -> bool:
        """Whether any request is in progress."""
        now = self._clock()
        has_stalled = now - self._last_check > STALL_FACTOR * CHECK_INTERVAL_S
        self._last_check = now
        requests = self.requests()
        # After a stall of this process, responses may be waiting in the kernel: read them first.
        if not has_stalled:
            self._fail_expired(requests, now)
        return bool(requests)

    def _fail_expired(self, requests: list[PendingRequest], now: float) -> None:
        due = [request for request in requests if request.check_at <= now]
        for request in due:
            code = None if request.is_over else request.find_timeout(now)
            if code is not None:
                request.time_out(code, now)
