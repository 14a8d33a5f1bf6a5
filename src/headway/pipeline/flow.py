"""One attempt's answer, pushed through in the calls that bring its bytes.

Receive, frame, decode, meter, encode, write: one pass a chunk, no queue and no task. Where another
attempt could follow, nothing leaves for the client until the first content event, so that a failure
can still become that attempt; else nothing is held back. When nothing more will come, its exchange
goes on (``Exchange.after``), once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from headway.dialects.answer import Answer
from headway.dialects.dialect import Context, Stream
from headway.errors import HeadwayError, UpstreamError, UpstreamGarbled, UpstreamTruncated
from headway.metering.meter import Meter
from headway.metering.price import Price
from headway.pipeline import operations
from headway.pipeline.gateway import Upstream
from headway.ports import Sending, Sink
from headway.types import Event, Frame, Headers, Summary
from headway.wire.framer import Framer

if TYPE_CHECKING:
    from headway.pipeline.exchange import Exchange

ERROR_LIMIT = 256 * 1024
"""Bytes of an error's body that are read."""
WHOLE_LIMIT = 256 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
STREAM_HEAD = (
    b"content-type: %b\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\nx-request-id: %b\r\n"
)
KEEP_ALIVE = b": keep-alive\n\n"

ReadText = Callable[[bytes], str | None]


