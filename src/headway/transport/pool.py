"""The connections to one origin, and the requests that wait for one.

A request takes the idle connection that was used last, since it is the least likely to have been
closed by the upstream. If none is idle, the request waits while a connection is opened for it;
whichever connection is free first serves the request that has waited longest.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from msgspec import Struct

from headway.errors import UpstreamError, UpstreamUnreachable
from headway.transport.connection import Connection
from headway.transport.connection_registry import ConnectionRegistry
from headway.transport.limits import Limits
from headway.transport.pending_request import PendingRequest
from headway.transport.route import Route
from headway.types import Clock

OpenConnection = Callable[[Route, Connection], Awaitable[None]]


class OriginStats(Struct, frozen=True, kw_only=True):
    """Counts of one origin, at this moment."""

    origin: str
    open: int
    """Connected: ``idle`` and ``active``."""
    idle: int
    active: int
    connecting: int
    waiting: int
    """Requests that have no connection yet."""


class Pool:
    """``open_connection`` connects a connection along a route, which then calls ``on_connected``;
    or it raises UpstreamError."""

    __slots__ = (
        "_connecting",
        "_idle",
        "_max_idle",
        "_open",
        "_open_connection",
        "_waiting",
        "clock",
        "forwarding_proxy",
        "host",
        "is_forwarded",
        "limits",
        "proxy_headers",
        "registry",
        "route",
    )

    def __init__(
        self,
        route: Route,
        limits: Limits,
        clock: Clock,
        registry: ConnectionRegistry,
        open_connection: OpenConnection,
    ) -> None:
        self.route = route
        self.host = route.display_host
        self.limits = limits
        self.clock = clock
        self.registry = registry
        self.is_forwarded = route.is_forwarded
        proxy = route.proxy if route.is_forwarded else None
        self.forwarding_proxy = proxy.display_url if proxy else None
        self.proxy_headers = proxy.headers if proxy else ()
        self._open_connection = open_connection
        self._idle: dict[Connection, None] = {}
        self._max_idle = limits.idle_connections if limits.idle_s > 0 else 0
        self._open: set[Connection] = set()
        self._waiting: OrderedDict[PendingRequest, None] = OrderedDict()
        self._connecting: dict[Connection, asyncio.Task[None]] = {}

    # --- Requests ------------------------------------------------------------------------------

    def start(self, request: PendingRequest) -> None:
        """Send the request on an idle connection in this call, or queue it."""
        idle = self._idle
        while idle:
            connection, _ = idle.popitem()
            if connection.expires_at > request.started:
                connection.send(request)
                return
            connection.close()
        self._waiting[request] = None
        self._open_connections()

    def retry(self, request: PendingRequest, now: float) -> None:
        """The upstream had closed the reused connection of the request: it is sent next, on a new
        connection."""
        request.was_retried = True
        request.connection = None
        request.waiting_since = now
        request.check_at = 0.0
        self._waiting[request] = None
        self._waiting.move_to_end(request, last=False)
        self._open_connections()

    def cancel_waiting(self, request: PendingRequest, is_stuck: bool = False) -> None:
        """The request no longer waits. If more connections are being opened than requests wait,
        cancel one: the oldest if the request timed out (``is_stuck``), else the newest."""
        self._waiting.pop(request, None)
        connecting = self._connecting
        if len(connecting) > len(self._waiting):
            cancelled = next(iter(connecting)) if is_stuck else next(reversed(connecting))
            connecting.pop(cancelled).cancel()

    def requests(self) -> list[PendingRequest]:
        """All requests in progress: those with a connection, then the waiting ones."""
        served = [connection.request for connection in self._open]
        return [*filter(None, served), *self._waiting]

    def is_exhausted(self) -> bool:
        return len(self._open) >= self.limits.connections

    # --- Connections ---------------------------------------------------------------------------

    def release(self, connection: Connection, now: float) -> None:
        """The response of ``connection`` is complete: the connection can be used again."""
        if (
            self._waiting
            or connection.keep_alive_s is not None
            or len(self._idle) >= self._max_idle
        ):
            self._assign(connection, now)
            return
        connection.expires_at = now + self.limits.idle_s
        self._idle[connection] = None

    def _assign(self, connection: Connection, now: float) -> None:
        """Use the connection for a waiting request, keep it for as long as the upstream promised,
        or close it if there are enough. A request that is retried needs a new connection."""
        for request in self._waiting:
            if not request.was_retried:
                del self._waiting[request]
                self._serve(connection, request)
                return
        idle_time = self._idle_time(connection.keep_alive_s)
        if idle_time <= 0 or len(self._idle) >= self._max_idle:
            connection.close()
            return
        connection.expires_at = now + idle_time
        self._idle[connection] = None

    def remove(self, connection: Connection) -> None:
        """``connection`` is closed, or about to be closed."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        if self._waiting:
            self._open_connections()

    def close_expired(self, now: float) -> None:
        """Close the expired idle connections."""
        for connection in [held for held in self._idle if held.expires_at <= now]:
            connection.close()

    def is_empty(self) -> bool:
        return not (self._open or self._waiting or self._connecting)

    def stats(self) -> OriginStats:
        return OriginStats(
            origin=self.route.display_url,
            open=len(self._open),
            idle=len(self._idle),
            active=len(self._open) - len(self._idle),
            connecting=len(self._connecting),
            waiting=len(self._waiting),
        )

    def close(self) -> None:
        """Close every connection. The waiting requests must have failed before."""
        self._waiting.clear()
        for task in self._connecting.values():
            task.cancel()
        self._connecting.clear()
        for connection in list(self._open):
            connection.close()

    def _idle_time(self, promised: float | None) -> float:
        """Seconds. Somewhat less than the upstream promised: our clock starts later than its."""
        if promised is None:
            return self.limits.idle_s
        return min(self.limits.idle_s, promised - min(1.0, promised / 2))

    # --- Connecting ----------------------------------------------------------------------------

    def _open_connections(self) -> None:
        """Open a connection for each waiting request, within the limit."""
        connecting, waiting = self._connecting, self._waiting
        while len(connecting) < len(waiting) and self._has_room():
            connection = Connection(self)
            connecting[connection] = self.registry.start_task(self._connect(connection))

    def _has_room(self) -> bool:
        return len(self._open) + len(self._connecting) < self.limits.connections

    async def _connect(self, connection: Connection) -> None:
        try:
            await self._open_connection(self.route, connection)
        except UpstreamError as error:
            self._on_connect_failed(connection, error)
        except Exception as error:  # a defect in the gateway, but the waiting request must fail
            text = f"connecting to {self.host} failed: {type(error).__name__}: {error}"
            self._on_connect_failed(connection, UpstreamUnreachable(text, code="unreachable"))

    def on_connected(self, connection: Connection) -> None:
        """The request that has waited longest is sent on it, in this call."""
        self._connecting.pop(connection, None)
        self._open.add(connection)
        if not self._waiting:
            connection.expires_at = self.clock() + self.limits.idle_s
            self._idle[connection] = None
            return
        request, _ = self._waiting.popitem(last=False)
        self._serve(connection, request)

    def _serve(self, connection: Connection, request: PendingRequest) -> None:
        """Send a request that has waited, and may have been paused in the meantime."""
        if request.is_paused:
            connection.pause_reading()
        connection.send(request)

    def _on_connect_failed(self, connection: Connection, error: UpstreamError) -> None:
        """Fail the request that has waited longest, unless enough other attempts are going on."""
        self._connecting.pop(connection, None)
        if len(self._waiting) > len(self._connecting):
            request, _ = self._waiting.popitem(last=False)
            request.fail(error, self.clock())
        self._open_connections()
