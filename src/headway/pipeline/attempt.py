"""One attempt: takes the provider's response as it arrives, and writes it to the client.

Receive, frame, decode, meter, encode, write: one pass for each chunk, inside the call that brings
it, without a queue or a task. If another attempt may follow, nothing is written to the client
before the first content event, so that a failure can still lead to that attempt; otherwise nothing
is held back. When nothing more will arrive, ``on_done`` is called, once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from headway.dialects.base import ResponseContext, StreamEncoder
from headway.errors import HeadwayError, UpstreamError, UpstreamGarbled, UpstreamTruncated
from headway.events import Event, ResponseSummary
from headway.pipeline import provider_calls
from headway.pipeline.accounting import AttemptResult
from headway.pipeline.attempt_origin import AttemptOrigin
from headway.pipeline.character_joiner import CharacterJoiner
from headway.pipeline.failure_log import fields
from headway.pipeline.gateway import Upstream
from headway.pipeline.response_head import describe_stream
from headway.pipeline.stream_reader import NO_FRAME, READERS, Mode, StreamReader
from headway.ports import Sink, UpstreamRequest
from headway.providers.error_shapes import BYTE_ORDER_MARK
from headway.providers.http_errors import find_error
from headway.response_accumulator import ResponseAccumulator
from headway.types import Headers, Usage
from headway.wire.json_repair import finish, is_utf8, repair_json

log = logging.getLogger("headway")
RELAY = Mode.RELAY
MAX_ERROR_BODY = 256 * 1024
"""Limit of an error response, in bytes."""
MAX_BODY = 256 * 1024 * 1024
"""Limit of a response that is not streamed, in bytes."""
KEEP_ALIVE = b": keep-alive\n"
"""A comment in a stream of server-sent events (WHATWG HTML, section 9.2.7). It is a line of the
event that follows: an empty line after it would be an event without data to OpenAI's SDKs."""
FINISHED_S = 5.0
"""Seconds after the finish reason in which usage and the end mark may still come."""
JSON, SSE = b"application/json", b"text/event-stream"
ERROR_TYPES = (b"text/html", b"application/problem+json")
"""Content types of errors from proxies and servers (RFC 9457), whatever the status."""
MAX_QUOTE = 500
"""Characters of an answer that is none, in the error's message."""
NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})


def said_instead(data: bytes) -> str:
    """A sentence with the bytes that came in place of an answer, if they are a short text."""
    text = data.decode(errors="replace").strip()
    is_short_text = 0 < len(text) <= MAX_QUOTE and all(map(str.isprintable, text.split()))
    return f" It said: {text}" if is_short_text else ""


def unprocessable(upstream: Upstream) -> UpstreamGarbled:
    """The error of an answer over which the gateway itself failed: its log has the details."""
    return UpstreamGarbled(
        f"The answer of {upstream.name} could not be processed; the gateway's log says why."
    )


class Checks(Protocol):
    """Which complete answers count as failures."""

    @property
    def holds_all(self) -> bool:
        """Nothing is sent to the client before the answer is complete."""

    def find_failure(self, attempt: Attempt) -> HeadwayError | None:
        """What is wrong with a complete answer of which the client has nothing yet."""


class Guard(AttemptOrigin, Protocol):
    """What an attempt tells and asks, of a call that may have several."""

    @property
    def checks(self) -> Checks | None: ...

    @property
    def committer(self) -> object | None:
        """None where nothing waits for the attempt to commit itself."""

    def on_commit(self, attempt: Attempt) -> None:
        """From now on, the answer is that of this attempt."""

    def resume(self) -> None:
        """The client reads again."""

    def close(self, attempt: Attempt, now: float) -> None:
        """The attempt is over."""


