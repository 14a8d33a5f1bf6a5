"""The HTTP client for upstreams, on the running event loop.

``send`` on a pooled connection is a dictionary look-up, one write and some attributes: no task, no
future, no timer. Responses are pushed to the receiver from the callback that read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from headway.errors import UpstreamDisconnected, UpstreamUnreachable
from headway.ports import ResponseReceiver
from headway.transport.connection_registry import ConnectionRegistry
from headway.transport.connector import Connector
from headway.transport.limits import Limits
from headway.transport.pending_request import PendingRequest
from headway.transport.pool import OriginStats, Pool
from headway.transport.proxy import ProxySettings
from headway.transport.request_head import REQUEST_WITH_BODY, HeaderPairs, encode, head_prefix
from headway.transport.route import OriginSettings, Routes
from headway.transport.timeouts import PeriodicTimer, TimeoutWatcher
from headway.transport.tls import TlsSettings
from headway.types import Clock, HttpRequest, Timeouts, Url

RequestKey = tuple[Url, HeaderPairs, str]
"""URL, headers, method: equal for all calls of one target, which differ in their bodies only."""
Prepared = tuple[Pool, bytes, bool]
"""The values that follow from a RequestKey: the pool, the head up to its content-length, whether it
is HEAD.
"""
MAX_PREPARED = 1024


class HttpTransport:
    """A ``ports.Transport``. Create and close it inside the same running event loop. ``origins``
    has settings for single origins, by their base URL: ValueError if one is not a URL. ``headers``
    are added to every request."""

    def __init__(
        self,
        clock: Clock,
        *,
        limits: Limits | None = None,
        tls: TlsSettings | None = None,
        proxies: ProxySettings | None = None,
        origins: Mapping[str, OriginSettings] | None = None,
        headers: HeaderPairs = (),
    ) -> None:
        self._clock = clock
        self._headers = headers
        self._limits = limits or Limits()
        self._routes = Routes(tls or TlsSettings(), proxies or ProxySettings(), origins or {})
        self._connector = Connector()
        self._registry = ConnectionRegistry()
        self._pools: dict[tuple[str, str, int], Pool] = {}
        self._prepared: dict[RequestKey, Prepared] = {}
        self._timeouts = TimeoutWatcher(clock, self._pools)
        self._timeout_timer = self._timeouts.timer
        interval = max(0.05, min(1.0, self._limits.idle_s / 4))
        self._idle_timer = PeriodicTimer(interval, self._close_idle)
        self._is_closed = False

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> PendingRequest:
        """See ``ports.Transport``. ``receiver.on_sent`` may come twice: if a pooled connection
        turns out to be closed, the request is sent once more on a new one. Raises InvalidField for
        a header or URL that HTTP cannot carry."""
        prepared = self._prepared.get((request.url, request.headers, request.method))
        pool, prefix, is_head = prepared or self._prepare(request)
        body = request.body
        if body:
            payload = REQUEST_WITH_BODY % (prefix, len(body), body)
        else:
            payload = encode(request, pool.is_forwarded, (*self._headers, *pool.proxy_headers))
        clock = self._clock
        pending = PendingRequest(pool, payload, is_head, timeouts, receiver, clock())
        if self._timeout_timer.is_running or self._start_timer(pending):
            pool.start(pending)
        return pending

    async def close(self) -> None:
        """Close every connection; returns when all sockets are closed. Requests in progress get
        ``on_error``, and so do later ones."""
        self._is_closed = True
        now = self._clock()
        for request in self._timeouts.requests():
            connection = request.connection
            if connection is not None:
                connection.close()
            text = f"the gateway is shutting down: the request to {request.owner.host} was given up"
            request.fail(UpstreamDisconnected(text, code="transport_closed"), now)
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._prepared.clear()
        self._registry.close_all()
        self._idle_timer.stop()
        self._timeout_timer.stop()
        await self._registry.wait_empty()

    @property
    def stats(self) -> tuple[OriginStats, ...]:
        """The counts of every origin that is in use or has open connections."""
        return tuple(pool.stats() for pool in self._pools.values())

    def _prepare(self, request: HttpRequest) -> Prepared:
        url = request.url
        pool = self._pools.get((url.scheme, url.host, url.port)) or self._open_pool(url)
        extra = (*self._headers, *pool.proxy_headers)
        prefix = head_prefix(request.method, url, request.headers, pool.is_forwarded, extra)
        prepared = pool, prefix, request.method == "HEAD"
        if not self._is_closed:
            if len(self._prepared) >= MAX_PREPARED:
                self._prepared.clear()
            self._prepared[url, request.headers, request.method] = prepared
        return prepared

    def _open_pool(self, url: Url) -> Pool:
        pool = Pool(
            self._routes.find(url), self._limits, self._clock, self._registry, self._connector.open
        )
        if not self._is_closed:
            self._pools[url.scheme, url.host, url.port] = pool
            self._idle_timer.start()
        return pool

    def _start_timer(self, request: PendingRequest) -> bool:
        """The timeout timer is not running: no request was in progress, or the transport is closed.
        False if it is closed; the request then fails a moment later."""
        if self._is_closed:
            asyncio.get_running_loop().call_soon(self._fail_closed, request)
        else:
            self._timeouts.start(request.started)
        return not self._is_closed

    def _fail_closed(self, request: PendingRequest) -> None:
        if not request.is_over:
            text = f"the transport is closed: nothing was sent to {request.owner.host}"
            request.fail(UpstreamUnreachable(text, code="transport_closed"), self._clock())

    def _close_idle(self) -> bool:
        """Close expired idle connections, and remove empty pools."""
        now = self._clock()
        for origin, pool in list(self._pools.items()):
            pool.close_expired(now)
            if pool.is_empty():
                del self._pools[origin]
                self._prepared.clear()  # it may refer to this pool
        return bool(self._pools)
