"""An attempt whose response is passed on: whole where it is JSON or a text, else as it arrives."""

from __future__ import annotations

from headway.events import Finished
from headway.pipeline import provider_calls
from headway.pipeline.attempt import ERROR_TYPES, JSON, SSE, Attempt
from headway.pipeline.response_head import relayed_type
from headway.pipeline.stream_reader import Mode
from headway.providers.http_errors import find_error
from headway.types import Frame, RelayedRequest, Request
from headway.wire.framer import ChunkFramer

TEXT = b"text/"


class RelayedAttempt(Attempt):
    """An ``Attempt`` of a ``RelayedRequest``."""

    __slots__ = ()

    @property
    def _request(self) -> RelayedRequest:
        assert isinstance(self.context.sent, RelayedRequest)
        return self.context.sent

    @property
    def _content_type(self) -> bytes:
        return relayed_type(self.response_headers)

    def _is_stream(self, content_type: bytes | None) -> bool:
        """Only where the client can take one; the response decides what it is."""
        if self.encoder is None:
            return False
        return self._content_type.startswith(SSE) or not self._content_type.startswith((JSON, TEXT))

    def _begin_stream(self) -> None:
        super()._begin_stream()
        assert self.encoder is not None
        self.encoder.content_type = self._content_type
        is_binary = not self._content_type.startswith(SSE)
        if is_binary:
            self._framer = ChunkFramer()  # type: ignore[assignment]
        decoder = provider_calls.relayed_decoder(self.upstream, self._request, is_binary)
        self._decode_event = decoder.decode_event
        self.mode = Mode.EVENTS

    def _read_end(self, now: float) -> None:
        """The body's end is that of a stream: few have an end mark."""
        if self.mode is not Mode.BODY and self.arrivals:
            self.accumulator.add([Finished("stop")])
        super()._read_end(now)

    def _read_body(self, now: float) -> None:
        if self._parts is not None:
            self.body, self._parts = b"".join(self._parts), None
        if not 200 <= self.status < 300:
            self.accumulator.failed = self._decode_error()
            return
        if self._content_type.startswith(ERROR_TYPES):
            self.accumulator.failed = find_error(self.body) or self._garbled(
                ValueError("a page in place of an answer")
            )
            return
        is_json = self._content_type.startswith(JSON)
        events = provider_calls.decode_relayed(self.upstream, self._request, self.body, is_json)
        if self.accumulator.add(events):
            self.arrivals = (now,)
        if not self.has_headers:
            self.encoder = None  # the client gets a whole response, as the provider sent it
        elif self.encoder is not None:
            event = b"data: " + self.body.replace(b"\n", b"\ndata: ") + b"\n\n"
            self._pieces = [self.encoder.encode(Frame(self.body, None, event), events, now) or b""]


def attempt_class(request: Request) -> type[Attempt]:
    """The class of the attempts of a request."""
    return RelayedAttempt if type(request) is RelayedRequest else Attempt
