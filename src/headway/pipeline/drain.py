"""Read the rest of a response whose client has disconnected, for its true usage.

    drain = start_drain(gateway, limits, response, sink, output_usd)
    ...                       # ``response`` ends as it would have, or is cancelled at a limit

What the response writes is discarded. The limits are checked every ``INTERVAL_S``, that of bytes
also with each piece, and a gateway that shuts down ends all drains.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from headway.errors import ClientGone, HeadwayError
from headway.metering.prices import PriceBook
from headway.pipeline import accounting
from headway.pipeline.attempt import Attempt
from headway.pipeline.gateway import CLIENT_LEFT, DrainLimits, Gateway
from headway.ports import RawSink, ResponseHeaders, Sink
from headway.types import Headers

INTERVAL_S = 0.25
FindLimits = Callable[[], DrainLimits | None]


def _no_limits() -> DrainLimits | None:
    return None


class DrainableResponse(Protocol):
    """A response in progress: an ``Attempt`` or a ``RawRelay``."""

    bytes_in: int
    bytes_out: int
    is_over: bool
    status: int

    def detach(self, sink: RawSink) -> None:
        """Write to ``sink`` from now on, and read on if the client made it pause."""

    def cancel(self, error: HeadwayError, now: float) -> None: ...


class DiscardSink:
    """A ``ports.RawSink`` for nobody."""

    is_paused = False

    def __init__(self) -> None:
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.on_write: Callable[[], None] | None = None

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None: ...

    def send_headers(self, status: int, headers: ResponseHeaders) -> None: ...

    def send_head(self, status: int, headers: Headers) -> None: ...

    def write(self, data: bytes) -> None:
        if self.on_write is not None:
            self.on_write()

    def end(self, data: bytes = b"") -> None: ...

    def abort(self) -> None: ...


class Drain:
    """One response that is read without a client."""

    def __init__(
        self,
        gateway: Gateway,
        find_limits: FindLimits,
        response: DrainableResponse,
        output_usd: Callable[[], Decimal | None],
    ) -> None:
        self.bytes_out = response.bytes_out
        """Bytes that the client got."""
        self._gateway = gateway
        self._find_limits = find_limits
        self._response = response
        self._output_usd = output_usd
        self._bytes_before = response.bytes_in
        self._started = gateway.clock()
        self._is_stopping = False
        self._sink = DiscardSink()

    def start(self) -> None:
        self._sink.on_write = self._on_write
        self._response.detach(self._sink)
        self._gateway.start(self._watch())

    async def _watch(self) -> None:
        """End the response at a limit."""
        try:
            while not self._response.is_over:
                if self._is_at_limit():
                    self._stop()
                else:
                    await self._gateway.sleep(INTERVAL_S)
        finally:
            self._sink.on_write = None  # it refers to the response
            self._find_limits = _no_limits  # it refers to the call

    def _on_write(self) -> None:
        """The response is being read, and cannot be cancelled in this call."""
        if self._is_too_long(self._find_limits()) and not self._is_stopping:
            self._is_stopping = True
            asyncio.get_running_loop().call_soon(self._stop)

    def _stop(self) -> None:
        self._response.cancel(ClientGone(CLIENT_LEFT), self._gateway.clock())

    def _is_at_limit(self) -> bool:
        limits, gateway = self._find_limits(), self._gateway
        if limits is None or gateway.is_closing or self._is_too_long(limits):
            return True
        if gateway.clock() >= self._started + limits.seconds:
            return True
        usd = self._output_usd()
        return usd is not None and usd > limits.usd

    def _is_too_long(self, limits: DrainLimits | None) -> bool:
        return limits is not None and self._response.bytes_in > self._bytes_before + limits.bytes


def start_drain(
    gateway: Gateway,
    find_limits: FindLimits,
    response: DrainableResponse | None,
    sink: Sink,
    output_usd: Callable[[], Decimal | None],
) -> Drain | None:
    """Let ``response`` go on without its client, whose ``sink`` is released. None where that is
    switched off, where no successful response has begun or it is over, and in a shutdown.
    ``find_limits`` is asked again and again: None where nobody wants the rest any more."""
    if find_limits() is None or gateway.is_closing:
        return None
    if response is None or response.is_over or not 200 <= response.status < 300:
        return None
    drain = Drain(gateway, find_limits, response, output_usd)
    sink.on_pause = sink.on_resume = sink.on_gone = None
    drain.start()
    return drain


def output_cost(attempt: Attempt | None, prices: PriceBook) -> Decimal | None:
    """The estimated cost of the output of an attempt so far."""
    if attempt is None:
        return None
    return accounting.output_usd(attempt.result(), attempt.accumulator.produced(), prices)
