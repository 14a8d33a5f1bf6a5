"""What stands between a client's bytes and both skins of ``headway serve``.

uvicorn's protocol over httptools, whose parser is strict (both length headers, bare LF, NUL, folded
lines and odd chunk sizes are refused by it), and what that leaves open:

- limits: a head has a size (431, and 414 for its first line), a request has a time (408);
- RFC 9112: one ``Host``; ``chunked`` is the only transfer coding, once, and not in HTTP/1.0;
  trailers are no headers; versions but 1.0 and 1.1 are refused (505);
- a client that sent its next request before its turn, and leaves, is noticed, for its connection is
  still read; uvicorn stops reading there;
- offers to upgrade are passed over, as RFC 9110 section 7.8 allows: Java's client makes one (h2c)
  with every first request, and uvicorn would lose that request's body;
- a refusal is our JSON, comes in its turn (never into the answer to an earlier request), and is the
  connection's last word: what follows is read away for a while, so that the client gets to see it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from headway.dialects.base import JSON, encode_error
from headway.errors import HeadwayError, RequestError
from headway.server.http import cors
from headway.server.http.flow_control import PatientFlow
from headway.types import Headers

if TYPE_CHECKING:
    from headway.pipeline.gateway import Gateway
    from headway.server.app import App

log = logging.getLogger("headway")

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's line and headers, or of its trailers."""
URL_LIMIT = 16 * 1024
HEADERS_LIMIT = 128
HELD_LIMIT = 256 * 1024
"""Bytes that wait behind a request that is being answered before no more are read."""
LINGER_S = 2.0
"""How long the rest of a refused request is read away: a close at once would be a reset, and take
the answer with it (RFC 9112 section 9.6)."""

BETWEEN, HEAD, BODY, TRAILERS = range(4)
"""What of a request is being read. Before each chunk of a body: TRAILERS, for they may follow."""

HOP_BY_HOP = (b"upgrade", b"http2-settings")
WATCHED = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))


