"""The upstream HTTP transport: ``send`` and all that stands behind it, on the running event loop.

``send`` on a pooled connection is a dictionary look-up, one write and some attributes: no task, no
future, no timer. Answers are pushed to the receiver from the callback that read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from headway.errors import UpstreamDisconnected, UpstreamUnreachable
from headway.ports import Receiver
from headway.transport.connect import Connector
from headway.transport.deadlines import Deadlines, Ticker
from headway.transport.head import encode
from headway.transport.limits import Limits
from headway.transport.pool import OriginStats, Pool
from headway.transport.proxy import ProxySettings
from headway.transport.route import OriginSettings, Routes
from headway.transport.sending import HttpSending
from headway.transport.sockets import Sockets
from headway.transport.tls import TlsSettings
from headway.types import Clock, HttpRequest, Timeouts, Url


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
        self._deadlines = Deadlines(clock)
        self._pools: dict[tuple[str, str, int], Pool] = {}
        self._reaper = Ticker(max(0.05, min(1.0, self._limits.idle_s / 4)), self._reap)
        self._is_closed = False

    def send(self, request: HttpRequest, timeouts: Timeouts, receiver: Receiver) -> HttpSending:
        """See ``ports.Transport``. ``receiver.on_sent`` may come twice: a pooled connection that
        turns out to be closed is replaced by a fresh one, once. Raises InvalidField for a header
        or URL that HTTP cannot carry."""
        url = request.url
        pool = self._pools.get((url.scheme, url.host, url.port))
        if pool is None:
            pool = self._open_pool(url)
        payload = encode(request, pool.is_forwarded, pool.proxy_headers)
        is_head = request.method == "HEAD"
        sending = HttpSending(pool, payload, is_head, timeouts, receiver, self._clock())
        if self._is_closed:
            asyncio.get_running_loop().call_soon(self._turn_away, sending)
            return sending
        self._deadlines.add(sending)
        pool.start(sending)
        return sending

    async def close(self) -> None:
        """Close every connection; returns when all sockets are. Requests under way get
        ``on_error``, and so do later ones."""
        self._is_closed = True
        now = self._clock()
        for sending in self._deadlines:
            connection = sending.connection
            if connection is not None:
                connection.close()
            text = f"the gateway is shutting down: the request to {sending.pool.host} was given up"
            sending.fail(UpstreamDisconnected(text, code="transport_closed"), now)
        for pool in self._pools.values():
            pool.abandon()
        self._pools.clear()
        self._sockets.close()
        self._reaper.stop()
        self._deadlines.ticker.stop()
        await self._sockets.all_gone()

    @property
    def stats(self) -> tuple[OriginStats, ...]:
        """Of every origin that is in use or has connections left."""
        return tuple(pool.stats() for pool in self._pools.values())

    def _open_pool(self, url: Url) -> Pool:
        pool = Pool(
            self._routes.find(url),
            self._limits,
            self._clock,
            self._deadlines,
            self._sockets,
            self._connector.open,
        )
        if not self._is_closed:
            self._pools[url.scheme, url.host, url.port] = pool
            self._reaper.start()
        return pool

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
        return bool(self._pools)
