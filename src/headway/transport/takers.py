"""Who takes an answer's bytes where the request's own receiver must not, or not yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.errors import UpstreamError, UpstreamGarbled
from headway.ports import ResponseReceiver
from headway.transport.coding import Decoding
from headway.types import Headers

if TYPE_CHECKING:
    from headway.transport.exchange import Exchange


class Nobody:
    """The receiver of what nobody wants any more."""

    __slots__ = ()

    def on_sent(self, now: float) -> None: ...

    def on_response(self, status: int, headers: Headers, now: float) -> None: ...

    def on_chunk(self, data: bytes, now: float) -> None: ...

    def on_end(self, now: float) -> None: ...

    def on_error(self, error: UpstreamError, now: float) -> None: ...


NOBODY = Nobody()


class Weighed(Nobody):
    """Takes a body that has a limit, or a coding to undo, and hands ``receiver`` what it is for.
    Most bodies have neither and go straight there. Raises UpstreamGarbled at the limit, which is
    ``limit`` bytes, and for what cannot be decoded."""

    __slots__ = ("_decoding", "_exchange", "_left", "_limit", "_now", "_receiver")

    def __init__(
        self,
        exchange: Exchange,
        receiver: ResponseReceiver,
        limit: int,
        decoding: Decoding | None = None,
    ) -> None:
        self._exchange = exchange
        self._receiver = receiver
        self._limit = self._left = limit
        self._decoding = decoding
        self._now = 0.0

    def on_chunk(self, data: bytes, now: float) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise UpstreamGarbled(
                f"the answer of {self._exchange.host} is longer than {self._limit} bytes",
                code="body_too_large",
            )
        if self._decoding is None:
            self._receiver.on_chunk(data, now)
        else:
            self._now = now
            self._decoding.decode(data, self._push)

    def _push(self, data: bytes) -> None:
        """One read may decode to many pieces, and any of them may be the last that is wanted."""
        if self._exchange.receiver is self:
            self._receiver.on_chunk(data, self._now)
