"""The upstream HTTP transport: ``send`` and all that stands behind it, on the running event loop.

``send`` on a pooled connection is a dictionary look-up, one write and some attributes: no task, no
future, no timer. Answers are pushed to the receiver from the callback that read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from headway.errors import UpstreamDisconnected, UpstreamUnreachable
from headway.ports import ResponseReceiver
from headway.transport.connector import Connector
from headway.transport.deadlines import Deadlines, Ticker
from headway.transport.head import WITH_BODY, Pairs, encode, head_prefix
from headway.transport.limits import Limits
from headway.transport.pool import OriginStats, Pool
from headway.transport.proxy import ProxySettings
from headway.transport.route import OriginSettings, Routes
from headway.transport.sending import HttpSending
from headway.transport.sockets import Sockets
from headway.transport.tls import TlsSettings
from headway.types import Clock, HttpRequest, Timeouts, Url

Kind = tuple[Url, Pairs, str]
"""What the calls of one target have in common: URL, headers, method."""
Known = tuple[Pool, bytes, bool]
"""What follows from it: the pool, the head up to its content-length, whether it is HEAD."""
KNOWN_CAP = 1024


class HttpTransport:
    """A ``ports.Transport``. Made inside a running event loop, and closed in it. ``origins`` says
    what single origins do otherwise, keyed by their base URL: ValueError if one is no URL."""

    def __init__(
        self,
        clock: Clock,
        *,
        limits: Limits | None = None,
        tls: TlsSettings | None = None,
        proxies: ProxySettings | None = None,
        origins: Mapping[str, OriginSettings] | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._routes = Routes(tls or TlsSettings(), proxies or ProxySettings(), origins or {})
        self._connector = Connector()
        self._sockets = Sockets()
        self._pools: dict[tuple[str, str, int], Pool] = {}
        self._known: dict[Kind, Known] = {}
        self._deadlines = Deadlines(clock, self._pools)
        self._ticker = self._deadlines.ticker
        self._reaper = Ticker(max(0.05, min(1.0, self._limits.idle_s / 4)), self._reap)
        self._is_closed = False

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> HttpSending:
        """See ``ports.Transport``. ``receiver.on_sent`` may come twice: a pooled connection that
        turns out to be closed is replaced by a fresh one, once. Raises InvalidField for a header
        or URL that HTTP cannot carry."""
        # The calls of one target differ in their bodies alone: the rest is found out once.
        known = self._known.get((request.url, request.headers, request.method))
        pool, prefix, is_head = known or self._learn(request)
        body = request.body
        if body:
            payload = WITH_BODY % (prefix, len(body), body)
        else:
            payload = encode(request, pool.is_forwarded, pool.proxy_headers)
        clock = self._clock
        sending = HttpSending(pool, payload, is_head, timeouts, receiver, clock())
        if self._ticker.is_running or self._wake(sending):
            pool.start(sending)
        return sending

    async def close(self) -> None:
        """Close every connection; returns when all sockets are. Requests under way get
        ``on_error``, and so do later ones."""
        self._is_closed = True
        now = self._clock()
        for sending in self._deadlines.watched():
            connection = sending.connection
            if connection is not None:
                connection.close()
            text = f"the gateway is shutting down: the request to {sending.pool.host} was given up"
            sending.fail(UpstreamDisconnected(text, code="transport_closed"), now)
        for pool in self._pools.values():
            pool.abandon()
        self._pools.clear()
        self._known.clear()
        self._sockets.close()
        self._reaper.stop()
        self._ticker.stop()
        await self._sockets.all_gone()

    @property
    def stats(self) -> tuple[OriginStats, ...]:
        """Of every origin that is in use or has connections left."""
        return tuple(pool.stats() for pool in self._pools.values())

    def _learn(self, request: HttpRequest) -> Known:
        url = request.url
        pool = self._pools.get((url.scheme, url.host, url.port)) or self._open_pool(url)
        prefix = head_prefix(
            request.method, url, request.headers, pool.is_forwarded, pool.proxy_headers
        )
        known = pool, prefix, request.method == "HEAD"
        if not self._is_closed:
            if len(self._known) >= KNOWN_CAP:
                self._known.clear()
            self._known[url, request.headers, request.method] = known
        return known

    def _open_pool(self, url: Url) -> Pool:
        pool = Pool(
            self._routes.find(url),
            self._limits,
            self._clock,
            self._sockets,
            self._connector.open,
        )
        if not self._is_closed:
            self._pools[url.scheme, url.host, url.port] = pool
            self._reaper.start()
        return pool

    def _wake(self, sending: HttpSending) -> bool:
        """Deadlines are not watched: nothing was under way, or this is closed. False if it is."""
        if self._is_closed:
            asyncio.get_running_loop().call_soon(self._turn_away, sending)
        else:
            self._deadlines.start(sending.started)
        return not self._is_closed

    def _turn_away(self, sending: HttpSending) -> None:
        if not sending.is_over:
            text = f"the transport is closed: nothing was sent to {sending.pool.host}"
            sending.fail(UpstreamUnreachable(text, code="transport_closed"), self._clock())

    def _reap(self) -> bool:
        """Idle connections past their time go, and pools with nothing in them."""
        now = self._clock()
        for place, pool in list(self._pools.items()):
            pool.expire(now)
            if pool.is_empty():
                del self._pools[place]
                self._known.clear()  # it may refer to this one
        return bool(self._pools)
