"""Pass one response on to the client as it arrives: its status, its headers, its bytes.

    relay = RawRelay(sink, started, head=..., observer=..., secrets=..., on_done=...)
    relay.bind(transport.send(http_request, timeouts, relay))
    ...                            # on_done(relay) is called once, when nothing more will arrive
    relay.end()                    # after the record is written, if ``relay.error`` is None

Every piece is written in the call that brings it, and nothing is held back but the bodies of
errors, from which secrets are removed. A client that reads more slowly than the provider writes
pauses the provider. An ``observer`` sees everything that is passed on, and cannot change or delay
it: what it raises is logged, and it sees no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Protocol

from headway.errors import HeadwayError, UpstreamError, UpstreamGarbled
from headway.metering.timing import Meter
from headway.pipeline.redaction import SHORTEST_SECRET
from headway.ports import RawSink, UpstreamRequest
from headway.types import Headers

log = logging.getLogger("headway")
MAX_ERROR_BODY = 256 * 1024
"""Bytes of an error's body that are held back; a longer one is passed on from there on."""
LAST_STATUS = 599
BODILESS_STATUSES = frozenset({204, 304})
"""RFC 9110, section 6.4.1. A response to HEAD has no body either."""
NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})
Head = Callable[[int, Headers], list[tuple[bytes, bytes]]]
"""(status, headers of the provider) -> headers for the client, without ``content-length``."""


class Observer(Protocol):
    """Reads a response on the side. Times are of the gateway's clock."""

    def on_response(self, status: int, headers: Mapping[bytes, bytes], now: float) -> None: ...

    def on_chunk(self, data: bytes, now: float) -> None: ...

    def on_end(self, now: float) -> None:
        """The body is complete."""


class RawRelay(Meter):
    """A ``ports.ResponseReceiver``, and the stopwatch of the response (``Meter``). ``started`` is
    the clock when the client's request was read, ``secrets`` are removed from error bodies."""

    def __init__(
        self,
        sink: RawSink,
        started: float,
        *,
        head: Head,
        on_done: Callable[[RawRelay], None],
        observer: Observer | None = None,
        secrets: Collection[str] = (),
        is_head: bool = False,
    ) -> None:
        super().__init__(started)
        self.status = self.bytes_in = self.bytes_out = 0
        """The provider's status, 0 before it; bytes of the provider's body, and of the client's."""
        self.response_headers = NO_HEADERS
        self.error: HeadwayError | None = None
        """Why the response did not come to its end."""
        self.error_body = b""
        """The provider's own error: the body of a response with a status from 400 on."""
        self.has_head = False
        """The client has the status and the headers."""
        self.is_over = False
        self._sink = sink
        self._head = head
        self._on_done: Callable[[RawRelay], None] | None = on_done
        self._observer = observer
        self._secrets = [text.encode() for text in secrets if len(text) >= SHORTEST_SECRET]
        self._is_head = is_head
        self._held: list[bytes] | None = None
        """The body of an error so far."""
        self._received: Headers = ()
        self._request: UpstreamRequest | None = None

    def bind(self, request: UpstreamRequest) -> None:
        """Couple both sides: ``request`` is what ``Transport.send`` returned for this receiver."""
        if self.is_over:
            return
        self._request = request
        self._sink.on_pause, self._sink.on_resume = request.pause, request.resume
        if self._sink.is_paused:
            request.pause()

    def end(self, data: bytes = b"") -> None:
        """Write the end of the body to the client."""
        self._sink.end(data)

    def cancel(self, error: HeadwayError, now: float) -> None:
        """Stop: the client disconnected, or the server is shutting down."""
        if not self.is_over:
            self.error = error
            self._finish(now)

    def detach(self, sink: RawSink) -> None:
        """Write to ``sink`` from now on, and read on if the client made it pause."""
        self._sink = sink
        if self._request is not None:
            self._request.resume()

    # --- Called by the transport ------------------------------------------------------------------

    def on_sent(self, now: float) -> None:
        self.sent = now

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.responded = now
        self.status = status
        self.response_headers = dict(headers)
        if status > LAST_STATUS:
            self.cancel(UpstreamGarbled(f"the provider answered with status {status}"), now)
            return
        self._received = headers
        if status >= 400 and not self._is_head:
            self._held = []
        else:
            self._send_head(self._length())
        self._observe(lambda observer: observer.on_response(status, self.response_headers, now))

    def on_chunk(self, data: bytes, now: float) -> None:
        self.bytes_in += len(data)
        if self._held is None:
            self._write(data)
            self._observe(lambda observer: observer.on_chunk(data, now))
        else:
            self._held.append(data)
            if self.bytes_in > MAX_ERROR_BODY:
                self._release(None)

    def on_end(self, now: float) -> None:
        self.ended = now
        if self._held is not None:
            self._release(now)
        self._observe(lambda observer: observer.on_end(now))
        self._finish(now)

    def on_error(self, error: UpstreamError, now: float) -> None:
        self.cancel(error, now)

    # --- Inside -----------------------------------------------------------------------------------

    def _send_head(self, length: int | None) -> None:
        headers = self._head(self.status, self._received)
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        self.has_head = True
        self._sink.send_head(self.status, headers)

    def _length(self) -> int | None:
        """The length that the response announces, where it is that of what the client gets: the
        transport decodes compressed bodies."""
        announced = self.response_headers.get(b"content-length", b"")
        is_coded = b"content-encoding" in self.response_headers
        has_none = self.status in BODILESS_STATUSES and not self._is_head
        if is_coded or has_none or not announced.isdigit():
            return None
        return int(announced)

    def _write(self, data: bytes) -> None:
        self.bytes_out += len(data)
        self._sink.write(data)

    def _release(self, ended: float | None) -> None:
        """Pass on the body of an error, without secrets. ``ended`` is when it was complete."""
        body = b"".join(self._held or ())
        self._held = None
        for secret in self._secrets:
            body = body.replace(secret, b"***")
        self.error_body = body
        self._send_head(None if ended is None else len(body))
        if body:
            self._write(body)

    def _observe(self, call: Callable[[Observer], None]) -> None:
        if self._observer is None:
            return
        try:
            call(self._observer)
        except Exception:
            log.exception("a response that was passed on could not be read")
            self._observer = None

    def _finish(self, now: float) -> None:
        self.ended = self.ended or now
        self.is_over = True
        request, self._request = self._request, None
        if request is not None:
            request.cancel() if self.error is not None else request.finish()
        on_done, self._on_done = self._on_done, None
        self._sink.on_pause = self._sink.on_resume = None
        if on_done is not None:
            on_done(self)
