"""One client connection: HTTP/1.1 from the bytes of the socket to the routes.

The parser (httptools, which is llhttp) is strict: it refuses both length headers, bare LF, NUL,
folded lines and odd chunk sizes. This file adds:

- limits: the head has a maximum size (431, and 414 for its first line), a request a maximum time
  (408);
- RFC 9112: one ``Host``; ``chunked`` is the only transfer coding, once, and not in HTTP/1.0;
  trailers are not headers; only versions 1.0 and 1.1 (505);
- pipelining: requests are answered in their order. The socket is read while an earlier request is
  answered, so that a client that leaves is noticed;
- offers to upgrade are ignored, as RFC 9110 section 7.8 allows: Java's client offers h2c with
  every first request. A WebSocket to a provider is passed through (``websocket_tunnel``);
- refusals: our JSON error is sent after the responses to all earlier requests, and never inside
  one. The connection closes after it, and further input is read and ignored for a while, because
  closing at once would send a reset that takes the response with it.

Requests on a route that ``find_route`` knows go straight to the pipeline (``RequestCycle``), all
others to the ASGI application (``uvicorn_adapter.AsgiCycle``). Both kinds of cycle have the same
methods.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import httptools

from headway.dialects.base import JSON, OpenAIFormat
from headway.errors import HeadwayError, RequestError
from headway.pipeline.failure_log import fields, log_failure
from headway.pipeline.gateway import Gateway
from headway.policy.request_headers import find_request_id
from headway.server.api import native_routes, refused_responses
from headway.server.asgi import HTTP_ONLY, too_large
from headway.server.http import cors, request_head
from headway.server.http.access_log import AccessEntry
from headway.server.http.flow_control import ClientFlowControl
from headway.server.http.request_cycle import LoggedRequestCycle, RequestCycle
from headway.server.http.request_head import HEAD_LIMIT, HEADERS_LIMIT, URL_LIMIT
from headway.server.http.request_head_cache import RequestHeadCache, Route
from headway.server.http.response_head import header_lines, status_line
from headway.server.http.uvicorn_adapter import AsgiCycle, ConnectionHost
from headway.server.http.websocket_tunnel import WebSocketTunnel

PLAIN = OpenAIFormat()
"""The format of errors on paths without a dialect."""
log = logging.getLogger("headway")
FindRoute = Callable[[bytes], Route | None]
"""The pipeline route of a POST request's target; None for every other target."""

HELD_LIMIT = 256 * 1024
"""Limit of bytes received after a request in progress; beyond it reading pauses."""
LINGER_S = 2.0
"""How long the rest of a refused request is read and ignored: an immediate close would be a reset,
and the client would lose the response (RFC 9112 section 9.6)."""

IDLE, HEAD, BODY, TRAILERS = range(4)
"""The part of a request that is being read. TRAILERS also before each chunk of a body, because
after the last one trailers may follow."""

CHECKED_HEADERS = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))