class Attempt(StreamReader):
    """A ``ports.ResponseReceiver``: writes a stream to the client, or collects a whole response.

    ``encoder`` is the client's stream encoder, None for a whole response. ``started`` is the clock
    when the client's request was read, ``unix_offset`` the unix time when the clock was zero.
    ``number`` counts the attempts of the call from one, ``hold_back`` says that another may follow.
    """

    __slots__ = (
        "_finished_at",
        "_hold_back",
        "_on_done",
        "_parts",
        "_summary",
        "body",
        "bytes_in",
        "bytes_out",
        "error",
        "guard",
        "has_headers",
        "is_committed",
        "is_over",
        "last_write",
        "number",
        "origin",
        "response_headers",
        "status",
        "upstream_request",
        "waiting_since",
    )

    def __init__(
        self,
        upstream: Upstream,
        context: ResponseContext,
        encoder: StreamEncoder | None,
        sink: Sink,
        started: float,
        unix_offset: float,
        number: int,
        hold_back: bool,
        on_done: Callable[[Attempt], None],
        guard: Guard | None = None,
    ) -> None:
        self.upstream = upstream
        self.context = context
        self.encoder = encoder
        self._sink = sink
        self.started = started
        self._unix_offset = unix_offset
        self.number = number
        self._hold_back = hold_back
        self._on_done: Callable[[Attempt], None] | None = on_done
        self.guard = guard
        self.origin: AttemptOrigin | None = guard
        self.sent = self.responded = self.ended = None
        self.waiting_since: float | None = None
        """When the request was ready, where it could not be sent at once."""
        self.arrivals = ()
        self.mode = Mode.BODY
        self.body = b""
        """The provider's body, if it is not streamed."""
        self._parts: list[bytes] | None = None
        self._summary: ResponseSummary | None = None
        self.response_headers = NO_HEADERS
        self.upstream_request: UpstreamRequest | None = None
        self.status = self.bytes_in = self.bytes_out = 0
        """Bytes of the provider's body, and of the body written to the client."""
        self.error: HeadwayError | None = None
        """The error that ended the attempt, if it failed."""
        self.has_headers = False
        """The client has a status already, so an error can only be an event of the stream."""
        self.is_committed = False
        """Content was written to the client, so no other attempt can follow."""
        self.is_over = False
        self.last_write = 0.0
        self._finished_at: float | None = None

    def result(self) -> AttemptResult:
        """Call it when the attempt is over."""
        summary = self._summary
        transformations = self.context.transformations
        if summary is None:
            summary = self.accumulator.summary()
            transformations += self.accumulator.transformations
        usage = summary.usage
        is_reported = usage.input_tokens is not None and usage.output_tokens is not None
        return AttemptResult(
            self.upstream,
            self.context,
            summary,
            usage,
            "reported" if is_reported else None,
            self.timing(),
            len(self.arrivals),
            self.status,
            self.response_headers,
            self.bytes_in,
            self.has_headers,
            transformations,
            self.origin,
            self._connect_s(),
        )

    def _connect_s(self) -> float | None:
        """As in ``Record``."""
        since, until = self.waiting_since, self.ended if self.sent is None else self.sent
        return None if since is None or until is None else until - since

    @property
    def response(self) -> ResponseAccumulator:
        """What the client has."""
        return self.accumulator

    @property
    def response_parts(self) -> tuple[tuple[ResponseAccumulator, ...], tuple[Usage, ...]]:
        """What each attempt added to it, and what is billed for those before this one."""
        return (self.accumulator,), ()

    def forget_response(self) -> None:
        """Drop what the response was decoded to, over which ``result`` fails."""
        self._summary = ResponseSummary(Usage())

    @property
    def is_summarized(self) -> bool:
        """The body was not decoded to events."""
        return self._summary is not None

    @property
    def output_tokens(self) -> int | None:
        """As the provider reported them by now."""
        if self._summary is not None:
            return self._summary.usage.output_tokens
        return self.accumulator.reported().output_tokens

    @property
    def reply_id(self) -> str | None:
        """The provider's id of the response."""
        if self._summary is not None:
            return self._summary.id
        started = self.accumulator.started
        return None if started is None else started.id

    @property
    def is_paused(self) -> bool:
        """The client reads more slowly than the provider writes."""
        return self._sink.is_paused

    # --- Called by the transport ------------------------------------------------------------------

    def on_sent(self, now: float) -> None:
        self.sent = now

    # Whatever an adapter, a framer, an encoder or the accounting raises ends the attempt here: in
    # the transport it would end nothing but the connection, and leave the client waiting.

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.responded = now
        self.status = status
        self.response_headers = by_name = dict(headers)
        content_type = by_name.get(b"content-type")
        try:
            if content_type != JSON and 200 <= status < 300 and self._is_stream(content_type):
                self._begin_stream()
        except Exception as exc:
            self._end_with_defect(exc, now)

    def on_chunk(self, data: bytes, now: float) -> None:
        try:
            if (
                self.mode is RELAY
            ):  # first, because nearly every chunk of such a stream is one event
                text = self._single_event.read(data)  # type: ignore[union-attr]
                if text:
                    self._texts.append(text)
                    self._times.append(now)
                    size = len(data)
                    self.bytes_in += size
                    self.bytes_out += size
                    self.last_write = now
                    self._sink.write(data)
                    return
                self.mode = Mode.TEMPLATE
            if self.mode is Mode.BODY:
                self._collect(data, now)
            else:
                self._read_stream(data, now)
        except Exception as exc:
            self._end_with_defect(exc, now)

    def on_end(self, now: float) -> None:
        try:
            self._read_end(now)
        except Exception as exc:
            self._end_with_defect(exc, now)

    def on_error(self, error: UpstreamError, now: float) -> None:
        self.cancel(error, now)

    # --- Called by the call -----------------------------------------------------------------------

    def cancel(self, error: HeadwayError, now: float) -> None:
        """Stop: the client disconnected, or the server is shutting down."""
        try:
            self._end_with_error(error, now)
        except Exception as exc:
            self._end_with_defect(exc, now)

    def detach(self, sink: Sink) -> None:
        """Write to ``sink`` from now on, and read on if the client made it pause."""
        self._sink = sink
        if self.upstream_request is not None:
            self.upstream_request.resume()

    def end_if_finished(self, now: float) -> None:
        """Some providers go on with signs of life when they have told all, or never close: a stream
        with a finish reason is complete when ``FINISHED_S`` have passed. Called every second or
        so."""
        if self.is_over or self.mode is Mode.BODY or not self.accumulator.is_finished:
            return
        if self._finished_at is None:
            self._finished_at = now
        elif now - self._finished_at >= FINISHED_S:
            try:
                self._complete(now)
            except Exception as exc:
                self._end_with_defect(exc, now)

    def keep_alive(self, now: float) -> None:
        """Write a comment, so that no proxy closes the connection while the model is silent."""
        self._send_headers()
        comment = self.context.call.keep_alive or KEEP_ALIVE
        self.bytes_out += len(comment)
        self._sink.write(comment)
        self.last_write = now

    # --- Inside -----------------------------------------------------------------------------------

    def _collect(self, data: bytes, now: float) -> None:
        self.bytes_in += len(data)
        if not self.body:
            self.body = data  # the body usually arrives in one piece
        elif self._parts is None:
            self._parts = [self.body, data]
        else:
            self._parts.append(data)
        if self.bytes_in > (MAX_BODY if self.status < 300 else MAX_ERROR_BODY):
            too_long = ValueError(f"an answer of over {self.bytes_in} bytes")
            self._end_with_error(self._garbled(too_long), now)

    def _read_stream(self, data: bytes, now: float) -> None:
        self.bytes_in += len(data)
        try:
            is_over = READERS[self.mode](self, data, now)
        except provider_calls.MALFORMED as exc:
            # A framer that does not read text, such as AWS's, may have got an error as text.
            sent = b"" if self.arrivals else data
            self._end_with_error(find_error(data) or self._garbled(exc, sent), now)
            return
        if is_over:
            self._complete(now)
            return
        if self._pieces:
            self._forward(now)
        if self._can_relay and self.is_committed and self._framer.is_clear:
            self.mode = RELAY

    def _read_end(self, now: float) -> None:
        try:
            if self.mode is Mode.BODY:
                self._read_body(now)
            else:
                self._decode_frames(self._framer.end(), now)  # the encoder adds their end
        except provider_calls.MALFORMED as exc:
            self._end_with_error(self._garbled(exc), now)
            return
        self._complete(now)

    def _is_stream(self, content_type: bytes | None) -> bool:
        """Trust the response's Content-Type over ``stream``: some providers send one JSON body for
        a streaming request."""
        if content_type is not None:
            if content_type[: len(JSON)] == JSON:
                return False
            if content_type[: len(SSE)] == SSE:
                return True
            if content_type.startswith(ERROR_TYPES):
                return False
        return self.context.call.asks_stream

    def _read_body(self, now: float) -> None:
        if self._parts is not None:
            self.body, self._parts = b"".join(self._parts), None
        self.body = self.body.removeprefix(BYTE_ORDER_MARK)
        if not 200 <= self.status < 300:
            self.accumulator.failed = self._decode_error()
            return
        if not self.body.strip():
            raise ValueError("an empty answer")
        provider, context, encoder = self.upstream.provider, self.context, self.encoder
        if (
            encoder is None
            and context.is_passthrough
            and provider.summarize is not None
            and (self.guard is None or self.guard.checks is None)
            and is_utf8(self.body)
        ):
            try:  # noqa: SIM105 - ``suppress`` would take longer than the rest of this function
                self._summary = provider.summarize(self.body)
            except provider_calls.MALFORMED:
                pass
            if self._summary is not None:
                self.arrivals = (now,)
                return
        events = self._decode_body()
        if self.accumulator.add(events):
            self.arrivals = (now,)
        if encoder is not None:
            self._encode_whole(encoder, events, now)

    def _decode_body(self) -> list[Event]:
        request, is_text = self.context.sent, is_utf8(self.body)
        try:
            if is_text or (repaired := repair_json(self.body)) is None:
                return provider_calls.decode(self.upstream, request, self.body)
        except provider_calls.MALFORMED:
            repaired = repair_json(self.body)
            if repaired is None:
                raise
        events = provider_calls.decode(self.upstream, request, repaired)
        self.body = finish(repaired.decode()).encode()  # it may be passed through
        return CharacterJoiner().join(events)

    def _encode_whole(self, encoder: StreamEncoder, events: list[Event], now: float) -> None:
        """The response to a streaming request was one JSON body: encode it as a stream that arrived
        at once."""
        piece = encoder.encode(NO_FRAME, events, self._unix_offset + now)
        self._pieces = [piece] if piece else []

    def _decode_error(self) -> UpstreamError:
        if 300 <= self.status < 400:
            return UpstreamError(f"The provider answered with a redirect ({self.status}).")
        headers = tuple(self.response_headers.items())
        return self.upstream.provider.decode_error(self.status, headers, self.body)

    def _garbled(self, exc: Exception, sent: bytes | None = None) -> UpstreamGarbled:
        """``sent``: what was to be read, by default the body."""
        message = f"{self.upstream.name} sent what its wire format does not allow: {exc}."
        return UpstreamGarbled(message + said_instead(self.body if sent is None else sent))

    def _unfinished(self) -> UpstreamError:
        if self.mode is Mode.BODY:
            return self._garbled(ValueError("an answer without any choice"))
        message = f"{self.upstream.name} ended its stream without finishing the answer."
        return UpstreamTruncated(message if self.arrivals else message + said_instead(self.unread))

    def _forward(self, now: float) -> None:
        """Write the encoded pieces to the client, unless they must be held back."""
        if not self.is_committed:
            if self._hold_back and (not self.arrivals or self._is_held()):
                return
            self._commit()
            self._send_headers()
        pieces, self._pieces = self._pieces, []
        if len(pieces) > 1 and self.encoder is not None and self.encoder.is_framed:
            pieces = [b"".join(pieces)]
        write = self._sink.write
        for piece in pieces:
            self.bytes_out += len(piece)
            write(piece)
        self.last_write = now

    def _is_held(self) -> bool:
        checks = None if self.guard is None else self.guard.checks
        return checks is not None and checks.holds_all and not self.is_over

    def _commit(self) -> None:
        if self.guard is not None:
            self.guard.on_commit(self)
        self.is_committed = True

    def _send_headers(self) -> None:
        if not self.has_headers and self.encoder is not None:
            self.has_headers = True
            is_last = self.is_committed or not self._hold_back
            started = self.accumulator.started
            headers = describe_stream(
                self.context,
                self.encoder.content_type,
                self.upstream,
                None if started is None else started.model,
                self.number if is_last else None,
                self.arrivals[0] - self.started if self.arrivals else None,
                self.response_headers,
                self._unix_offset + (self.responded or 0.0),
                self.origin,
            )
            self._sink.send_headers(200, headers)

    def _complete(self, now: float) -> None:
        if self._summary is None:
            accumulator = self.accumulator
            if accumulator.failed is not None:
                self._end_with_error(accumulator.failed, now)  # type: ignore[arg-type]
                return
            if not accumulator.is_finished:
                self._end_with_error(self._unfinished(), now)
                return
        guard = self.guard
        if guard is not None and guard.checks is not None and not self.is_committed:
            failure = guard.checks.find_failure(self)
            if failure is not None:
                self._end_with_error(failure, now)
                return
        self.ended = now
        self.is_over = True
        request, self.upstream_request = self.upstream_request, None  # break the reference cycle
        if request is not None:
            request.finish()
        if self.encoder is not None:
            if not self.is_committed:
                self._commit()
                self._send_headers()
            if self._pieces:
                self._forward(now)
        elif guard is not None and guard.committer is not None:
            guard.on_commit(self)
        self._report()

    def _end_with_error(self, error: HeadwayError, now: float) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.error = error
        self.ended = now
        request, self.upstream_request = self.upstream_request, None
        if request is not None:
            request.cancel()
        if self.is_committed and self._pieces:
            self._forward(now)
        self._report()

    def _end_with_defect(self, exc: Exception, now: float) -> None:
        """Something raised what it may not raise: log it, and end the attempt, if it has not yet
        reported its end."""
        extra = fields(request_id=self.context.request_id)
        log.error("the answer could not be processed", exc_info=exc, extra=extra)
        if self._on_done is not None:
            self.is_over, self._pieces = False, []
            self._end_with_error(unprocessable(self.upstream), now)

    def _report(self) -> None:
        on_done, self._on_done = self._on_done, None  # break the reference cycle
        assert on_done is not None
        on_done(self)
