"""One attempt's answer, pushed through in the calls that bring its bytes.

Receive, frame, decode, meter, encode, write: one pass a chunk, no queue and no task. Where another
attempt could follow, nothing leaves for the client until the first content event, so that a failure
can still become that attempt; else nothing is held back. ``committed`` tells that something left.
After that the flow goes on by itself to ``finished``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from headway.dialects.answer import Answer
from headway.dialects.dialect import Stream
from headway.errors import HeadwayError, UpstreamError, UpstreamGarbled, UpstreamTruncated
from headway.metering.meter import Meter
from headway.pipeline.gateway import Upstream
from headway.pipeline.signals import Signal
from headway.ports import Sending, Sink
from headway.types import Event, Frame, Headers
from headway.wire.framer import Framer

GARBLED = (LookupError, TypeError, ValueError, AttributeError, msgspec.MsgspecError, RecursionError)
"""What an adapter may raise over bytes that are not its wire."""
ERROR_LIMIT = 256 * 1024
"""Bytes of an error's body that are read."""
WHOLE_LIMIT = 256 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
STREAM_HEAD = b"content-type: %b\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n%b"
KEEP_ALIVE = b": keep-alive\n\n"

Outcome = HeadwayError | None


class Flow:
    """A ``ports.Receiver``. With a ``stream`` it feeds the client as it goes, else it gathers."""

    # What most answers never change is kept on the class.
    error: HeadwayError | None = None
    """What ended it, once ``committed`` or ``finished`` says that it is over."""
    has_head = False
    """The client has a status already, so an error can only be an event."""
    last_write = 0.0
    raw = b""
    """The provider's body, where it came whole."""
    received = 0
    """Bytes of the provider's body."""
    response_headers: Headers = ()
    sending: Sending | None = None
    status = 0
    written = 0
    """Bytes of our body to the client."""
    _framer: Framer | None = None

    def __init__(
        self,
        upstream: Upstream,
        meter: Meter,
        sink: Sink,
        stream: Stream | None,
        head: bytes,
        epoch: float,
        asked_stream: bool,
        decode_response: Callable[[bytes], list[Event]],
        holds_back: bool,
    ) -> None:
        """``head`` is of the client's answer; ``epoch`` is the unix time when the clock was zero;
        ``asked_stream`` says what was asked of the provider."""
        self._upstream = upstream
        self._sink = sink
        self.stream = stream
        self._head = head
        self._epoch = epoch
        self._asked_stream = asked_stream
        self._decode = upstream.provider.decode_event
        self._decode_response = decode_response
        self._holds_back = holds_back
        self._state: dict[str, Any] = {}
        self._pieces: list[bytes] = []
        self._parts: list[bytes] = []
        self.meter = meter
        self.answer = Answer()
        self.committed: Signal[Outcome] = Signal()
        """The first content, or the end, whichever comes first."""
        self.finished: Signal[Outcome] | None = None if stream is None else Signal()
        """The end of an answer that is streamed to the client."""
        self.is_over = False

    # --- Called by the transport ------------------------------------------------------------------

    def on_sent(self, now: float) -> None:
        self.meter.on_sent(now)

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.meter.on_response(now)
        self.status = status
        self.response_headers = headers
        if 200 <= status < 300 and self._is_stream(headers):
            self._framer = self._upstream.provider.framer()

    def on_chunk(self, data: bytes, now: float) -> None:
        self.received += len(data)
        framer = self._framer
        if framer is None:
            self._gather(data, now)
            return
        try:
            is_over = self._take(framer.feed(data), now)
        except GARBLED as exc:
            self._break(self._garbled(exc), now)
            return
        if is_over:
            self._complete(now)
        elif self._pieces:
            self._forward(now)

    def on_end(self, now: float) -> None:
        try:
            if self._framer is not None:
                self._take(self._framer.end(), now)
            else:
                self._read_whole(now)
        except GARBLED as exc:
            self._break(self._garbled(exc), now)
            return
        self._complete(now)

    def on_error(self, error: UpstreamError, now: float) -> None:
        self._break(error, now)

    # --- Called by the exchange -------------------------------------------------------------------

    def abandon(self, error: HeadwayError, now: float) -> None:
        """Stop here: the client left, or the server must go."""
        self._break(error, now)

    def end(self, pieces: list[bytes]) -> None:
        """The last words of a streamed answer."""
        self._send_head()
        *early, last = pieces or [b""]
        for piece in early:
            self._sink.write(piece)
        self._sink.end(last)

    def keep_alive(self, now: float) -> None:
        """A comment, so that no middlebox cuts a model that thinks."""
        self._send_head()
        self._write(KEEP_ALIVE)
        self.last_write = now

    # --- The pass ---------------------------------------------------------------------------------

    def _is_stream(self, headers: Headers) -> bool:
        """Told by what came before what was asked: some answer a stream's request whole."""
        for name, value in headers:
            if name == b"content-type":
                if value.startswith(b"text/event-stream"):
                    return True
                return self._asked_stream and not value.startswith(b"application/json")
        return self._asked_stream

    def _take(self, frames: list[Frame], now: float) -> bool:
        """Whether the answer is over: by its end mark, or by an error in it."""
        stream, answer = self.stream, self.answer
        for frame in frames:
            events: list[Event] = self._decode(frame, self._state)
            if events:
                self.meter.on_events(events, now)
                answer.add(events)
                if answer.failed is not None:
                    return True
            if stream is not None:
                piece = stream.encode(frame, events, self._epoch + now)
                if piece is not None:
                    self._pieces.append(piece)
            if answer.done:
                return True  # what may come behind the end mark is nobody's
        return False

    def _gather(self, data: bytes, now: float) -> None:
        self._parts.append(data)
        if self.received > (WHOLE_LIMIT if self.status < 300 else ERROR_LIMIT):
            self._break(self._garbled(ValueError(f"an answer of over {self.received} bytes")), now)

    def _read_whole(self, now: float) -> None:
        self.raw = b"".join(self._parts)
        if not 200 <= self.status < 300:
            self.answer.failed = self._refusal()
            return
        events = self._decode_response(self.raw)
        self.meter.on_events(events, now)
        self.answer.add(events)
        if self.stream is not None:
            self._encode_whole(self.stream, events, now)

    def _encode_whole(self, stream: Stream, events: list[Event], now: float) -> None:
        """A stream was asked for and a whole came: it is a stream that arrived at once."""
        piece = stream.encode(Frame(b"", None, b""), events, self._epoch + now)
        if piece:
            self._pieces.append(piece)

    def _refusal(self) -> UpstreamError:
        if 300 <= self.status < 400:
            return UpstreamError(f"The provider answered with a redirect ({self.status}).")
        return self._upstream.provider.decode_error(self.status, self.response_headers, self.raw)

    def _garbled(self, exc: Exception) -> UpstreamGarbled:
        return UpstreamGarbled(
            f"{self._upstream.name} sent what its wire format does not allow: {exc}."
        )

    def _forward(self, now: float) -> None:
        """What is encoded goes out, once it may."""
        if not self.committed.is_set:
            if self._holds_back and not self.meter.content_events:
                return
            self._commit()
        pieces = self._pieces
        if len(pieces) == 1:
            self._write(pieces[0])
        elif self.stream is not None and self.stream.is_framed:
            self._write(b"".join(pieces))
        else:
            for piece in pieces:
                self._write(piece)
        pieces.clear()
        self.last_write = now

    def _write(self, piece: bytes) -> None:
        self.written += len(piece)
        self._sink.write(piece)

    def _commit(self) -> None:
        self._send_head()
        self.committed.set(None)

    def _send_head(self) -> None:
        if not self.has_head and self.stream is not None:
            self.has_head = True
            self._sink.start(200, STREAM_HEAD % (self.stream.content_type, self._head))

    def _complete(self, now: float) -> None:
        answer = self.answer
        if answer.failed is not None:
            self._break(answer.failed, now)  # type: ignore[arg-type]
            return
        if not answer.is_finished:
            message = f"{self._upstream.name} ended its stream without finishing the answer."
            self._break(UpstreamTruncated(message), now)
            return
        self.meter.on_end(now)
        self.is_over = True
        sending, self.sending = self.sending, None  # it refers to us: apart, both go at once
        if sending is not None:
            sending.finish()
        finished = self.finished
        if finished is None:
            self.committed.set(None)
            return
        if not self.committed.is_set:
            self._commit()
        if self._pieces:
            self._forward(now)
        finished.set(None)

    def _break(self, error: HeadwayError, now: float) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.error = error
        self.meter.on_end(now)
        sending, self.sending = self.sending, None
        if sending is not None:
            sending.cancel()
        if self._pieces and self.committed.is_set:
            self._forward(now)
        if self.finished is not None:
            self.finished.set(error)
        self.committed.set(error)