class Front(HttpToolsProtocol):
    """uvicorn's ``http=`` class for the ASGI skin. The application must be a ``server.app.App``."""

    # What a connection begins with is kept on the class: many may begin at once.
    is_at_rest = False
    """Every request is answered, and of the next one nothing has come (said only of clients that
    repeat themselves, for it matters to no others)."""
    is_upgrade = False
    length = 0
    """As the request in hand announces it; 0 if it does not."""
    repeats = True
    stage = BETWEEN
    version = "1.1"
    _age = 0.0
    _coding: bytes | None = None
    _current: Any = None
    """uvicorn's cycle whose turn it is; ``cycle`` is the latest, which may have to wait."""
    _fed = 0
    _head_size = 0
    _heard: Headers = ()
    _held_size = 0
    _hosts = 0
    _is_deaf = False
    _last_words: bytes | None = None

    # --- Bytes ------------------------------------------------------------------------------------

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        app: Any = self.config.app
        self.owner: App = app
        self.gateway: Gateway = self.owner.gateway
        self.cors_origins: tuple[str, ...] = self.owner.config.server.cors_origins
        self._held: list[bytes] = []
        """Bytes that wait behind a request that is being answered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = PatientFlow(transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn's, which tells the latest request only."""
        super().connection_lost(exc)
        self.pipeline.clear()
        current, self._current = self._current, None
        if current is not None and not current.response_complete:
            current.disconnected = True
            current.message_event.set()
        # They refer to us: apart, all go at once, and not when the collector comes round.
        if isinstance(self.flow, PatientFlow):
            self.flow.part()
        self.cycle = None  # type: ignore[assignment]

    def shutdown(self) -> None:
        """Likewise."""
        if self._current is not None:
            self._current.keep_alive = False
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self._held or self.flow.read_paused:
            self._hold(data)
            return
        self._fed = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as exc:
            self._pass_over_upgrade(data[exc.args[0] :])
        except httptools.HttpParserError as exc:
            self.refuse(_fault(exc))
        else:
            if self.stage & 1:  # HEAD, TRAILERS
                self._grow_head()

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size > HELD_LIMIT:
            self.transport.pause_reading()

    def release(self) -> None:
        """What was held is read when the parser, which may be at work right now, has come back."""
        if self._held:
            self.loop.call_soon(self._read_held)

    def _read_held(self) -> None:
        if self.flow.read_paused or not self._held or self.transport.is_closing():
            return
        data, self._held = b"".join(self._held), []
        if self._held_size > HELD_LIMIT:
            self.transport.resume_reading()
        self._held_size = 0
        self.data_received(data)

    def _grow_head(self) -> None:
        self._head_size += self._fed
        if self._head_size > HEAD_LIMIT:
            self.refuse(_head_too_large())

    def _pass_over_upgrade(self, rest: bytes) -> None:
        """The parser has stopped: another one gets the same head without the offer."""
        lines = [b"%b %b HTTP/1.1" % (self.parser.get_method(), self.url)]
        for name, value in self.headers:
            if name not in HOP_BY_HOP:
                kept = _without_offers(value) if name == b"connection" else value
                lines.append(b"%b: %b" % (name, kept))
        self.is_upgrade = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.data_received(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    # --- Parser callbacks -------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """uvicorn builds the ASGI scope here; a hot request needs none."""
        self.stage = HEAD
        self.is_at_rest = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.length = 0
        self._age = 0.0
        self._head_size = 0
        self._hosts = 0
        self._coding = None

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > URL_LIMIT:
            raise _url_too_long()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self.headers.append((name, value))
        if name not in WATCHED or self.stage == TRAILERS:
            return
        if name == b"host":
            self._hosts += 1
        elif name == b"content-length":
            self.length = int(value)  # llhttp takes one, of digits, that fits in 64 bits
        elif name == b"transfer-encoding":
            self._coding = value.lower() if self._coding is None else b"twice"
        elif value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        if self.check_head():
            self.leave_to_uvicorn()

    def check_head(self) -> bool:
        """False for an offer to upgrade, which comes again without it. Raises what is wrong."""
        parser = self.parser
        self.version = version = parser.get_http_version()
        if self._hosts != 1 and (self._hosts or version == "1.1"):
            raise RequestError("A request has one Host header (RFC 9112, section 3.2).")
        if version not in ("1.1", "1.0"):
            message = f"This server speaks HTTP/1.1, not HTTP/{version}."
            raise RequestError(message, status=505)
        if self._coding is not None and (self._coding != b"chunked" or version == "1.0"):
            message = "The one Transfer-Encoding taken is `chunked`, in HTTP/1.1."
            raise RequestError(message, status=501)
        if len(self.headers) > HEADERS_LIMIT or self._head_size + self._fed > HEAD_LIMIT:
            self._measure_head()
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise RequestError("This server is no proxy.", status=405)
            self.is_upgrade = True
            return False
        return True

    def _measure_head(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if len(self.headers) > HEADERS_LIMIT or size > HEAD_LIMIT:
            raise _head_too_large()

    def leave_to_uvicorn(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = expects
        super().on_headers_complete()
        self.close_head()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._current = cycle
        super()._start_asgi_task(cycle, app)

    def close_head(self) -> None:
        """The cycle is there. Trailers are no headers (RFC 9110, section 6.5.1)."""
        self.stage = BODY
        self._heard = self.headers
        self.headers = []

    def on_chunk_header(self) -> None:
        self.stage = TRAILERS
        self._head_size = -self._fed  # what came before does not count

    def on_body(self, body: bytes) -> None:
        self.stage = BODY
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.is_upgrade:
            self.stage = BETWEEN
            super().on_message_complete()

    # --- Refusals ---------------------------------------------------------------------------------

    def refuse(self, error: HeadwayError) -> None:
        """Answer the request that is being read, in its turn, and hear no more."""
        self._is_deaf, self.is_at_rest = True, False
        cycle = self.cycle
        if self.stage in (BODY, TRAILERS):
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
                self._last_words = self._refusal(error)
                return
            if cycle.response_started:
                self.linger() if cycle.response_complete else self.transport.close()
                return
            cycle.disconnected = cycle.response_complete = True
            cycle.message_event.set()
        self._last_words = self._refusal(error)
        if self.cycle is None or self.cycle.response_complete:
            self._say_last_words()

    def _refusal(self, error: HeadwayError) -> bytes:
        request_id = self.gateway.new_id()
        body = encode_error(error, None, request_id)
        heard = self._heard if self.stage in (BODY, TRAILERS) else self.headers or ()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", JSON),
            (b"x-request-id", request_id.encode()),
            *cors.allow(self.cors_origins, heard),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return b"%b%b\r\n%b" % (STATUS_LINE[error.status], lines, body)

    def _say_last_words(self) -> None:
        if self._last_words is not None and not self.transport.is_closing():
            self.transport.write(self._last_words)
            self.linger()

    def linger(self) -> None:
        """Close, but not over the head of a client that is still sending."""
        self._is_deaf, self.is_at_rest = True, False
        self.stage = BETWEEN
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_S, self.transport.close)

    def on_response_complete(self) -> None:
        """uvicorn's, without a timer for each request: ``tick`` sees to idle connections."""
        self.server_state.total_requests += 1
        self._age = 0.0
        if self.stage or self.pipeline or self._held or self._is_deaf or self.flow.read_paused:
            self._go_on()
        else:
            self.is_at_rest = self.repeats

    def _go_on(self) -> None:
        """More has come than the request that is answered now."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._is_deaf:
            self._say_last_words()
        elif self.stage in (BODY, TRAILERS):
            self.linger()  # answered before it was read: what follows may be its body, or may not

    # --- Time -------------------------------------------------------------------------------------

    def tick(self, seconds: float, keep_alive: float, read_timeout: float) -> None:
        """So much time has passed. Called now and then, which is cheaper than a timer a request."""
        is_reading = self.stage != BETWEEN or self.cycle is None
        if self._is_deaf or self.flow.read_paused or not (is_reading or self._is_idle()):
            self._age = 0.0
            return
        self._age += seconds
        if self._age < (read_timeout if is_reading else keep_alive):
            return
        if self.stage == BETWEEN:
            self.transport.close()
        else:
            message = f"The request was not here after {read_timeout:g} s."
            self.refuse(RequestError(message, status=408))

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete


def _without_offers(connection: bytes) -> bytes:
    tokens = [token.strip() for token in connection.split(b",")]
    return b", ".join(token for token in tokens if token.lower() not in HOP_BY_HOP)


def _fault(exc: httptools.HttpParserError) -> HeadwayError:
    """What a callback raised, or what the parser says, which is about the bytes and not of them."""
    cause = exc.__context__
    if isinstance(cause, HeadwayError):
        return cause
    if isinstance(exc, httptools.HttpParserCallbackError) and not isinstance(
        cause, httptools.HttpParserError
    ):
        log.error("a request failed on a defect of the gateway", exc_info=cause)
    return RequestError(f"This is no HTTP request that can be understood: {exc}.")


def _head_too_large() -> RequestError:
    message = f"The headers are more than {HEAD_LIMIT} bytes or {HEADERS_LIMIT} lines."
    return RequestError(message, status=431)


def _url_too_long() -> RequestError:
    return RequestError(f"The address is longer than {URL_LIMIT} bytes.", status=414)
