"""The connections to one origin: who waits, who is served, what is kept.

Pure bookkeeping but for what connects. A request takes the connection that was used last
(the least likely to have been closed), or waits while one is opened for it; whichever connection is
free first serves whoever waited longest.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from headway.errors import UpstreamError, UpstreamUnreachable
from headway.transport.connection import Connection
from headway.transport.limits import Limits
from headway.transport.route import Route
from headway.types import Clock

if TYPE_CHECKING:
    from headway.transport.sending import HttpSending
    from headway.transport.sockets import Sockets

Open = Callable[[Route, Connection], Awaitable[None]]


class OriginStats(Struct, frozen=True, kw_only=True):
    """Counts of one origin, at this moment."""

    origin: str
    open: int
    """Connections that are up: ``idle`` and ``active``."""
    idle: int
    active: int
    connecting: int
    waiting: int
    """Requests that have no connection yet."""


class Pool:
    """``open_connection`` connects a connection along a route, which that then is ``welcome``, or
    raises UpstreamError."""

    __slots__ = (
        "_connecting",
        "_idle",
        "_idle_cap",
        "_open",
        "_open_connection",
        "_waiting",
        "clock",
        "forwarder",
        "host",
        "is_forwarded",
        "limits",
        "proxy_headers",
        "route",
        "sockets",
    )

    def __init__(
        self,
        route: Route,
        limits: Limits,
        clock: Clock,
        sockets: Sockets,
        open_connection: Open,
    ) -> None:
        self.route = route
        self.host = route.host_shown
        self.limits = limits
        self.clock = clock
        self.sockets = sockets
        self.is_forwarded = route.is_forwarded
        self.forwarder = route.proxy.shown if route.proxy and route.is_forwarded else None
        self.proxy_headers = route.proxy.headers if route.proxy and route.is_forwarded else ()
        self._open_connection = open_connection
        self._idle: dict[Connection, None] = {}
        self._idle_cap = limits.idle_connections if limits.idle_s > 0 else 0
        self._open: set[Connection] = set()
        self._waiting: OrderedDict[HttpSending, None] = OrderedDict()
        self._connecting: dict[Connection, asyncio.Task[None]] = {}

    # --- Requests ------------------------------------------------------------------------------

    def start(self, sending: HttpSending) -> None:
        """Send it on an idle connection in this very call, or line it up."""
        idle = self._idle
        while idle:
            connection, _ = idle.popitem()
            if connection.expires_at > sending.started:
                connection.start(sending)
                return
            connection.close()
        self._waiting[sending] = None
        self._dial()

    def retry(self, sending: HttpSending, now: float) -> None:
        """Its connection had been closed before it was used: it goes first, on a fresh one."""
        sending.was_retried = True
        sending.connection = None
        sending.waiting_since = now
        sending.check_at = 0.0
        self._waiting[sending] = None
        self._waiting.move_to_end(sending, last=False)
        self._dial()

    def withdraw(self, sending: HttpSending, is_stuck: bool = False) -> None:
        """It waits no longer. A connection that was being opened for it is given up: the oldest
        one if it took too long, else the one begun last."""
        self._waiting.pop(sending, None)
        connecting = self._connecting
        if len(connecting) > len(self._waiting):
            given_up = next(iter(connecting)) if is_stuck else next(reversed(connecting))
            connecting.pop(given_up).cancel()

    def under_way(self) -> list[HttpSending]:
        """All that are not over: those who are served, those who wait."""
        served = [held.sending for held in self._open]
        return [*filter(None, served), *self._waiting]

    def is_exhausted(self) -> bool:
        return len(self._open) >= self.limits.connections

    # --- Connections ---------------------------------------------------------------------------

    def release(self, connection: Connection, now: float) -> None:
        """Its exchange is over and it can serve again."""
        if (
            self._waiting
            or connection.keep_alive_s is not None
            or len(self._idle) >= self._idle_cap
        ):
            self._place(connection, now)
            return
        connection.expires_at = now + self.limits.idle_s
        self._idle[connection] = None

    def _place(self, connection: Connection, now: float) -> None:
        """Whatever may become of it: it serves who waits, is kept for as long as was promised, or
        is one too many."""
        for sending in self._waiting:
            if not sending.was_retried:
                del self._waiting[sending]
                self._serve(connection, sending)
                return
        lifetime = self._lifetime(connection.keep_alive_s)
        if lifetime <= 0 or len(self._idle) >= self._idle_cap:
            connection.close()
            return
        connection.expires_at = now + lifetime
        self._idle[connection] = None

    def forget(self, connection: Connection) -> None:
        """It is closed, or about to be."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        if self._waiting:
            self._dial()

    def expire(self, now: float) -> None:
        for connection in [held for held in self._idle if held.expires_at <= now]:
            connection.close()

    def is_empty(self) -> bool:
        return not (self._open or self._waiting or self._connecting)

    def stats(self) -> OriginStats:
        return OriginStats(
            origin=self.route.shown,
            open=len(self._open),
            idle=len(self._idle),
            active=len(self._open) - len(self._idle),
            connecting=len(self._connecting),
            waiting=len(self._waiting),
        )

    def abandon(self) -> None:
        """Close everything. Those who wait were told before."""
        self._waiting.clear()
        for task in self._connecting.values():
            task.cancel()
        self._connecting.clear()
        for connection in list(self._open):
            connection.close()

    def _lifetime(self, promised: float | None) -> float:
        """Somewhat less than the upstream promised: our clock starts later than its own."""
        if promised is None:
            return self.limits.idle_s
        return min(self.limits.idle_s, promised - min(1.0, promised / 2))

    # --- Connecting ----------------------------------------------------------------------------

    def _dial(self) -> None:
        """As many attempts to connect as there are requests waiting, within the cap."""
        connecting, waiting = self._connecting, self._waiting
        while len(connecting) < len(waiting) and self._has_room():
            connection = Connection(self)
            connecting[connection] = self.sockets.spawn(self._connect(connection))

    def _has_room(self) -> bool:
        return len(self._open) + len(self._connecting) < self.limits.connections

    async def _connect(self, connection: Connection) -> None:
        try:
            await self._open_connection(self.route, connection)
        except UpstreamError as error:
            self._refuse(connection, error)
        except Exception as error:  # a defect, but whoever waits must hear of it
            text = f"connecting to {self.host} failed: {type(error).__name__}: {error}"
            self._refuse(connection, UpstreamUnreachable(text, code="unreachable"))

    def welcome(self, connection: Connection) -> None:
        """It is connected: whoever waited longest has it, in this very call."""
        self._connecting.pop(connection, None)
        self._open.add(connection)
        if not self._waiting:
            connection.expires_at = self.clock() + self.limits.idle_s
            self._idle[connection] = None
            return
        sending, _ = self._waiting.popitem(last=False)
        self._serve(connection, sending)

    def _serve(self, connection: Connection, sending: HttpSending) -> None:
        """One that has waited, and may have been paused in the meantime."""
        if sending.is_paused:
            connection.pause_reading()
        connection.start(sending)

    def _refuse(self, connection: Connection, error: UpstreamError) -> None:
        """Nothing came of one attempt: it fails whoever waited longest, unless enough other
        attempts are still going on."""
        self._connecting.pop(connection, None)
        if len(self._waiting) > len(self._connecting):
            sending, _ = self._waiting.popitem(last=False)
            sending.fail(error, self.clock())
        self._dial()