class Flow:
    """A ``ports.Receiver``. With a ``stream`` it feeds the client as it goes, else it gathers."""

    # What most answers never change is kept on the class.
    begun = b""
    """The first part of its record."""
    error: HeadwayError | None = None
    """What ended it, if it is over and did not end well."""
    head = b""
    """Of a whole answer, as far as it is known before that."""
    has_head = False
    """The client has a status already, so an error can only be an event."""
    is_committed = False
    """Something of it left for the client: no other attempt can follow."""
    is_over = False
    last_write = 0.0
    price: Price | None = None
    raw = b""
    """The provider's body, where it came whole."""
    received = 0
    """Bytes of the provider's body."""
    response_headers: Mapping[bytes, bytes] = {}
    sending: Sending | None = None
    status = 0
    written = 0
    """Bytes of our body to the client."""
    _epoch = 0.0
    """The unix time when the clock was zero."""
    _decode: Callable[[Frame, dict[str, Any]], list[Event]]
    _framer: Framer | None = None
    _pieces: list[bytes]
    _state: dict[str, Any]
    _holds_back = False
    _keep_arrival: Callable[[float], None]
    _keep_text: Callable[[str], None]
    _write: Callable[[bytes], None]
    _read_text: ReadText | None = None
    """Tells a mere text of the first choice, once that has begun and if the provider can."""
    _read_straight: ReadText | None = None
    """The same, where such a text goes to the client as it came."""
    _parts: list[bytes] | None = None
    _summary: Summary | None = None

    def __init__(
        self, exchange: Exchange, upstream: Upstream, context: Context, stream: Stream | None
    ) -> None:
        self._exchange: Exchange | None = exchange
        self._upstream = upstream
        self._context = context
        self._sink: Sink = exchange.sink
        self.stream = stream
        self.meter = Meter(exchange.started)
        self.answer = Answer()
        if stream is not None:
            self._epoch = exchange.gateway.wall() - exchange.gateway.clock()
            self._holds_back = exchange.attempts <= context.call.retries

    def summary(self) -> Summary:
        return self._summary or self.answer.summary()

    # --- Called by the transport ------------------------------------------------------------------

    def on_sent(self, now: float) -> None:
        self.meter.sent = now

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.meter.responded = now
        self.status = status
        self.response_headers = named = dict(headers)
        if 200 <= status < 300 and self._is_stream(named.get(b"content-type")):
            self._framer = self._upstream.provider.framer()
            self._decode = self._upstream.provider.decode_event
            self._state = {}
            self._pieces = []

    def on_chunk(self, data: bytes, now: float) -> None:
        self.received += len(data)
        framer = self._framer
        if framer is None:
            self._gather(data, now)
            return
        read, text = self._read_straight, None
        try:
            frames = framer.feed(data)
            if read is not None and len(frames) == 1 and frames[0].event is None:
                text = read(frames[0].data)
            is_over = text is None and self._take(frames, now)
        except operations.MALFORMED as exc:
            self._break(self._garbled(exc), now)
            return
        if text is not None:  # what nearly every chunk of a relayed stream is
            # Fetched before they are called: else they are looked for among the methods first.
            keep_text, keep_arrival, write = self._keep_text, self._keep_arrival, self._write
            raw = frames[0].raw
            keep_text(text)
            keep_arrival(now)
            self.written += len(raw)
            self.last_write = now
            write(raw)
        elif is_over:
            self._complete(now)
        elif self._pieces:
            self._forward(now)

    def on_end(self, now: float) -> None:
        try:
            if self._framer is not None:
                self._take(self._framer.end(), now)
            else:
                self._read_whole(now)
        except operations.MALFORMED as exc:
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
        *early, last = pieces or [b""]
        for piece in early:
            self._sink.write(piece)
        self._sink.end(last)

    def keep_alive(self, now: float) -> None:
        """A comment, so that no middlebox cuts a model that thinks."""
        self._send_head()
        self.written += len(KEEP_ALIVE)
        self._sink.write(KEEP_ALIVE)
        self.last_write = now

    # --- The pass ---------------------------------------------------------------------------------

    def _is_stream(self, kind: bytes | None) -> bool:
        """Told by what came before what was asked: some answer a stream's request whole."""
        if kind is not None:
            if kind[:16] == b"application/json":
                return False
            if kind[:17] == b"text/event-stream":
                return True
        return self._context.call.asks_stream

    def _take(self, frames: list[Frame], now: float) -> bool:
        """Whether the answer is over: by its end mark, or by an error in it."""
        for at, frame in enumerate(frames):
            if self.stream is None and self._read_text is not None:
                return self._join(frames[at:], self._read_text, now)
            if self._take_frame(frame, now):
                return True
        return False

    def _join(self, frames: list[Frame], read: ReadText, now: float) -> bool:
        """The same for an answer of texts that is gathered: nothing is built of them."""
        keep_text, keep_arrival = self._keep_text, self._keep_arrival
        for frame in frames:
            text = read(frame.data) if frame.event is None else None
            if text is not None:
                keep_text(text)
                keep_arrival(now)
            elif self._take_frame(frame, now):
                return True
        return False

    def _take_frame(self, frame: Frame, now: float) -> bool:
        stream, answer = self.stream, self.answer
        events: list[Event] = self._decode(frame, self._state)
        if events:
            self.meter.on_events(events, now)
            answer.add(events)
            if answer.failed is not None:
                return True
            if self._read_text is None and 0 in answer.choices:
                self._note_text()
        if stream is not None:
            piece = stream.encode(frame, events, self._epoch + now)
            if piece is not None:
                self._pieces.append(piece)
        return answer.done  # what may come behind the end mark is nobody's

    def _note_text(self) -> None:
        """From here on, a mere text of the first choice is known by itself."""
        self._read_text = self._upstream.provider.read_text
        self._keep_text = self.answer.choices[0].text.append
        self._keep_arrival = self.meter.arrivals.append
        self._write = self._sink.write

    def _gather(self, data: bytes, now: float) -> None:
        if not self.raw:
            self.raw = data  # mostly it comes in one piece
        elif self._parts is None:
            self._parts = [self.raw, data]
        else:
            self._parts.append(data)
        if self.received > (WHOLE_LIMIT if self.status < 300 else ERROR_LIMIT):
            self._break(self._garbled(ValueError(f"an answer of over {self.received} bytes")), now)

    def _read_whole(self, now: float) -> None:
        if self._parts is not None:
            self.raw, self._parts = b"".join(self._parts), None
        if not 200 <= self.status < 300:
            self.answer.failed = self._refusal()
            return
        provider, context, stream = self._upstream.provider, self._context, self.stream
        if stream is None and context.relays and provider.summarize is not None:
            self._summary = provider.summarize(self.raw)
            if self._summary is not None:
                self.meter.arrivals.append(now)
                return
        events = operations.decode(self._upstream, context.sent, self.raw)
        self.meter.on_events(events, now)
        self.answer.add(events)
        if stream is not None:
            self._encode_whole(stream, events, now)

    def _encode_whole(self, stream: Stream, events: list[Event], now: float) -> None:
        """A stream was asked for and a whole came: it is a stream that arrived at once."""
        piece = stream.encode(Frame(b"", None, b""), events, self._epoch + now)
        self._pieces = [piece] if piece else []

    def _refusal(self) -> UpstreamError:
        if 300 <= self.status < 400:
            return UpstreamError(f"The provider answered with a redirect ({self.status}).")
        headers = tuple(self.response_headers.items())
        return self._upstream.provider.decode_error(self.status, headers, self.raw)

    def _garbled(self, exc: Exception) -> UpstreamGarbled:
        return UpstreamGarbled(
            f"{self._upstream.name} sent what its wire format does not allow: {exc}."
        )

    def _forward(self, now: float) -> None:
        """What is encoded goes out, once it may."""
        if not self.is_committed:
            if self._holds_back and not self.meter.arrivals:
                return
            self._commit()
        pieces, self._pieces = self._pieces, []
        if len(pieces) > 1 and self.stream is not None and self.stream.is_framed:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            self.written += len(piece)
            self._sink.write(piece)
        self.last_write = now
        if self._context.relays:
            self._read_straight = self._read_text

    def _commit(self) -> None:
        self.is_committed = True
        self._send_head()

    def _send_head(self) -> None:
        if not self.has_head and self.stream is not None and self._exchange is not None:
            self.has_head = True
            head = STREAM_HEAD % (self.stream.content_type, self._exchange.id.encode())
            self._sink.start(200, head)

    def _complete(self, now: float) -> None:
        if self._summary is None:
            answer = self.answer
            if answer.failed is not None:
                self._break(answer.failed, now)  # type: ignore[arg-type]
                return
            if not answer.is_finished:
                message = f"{self._upstream.name} ended its stream without finishing the answer."
                self._break(UpstreamTruncated(message), now)
                return
        self.meter.ended = now
        self.is_over = True
        sending, self.sending = self.sending, None  # it refers to us: apart, both go at once
        if sending is not None:
            sending.finish()
        if self.stream is not None:
            if not self.is_committed:
                self._commit()
            if self._pieces:
                self._forward(now)
        self._leave()

    def _break(self, error: HeadwayError, now: float) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.error = error
        self.meter.ended = now
        sending, self.sending = self.sending, None
        if sending is not None:
            sending.cancel()
        if self.is_committed and self._pieces:
            self._forward(now)
        self._leave()

    def _leave(self) -> None:
        exchange, self._exchange = self._exchange, None  # it refers to us, too
        assert exchange is not None
        exchange.after(self)