class HttpProtocol(asyncio.Protocol):
    """``host.app`` is a started ``server.app.App``."""

    # The initial values are on the class: many connections may open at once.
    flow: ClientFlowControl
    transport: asyncio.Transport
    url = b""
    is_at_rest = False
    """Every request has its reply, and no byte of the next one was received."""
    is_upgrade = False
    """The head that is being read offers an upgrade."""
    length = 0
    """Bytes, as ``content-length`` of the current request says; 0 without one."""
    stage = IDLE
    version = "1.1"
    cycle: RequestCycle | AsgiCycle | None = None
    """The latest request, which may have to wait for its turn."""
    _age = 0.0
    """Seconds for which the gateway has waited for the client."""
    _coding: bytes | None = None
    """The transfer coding of the current request."""
    _current: RequestCycle | AsgiCycle | None = None
    """The request that is being answered."""
    expects_continue = False
    _fed = 0
    """Bytes in the parser's current call."""
    _final_response: bytes | None = None
    """A refusal that is sent when all earlier requests are answered."""
    _head_size = 0
    """Bytes of the current head or trailers in earlier calls of the parser."""
    _held_size = 0
    _host_count = 0
    _ignores_input = False
    _request_headers: list[tuple[bytes, bytes]] | None = None
    """Headers of the request whose body is being read."""

    def __init__(self, host: ConnectionHost, find_route: FindRoute) -> None:
        self.host = host
        self.gateway: Gateway = host.app.gateway
        self.cors_origins: tuple[str, ...] = host.app.config.server.cors_origins
        self.headers: list[tuple[bytes, bytes]] = []
        self.parser: httptools.HttpRequestParser = self._new_parser()
        self.waiting: deque[RequestCycle | AsgiCycle] = deque()
        """Requests that wait for earlier responses, the latest first."""
        self._find_route = find_route
        self._head_cache = RequestHeadCache()
        self._held: list[bytes] = []
        """Bytes received while ``flow`` pauses reading."""

    # --- Transport callbacks ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """uvloop keeps what is below the write buffer's high-water mark until the end of the loop's
        turn. A whole response is one write, and need not wait. (Not 0: asyncio's TLS transport
        takes that as always reached.)"""
        self.host.connections.add(self)
        self.transport = transport
        self.flow = ClientFlowControl(self._release)
        transport.set_write_buffer_limits(1, 0)

    def connection_lost(self, exc: Exception | None) -> None:
        self.host.connections.discard(self)
        self.waiting.clear()
        current, self._current = self._current, None
        if current is not None and not current.response_complete:
            current.disconnect()
        self.flow.resume_writing()
        if exc is None:
            self.transport.close()
        # Without these references the objects are freed now, not when the collector next runs.
        self.flow.detach()
        self.cycle = None
        del self.parser

    def data_received(self, data: bytes) -> None:
        """A whole request with a known head skips the parser if nothing else is in progress. The
        parser is between two requests then, before and after."""
        if not self.is_at_rest:
            self._read(data)
            return
        found = self._head_cache.lookup(data)
        if found is None or len(found[3]) > self.gateway.snapshot.body_limit:
            self._read_and_learn(data)
            return
        self.is_at_rest = False
        route, facts, headers, body = found
        cls = RequestCycle
        if self.host.access_log is not None:
            cls, self.url = LoggedRequestCycle, data.split(b" ", 2)[1]
        self.cycle = self._current = cycle = cls(self, headers)
        cycle.begin(route, body, facts)

    def _read_and_learn(self, data: bytes) -> None:
        earlier = self.cycle
        self._read(data)
        cycle = self.cycle
        if cycle is earlier or not isinstance(cycle, RequestCycle):
            return
        if cycle.keep_alive and not self.expects_continue:
            self._head_cache.learn(data, self.url, cycle.headers, cycle.route)

    def _read(self, data: bytes) -> None:
        if self._ignores_input:
            return
        if self._held or self.flow.read_paused:
            self._hold(data)
            return
        self._fed = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as exc:
            self._on_upgrade(data[exc.args[0] :])
        except httptools.HttpParserError as exc:
            self._refuse(request_head.parser_error(exc))
        else:
            if self.stage in (HEAD, TRAILERS):
                self._grow_head()

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size > HELD_LIMIT:
            self.transport.pause_reading()

    def _release(self) -> None:
        """Read the held bytes soon: the parser may be in the middle of a call right now."""
        if self._held:
            self.host.loop.call_soon(self._read_held)

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
            self._refuse(request_head.head_too_large())

    def _new_parser(self) -> httptools.HttpRequestParser:
        """The parser continues after a request with ``connection: close``, so that a pipelined
        request behind it is no error, as in uvicorn."""
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _on_upgrade(self, rest: bytes) -> None:
        """The parser has stopped behind a head with an offer to upgrade."""
        method = self.parser.get_method()
        address = native_routes.find_websocket(method, self.url, self.headers)
        if address is None or not self._is_idle():
            self._ignore_upgrade(rest)
            return
        self.host.connections.discard(self)
        self.flow.detach()
        del self.parser
        WebSocketTunnel(self).begin(address, rest)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """The parser has stopped: a new one gets the same head without the offer."""
        head = request_head.without_upgrade(self.parser.get_method(), self.url, self.headers)
        self.is_upgrade = False
        self.parser = self._new_parser()
        self.data_received(head + rest)

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        if self._current is not None:
            self._current.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        if self._current is not None:
            self._current.resume_writing()

    # --- Parser callbacks -------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.stage = HEAD
        self.is_at_rest = False
        self.url = b""
        self.headers = []
        self.length = 0
        self._age = 0.0
        self._coding = None
        self.expects_continue = False
        self._head_size = 0
        self._host_count = 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > URL_LIMIT:
            raise request_head.url_too_long()

    def on_header(self, name: bytes, value: bytes) -> None:
        name, value = name.lower(), value.rstrip(b" \t")  # RFC 9110, section 5.5
        self.headers.append((name, value))
        if name not in CHECKED_HEADERS or self.stage == TRAILERS:
            return
        if name == b"host":
            self._host_count += 1
        elif name == b"content-length":
            self.length = int(value)  # llhttp takes one, of digits, that fits in 64 bits
        elif name == b"transfer-encoding":
            self._coding = value.lower() if self._coding is None else b"twice"
        elif value.lower() == b"100-continue":
            self.expects_continue = True

    def on_headers_complete(self) -> None:
        self._check_head()
        if self.is_upgrade:
            return
        keep_alive = self.version != "1.0" and self.parser.should_keep_alive()
        earlier, self.cycle = self.cycle, self._new_cycle(keep_alive)
        self.stage = BODY
        self._request_headers = self.headers
        self.headers = []  # for trailers, which are not headers (RFC 9110, section 6.5.1)
        if earlier is None or earlier.response_complete:
            self._start(self.cycle)
        else:
            self.flow.pause_reading()
            self.waiting.appendleft(self.cycle)

    def _check_head(self) -> None:
        """Raise HeadwayError for what is wrong with the head."""
        parser = self.parser
        self.version = parser.get_http_version()
        request_head.check_framing(self.version, self._host_count, self._coding)
        if len(self.headers) > HEADERS_LIMIT or self._head_size + self._fed > HEAD_LIMIT:
            request_head.check_size(self.url, self.headers)
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise RequestError("This server is no proxy.", status=405)
            path = self.url.partition(b"?")[0].decode("latin-1")
            method = parser.get_method().decode()
            refusal = refused_responses.find_websocket(method, path, self.headers)
            if refusal is not None:
                raise refusal
            self.is_upgrade = True

    def _new_cycle(self, keep_alive: bool) -> RequestCycle | AsgiCycle:
        """Raises BodyTooLarge if the announced length of a pipeline request is over the limit."""
        method = self.parser.get_method()
        route = self._find_route(self.url) if method == b"POST" else None
        if route is None:
            return self.host.asgi_cycle(self, method, keep_alive)
        limit = self.gateway.snapshot.body_limit
        if self.length > limit:
            raise too_large(limit)
        cls = RequestCycle if self.host.access_log is None else LoggedRequestCycle
        cycle = cls(self, self.headers)
        cycle.expect_body(
            route, self.expects_continue, keep_alive=keep_alive, is_chunked=self.version != "1.0"
        )
        return cycle

    def _start(self, cycle: RequestCycle | AsgiCycle) -> None:
        self._current = cycle
        cycle.start()

    def on_chunk_header(self) -> None:
        self.stage = TRAILERS
        self._head_size = -self._fed  # what came before does not count

    def on_body(self, body: bytes) -> None:
        self.stage = BODY
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.feed(body)

    def on_message_complete(self) -> None:
        if self.is_upgrade:
            return
        self.stage = IDLE
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.feed_end()

    # --- Refusals ---------------------------------------------------------------------------------

    def _refuse(self, error: HeadwayError) -> None:
        """Answer the request that is being read after all earlier ones, and ignore what follows."""
        self._ignores_input, self.is_at_rest = True, False
        cycle = self.cycle
        if cycle is not None and self.stage in (BODY, TRAILERS):
            if self.waiting and self.waiting[0] is cycle:
                self.waiting.popleft()
                self._final_response = self._refusal(error)
                return
            if cycle.response_started:
                self._linger() if cycle.response_complete else self.transport.close()
                return
            cycle.response_complete = True
            cycle.disconnect()
        self._final_response = self._refusal(error)
        if cycle is None or cycle.response_complete:
            self._send_final_response()

    def _refusal(self, error: HeadwayError) -> bytes:
        found = self._find_route(self.url)
        dialect = PLAIN if found is None else found[0]
        is_after_head = self.stage in (BODY, TRAILERS)
        received = (self._request_headers if is_after_head else self.headers) or ()
        request_id = find_request_id(received) or self.gateway.new_id()
        body = dialect.encode_error(error, None, request_id)
        self._log_refusal(error, request_id, dialect.status_of(error), len(body))
        headers = (
            (b"content-type", JSON),
            (b"x-request-id", request_id.encode()),
            *cors.allow(self.cors_origins, received),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        )
        if error.status == refused_responses.NO_WEBSOCKET_STATUS:
            headers = (HTTP_ONLY, *headers)
        begin = status_line(dialect.status_of(error)) + self.host.header_lines
        return b"%b%b\r\n%b" % (begin, header_lines(headers), body)

    def _log_refusal(self, error: HeadwayError, request_id: str, status: int, size: int) -> None:
        """What cannot be understood as a request may be frequent: it is logged for ``debug``."""
        method = self.parser.get_method().decode("ascii") if self.url else ""
        entry = AccessEntry(method, self.url, self.gateway.clock())
        if self.stage in (BODY, TRAILERS):
            log_failure(
                "request failed",
                error,
                request_id=request_id,
                method=entry.method,
                path=entry.path,
            )
        else:
            log.debug("request refused", extra=fields(request_id=request_id, reason=error.message))
        if self.host.access_log is not None:
            entry.status, entry.size, entry.request_id = status, size, request_id
            self.host.access_log(entry)

    def _send_final_response(self) -> None:
        if self._final_response is not None and not self.transport.is_closing():
            self.transport.write(self._final_response)
            self._linger()

    def _linger(self) -> None:
        """Close, but not before a client that is still sending could read the response."""
        self._ignores_input, self.is_at_rest = True, False
        self.stage = IDLE
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.host.loop.call_later(LINGER_S, self.transport.close)

    def on_response_complete(self) -> None:
        """Called by the cycle. No timer is set for the idle connection: ``tick`` measures that."""
        self._age = 0.0
        if self.stage or self.waiting or self._held or self._ignores_input or self.flow.read_paused:
            self._go_on()
        else:
            self.is_at_rest = True

    def _go_on(self) -> None:
        """Bytes behind the answered request were received already."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.waiting:
            self._start(self.waiting.pop())
        elif self._ignores_input:
            self._send_final_response()
        elif self.stage in (BODY, TRAILERS):
            self._linger()  # the rest of the request may still arrive

    # --- Time -------------------------------------------------------------------------------------

    def tick(self, seconds: float, keep_alive: float, read_timeout: float) -> None:
        """``seconds`` have passed. One call for all connections now and then costs less than a
        timer for each request. ``keep_alive`` and ``read_timeout`` are limits in seconds for an
        idle connection and for reading a request."""
        is_reading = self.stage != IDLE or self.cycle is None
        if self._ignores_input or self.flow.read_paused or not (is_reading or self._is_idle()):
            self._age = 0.0
            return
        self._age += seconds
        if self._age < (read_timeout if is_reading else keep_alive):
            return
        if self.stage == IDLE:
            self.transport.close()
        else:
            message = f"The request was not here after {read_timeout:g} s."
            self._refuse(RequestError(message, status=408))

    def shutdown(self) -> None:
        """Close if idle, else after the response in progress. uvicorn's server calls this."""
        for cycle in (self._current, self.cycle):
            if cycle is not None:
                cycle.keep_alive = False
        if self._is_idle():
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete
