"""Receivers that discard, limit or decompress a response body."""

from __future__ import annotations

from typing import Protocol

from headway.errors import UpstreamError, UpstreamGarbled
from headway.ports import ResponseReceiver
from headway.transport.content_encoding import BodyDecoder
from headway.types import Headers


class ReceiverOwner(Protocol):
    """The response parser: it calls ``receiver``, and ``host`` names the server in messages."""

    host: str
    receiver: ResponseReceiver


class NullReceiver:
    """Ignores everything."""

    __slots__ = ()

    def on_sent(self, now: float) -> None: ...

    def on_response(self, status: int, headers: Headers, now: float) -> None: ...

    def on_chunk(self, data: bytes, now: float) -> None: ...

    def on_end(self, now: float) -> None: ...

    def on_error(self, error: UpstreamError, now: float) -> None: ...


NULL_RECEIVER = NullReceiver()


class BodyReceiver(NullReceiver):
    """Checks a body against ``limit`` (bytes as transferred), decompresses it with ``decoder``, and
    passes it to ``receiver``. Bodies with no limit and no content coding go straight to the
    request's own receiver. ``on_chunk`` raises UpstreamGarbled at the limit and for data that
    cannot be decompressed."""

    __slots__ = ("_decoder", "_limit", "_now", "_owner", "_receiver", "_remaining")

    def __init__(
        self,
        owner: ReceiverOwner,
        receiver: ResponseReceiver,
        limit: int,
        decoder: BodyDecoder | None = None,
    ) -> None:
        self._owner = owner
        self._receiver = receiver
        self._limit = self._remaining = limit
        self._decoder = decoder
        self._now = 0.0

    def on_chunk(self, data: bytes, now: float) -> None:
        self._remaining -= len(data)
        if self._remaining < 0:
            raise UpstreamGarbled(
                f"the answer of {self._owner.host} is longer than {self._limit} bytes",
                code="body_too_large",
            )
        if self._decoder is None:
            self._receiver.on_chunk(data, now)
        else:
            self._now = now
            self._decoder.decode(data, self._push)

    def _push(self, data: bytes) -> None:
        """One read may decode to many pieces. After any of them the receiver may have finished or
        cancelled the request: then the owner has another receiver."""
        if self._owner.receiver is self:
            self._receiver.on_chunk(data, self._now)
