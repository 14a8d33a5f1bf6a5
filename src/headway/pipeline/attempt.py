"""One attempt's answer, pushed through in the calls that bring its bytes.

Receive, frame, decode, meter, encode, write: one pass a chunk, no queue and no task. Where another
attempt could follow, nothing leaves for the client until the first content event, so that a failure
can still become that attempt; else nothing is held back. When nothing more will come, its exchange
goes on (``GatewayCall.after``), once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from headway.dialects.base import ResponseContext, StreamEncoder
from headway.errors import HeadwayError, UpstreamError, UpstreamGarbled, UpstreamTruncated
from headway.metering.price import Price
from headway.pipeline import provider_calls as operations
from headway.pipeline.gateway import Upstream
from headway.pipeline.stream_reader import StreamReader
from headway.ports import ResponseHeaders, UpstreamRequest
from headway.types import Event, Frame, Headers, Summary
from headway.wire.event_template import read_string
from headway.wire.framer import Framer

if TYPE_CHECKING:
    from headway.pipeline.call import GatewayCall

ERROR_LIMIT = 256 * 1024
"""Bytes of an error's body that are read."""
WHOLE_LIMIT = 256 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
KEEP_ALIVE = b": keep-alive\n\n"
JSON, SSE = b"application/json", b"text/event-stream"
NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})


class Attempt(StreamReader):
    """A ``ports.ResponseReceiver``: feeds the client of a stream, or gathers a whole answer."""

    __slots__ = (
        "_exchange",
        "_holds_back",
        "_parts",
        "_summary",
        "begun",
        "error",
        "has_head",
        "is_committed",
        "is_over",
        "last_write",
        "price",
        "raw",
        "received",
        "response_headers",
        "sending",
        "status",
        "written",
    )

    def __init__(
        self,
        exchange: GatewayCall,
        upstream: Upstream,
        context: ResponseContext,
        stream: StreamEncoder | None,
    ) -> None:
        self._exchange: GatewayCall | None = exchange
        self._upstream = upstream
        self._context = context
        self._sink = exchange.sink
        self.stream = stream
        self.started = exchange.started
        self.sent = self.responded = self.ended = None
        self.arrivals = ()
        self.begun = b""
        """The first part of its record."""
        self.price: Price | None = None
        self.raw = b""
        """The provider's body, where it came whole."""
        self.response_headers = NO_HEADERS
        self.sending: UpstreamRequest | None = None
        self.status = self.received = self.written = 0
        """Received are bytes of the provider's body, written those of ours to the client."""
        self.error: HeadwayError | None = None
        """What ended it, if it is over and did not end well."""
        self.has_head = self.is_committed = self.is_over = False
        """The client has a status already, so an error can only be an event. Something of it left
        for the client: no other attempt can follow."""
        self.last_write = 0.0
        self._framer = self._straight = None
        self._parts: list[bytes] | None = None
        self._summary: Summary | None = None

    def summary(self) -> Summary:
        return self._summary or self.answer.summary()

    # --- Called by the transport ------------------------------------------------------------------

    def on_sent(self, now: float) -> None:
        self.sent = now

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.responded = now
        self.status = status
        self.response_headers = named = dict(headers)
        kind = named.get(b"content-type")
        if kind != JSON and 200 <= status < 300 and (kind == SSE or self._is_stream(kind)):
            self._begin()
            if self.stream is not None:
                self._set_clock()

    def on_chunk(self, data: bytes, now: float) -> None:
        size = len(data)
        straight = self._straight
        if straight is not None:
            # What nearly every chunk of a relayed stream is: one event like the last, but for its
            # text. The two calls that take off what surrounds it leave what does not match.
            opening, closing, length, middle, between, keep_text, keep_arrival, write = straight
            if size - len(data.removeprefix(opening).removesuffix(closing)) == length:
                string = data[middle]
                if between is not None:
                    string, _, padding = string.partition(between)
                    string = string + b'"' if padding.isalnum() else b""
                try:
                    text = read_string(string)
                except ValueError:
                    text = ""  # several of them at once, mostly
                if text:
                    keep_text(text)
                    keep_arrival(now)
                    self.received += size
                    self.written += size
                    self.last_write = now
                    write(data)
                    return
        self.received += size
        if self._framer is not None:
            self._receive(self._framer, data, now)
        elif self.raw or size > ERROR_LIMIT:  # the lower of the two
            self._gather(data, now)
        else:
            self.raw = data  # mostly it comes in one piece

    def on_end(self, now: float) -> None:
        framer = self._framer
        try:
            if framer is not None:
                self._take_last(framer.end(), now)
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
            if kind[:16] == JSON:
                return False
            if kind[:17] == SSE:
                return True
        return self._context.call.asks_stream

    def _set_clock(self) -> None:
        """What the client is told is in unix time, and may have to wait."""
        exchange = self._exchange
        assert exchange is not None
        unix_time, clock = exchange.gateway.unix_time, exchange.gateway.clock
        self._epoch = unix_time() - clock()
        self._holds_back = exchange.attempts <= self._context.call.retries

    def _receive(self, framer: Framer, data: bytes, now: float) -> None:
        """Of a stream: its first events and its last, and those that are not like others."""
        plain = self._plain
        try:
            if plain is None:
                is_over = self._take(framer.feed(data), now)
            else:
                is_over = self._read(plain, data, now)
        except operations.MALFORMED as exc:
            self._break(self._garbled(exc), now)
            return
        if is_over:
            self._complete(now)
            return
        if self._pieces:
            self._forward(now)
        if plain is not None:
            self._straight = self._prepared if self.is_committed and plain.is_clear else None

    def _gather(self, data: bytes, now: float) -> None:
        if not self.raw:
            self.raw = data
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
        if stream is None and context.is_passthrough and provider.summarize is not None:
            self._summary = provider.summarize(self.raw)
            if self._summary is not None:
                self.arrivals = (now,)
                return
        events = operations.decode(self._upstream, context.sent, self.raw)
        if self.answer.add(events):
            self.arrivals = (now,)
        if stream is not None:
            self._encode_whole(stream, events, now)

    def _encode_whole(self, stream: StreamEncoder, events: list[Event], now: float) -> None:
        """A stream was asked for and a whole came: it is a stream that arrived at once."""
        self._set_clock()
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
            if self._holds_back and not self.arrivals:
                return
            self.is_committed = True
            self._send_head()
        pieces, self._pieces = self._pieces, []
        if len(pieces) > 1 and self.stream is not None and self.stream.is_framed:
            pieces = [b"".join(pieces)]
        write = self._sink.write
        for piece in pieces:
            self.written += len(piece)
            write(piece)
        self.last_write = now

    def _send_head(self) -> None:
        if not self.has_head and self.stream is not None and self._exchange is not None:
            self.has_head = True
            headers = ResponseHeaders(self._context.id, self.stream.content_type)
            self._sink.send_headers(200, headers)

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
        self.ended = now
        self.is_over = True
        sending, self.sending = self.sending, None  # it refers to us: apart, both go at once
        if sending is not None:
            sending.finish()
        if self.stream is not None:
            if not self.is_committed:
                self.is_committed = True
                self._send_head()
            if self._pieces:
                self._forward(now)
        exchange, self._exchange = self._exchange, None  # it refers to us, too
        assert exchange is not None
        exchange.after(self)

    def _break(self, error: HeadwayError, now: float) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.error = error
        self.ended = now
        sending, self.sending = self.sending, None
        if sending is not None:
            sending.cancel()
        if self.is_committed and self._pieces:
            self._forward(now)
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        exchange.after(self)
