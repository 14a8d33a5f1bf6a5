"""One small request and its whole response, for tokens, metadata and lists of models."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from headway.errors import UpstreamError, UpstreamGarbled
from headway.ports import Transport
from headway.types import Headers, HttpRequest, Timeouts

LIMIT = 16 * 1024 * 1024


class Fetched(NamedTuple):
    status: int
    headers: Headers
    """Names in lower case."""
    body: bytes


async def fetch(
    transport: Transport, request: HttpRequest, timeouts: Timeouts, *, limit: int = LIMIT
) -> Fetched:
    """The response, of any status; redirects are not followed. Raises the UpstreamError that the
    transport reports, and UpstreamGarbled for a body of more than ``limit`` bytes. Cancelling
    closes the connection. Needs a running event loop, but no task."""
    collector = _ResponseCollector(asyncio.get_running_loop().create_future(), limit)
    pending = transport.send(request, timeouts, collector)
    try:
        return await collector.response
    finally:
        pending.cancel()  # no effect after the end


class _ResponseCollector:
    """A ``ports.ResponseReceiver`` that fills a future."""

    def __init__(self, response: asyncio.Future[Fetched], limit: int) -> None:
        self.response = response
        self._limit = limit
        self._size = self._status = 0
        self._headers: Headers = ()
        self._parts: list[bytes] = []

    def on_sent(self, now: float) -> None:
        """Not needed."""

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self._status, self._headers = status, headers

    def on_chunk(self, data: bytes, now: float) -> None:
        self._size += len(data)
        if self._size <= self._limit:
            self._parts.append(data)
        else:
            message = f"an answer of more than {self._limit} bytes came where a short one was due"
            self.on_error(UpstreamGarbled(message), now)

    def on_end(self, now: float) -> None:
        if not self.response.done():
            self.response.set_result(Fetched(self._status, self._headers, b"".join(self._parts)))

    def on_error(self, error: UpstreamError, now: float) -> None:
        if not self.response.done():
            self.response.set_exception(error)
