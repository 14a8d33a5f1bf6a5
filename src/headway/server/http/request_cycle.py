"""The default skin: uvicorn's protocol, with the hot routes answered where their bytes arrive.

Every other route goes to uvicorn as before. A hot request takes part in what uvicorn keeps of a
connection (keep-alive, pipelining, flow control, limits, shutdown) by standing in for its
``RequestResponseCycle``: the attributes that ``HttpToolsProtocol`` reads of one are here too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headway.dialects.base import ClientRequest, Dialect
from headway.pipeline.call import GatewayCall
from headway.ports import ResponseHeaders
from headway.server import routes
from headway.server.asgi import too_large
from headway.server.http import cors
from headway.server.http.protocol import BETWEEN, BODY, Front
from headway.server.http.request_head_cache import MARK, Heads
from headway.server.response_headers import response_lines, stream_lines
from headway.types import Headers

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Nothing:
    """The event that uvicorn would set to wake its application."""

    def set(self) -> None: ...


NOTHING = _Nothing()


def _drop(data: bytes) -> None:
    """For nobody."""


class HotCycle:
    """One hot request and its answer: uvicorn's cycle and a ``ports.Sink`` in one."""

    # What most requests never change is kept on the class.
    disconnected = False
    is_current = False
    is_read = False
    keep_alive = True
    message_event = NOTHING
    on_gone: Callable[[], None] | None = None
    on_pause: Callable[[], None] | None = None
    on_resume: Callable[[], None] | None = None
    response_complete = False
    response_started = False
    size = 0
    """Bytes of the body that are here."""
    _is_chunked = True

    def __init__(self, protocol: HeadwayProtocol, headers: Headers) -> None:
        self._protocol = protocol
        self._send: Callable[[bytes], None] = protocol.transport.write
        self.headers = headers

    # --- The request ------------------------------------------------------------------------------

    def gather(self, found: tuple[Dialect, str], keep_alive: bool, is_chunked: bool) -> None:
        """The body comes in parts, or has to wait for its turn."""
        self.found = found
        self.keep_alive = keep_alive
        self._is_chunked = is_chunked
        self.parts: list[bytes] = []

    def take_turn(self) -> None:
        """The answers to all earlier requests of the connection are out."""
        self.is_current = True
        if self.is_read:
            self._begin()

    def read_whole(self) -> None:
        self.is_read = True
        if self.is_current:
            self._begin()

    def _begin(self) -> None:
        parts, self.parts = self.parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        dialect, argument = self.found
        gateway = self._protocol.gateway
        inbound = ClientRequest(argument, self.headers, body)
        GatewayCall(gateway, dialect, inbound, self, gateway.clock()).begin()

    # --- The answer -------------------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        return self._protocol.flow.write_paused

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        if self.disconnected:
            return
        self.response_started = True
        head = response_lines(headers)
        protocol = self._protocol
        if status != 200 or not self.keep_alive or protocol.cors_origins:
            self._send(self._head(status, head, len(body)) + body)
            self._complete()
            return
        if protocol.server_state.default_headers is not protocol.headed:
            protocol.renew_head()
        self._send(
            b"%b%bcontent-length: %d\r\n\r\n%b" % (protocol.good_head, head, len(body), body)
        )
        self.response_complete = True
        protocol.on_response_complete()

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        if self.disconnected:
            return
        self.response_started = True
        self._protocol.transport.set_write_buffer_limits()  # what is written together leaves so
        self.keep_alive = self.keep_alive and self._is_chunked
        self._send(self._head(status, stream_lines(headers), None))

    def write(self, data: bytes) -> None:
        if data:
            send = self._send  # called as an attribute it would be looked for among the methods
            send(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def hang_up(self) -> None:
        """The client left. What is still written goes nowhere."""
        self.disconnected = True
        self._send = _drop
        if self.on_gone is not None:
            self.on_gone()

    def end(self, data: bytes = b"") -> None:
        if self.disconnected:
            return
        if self._is_chunked:
            last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
            self._send(last)
        elif data:
            self._send(data)
        self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        if not self.keep_alive:
            self._protocol.transport.close()
        self._protocol.on_response_complete()

    def _head(self, status: int, head: bytes, length: int | None) -> bytes:
        protocol = self._protocol
        if length is not None:
            framing = b"content-length: %d\r\n" % length
        else:
            framing = b"transfer-encoding: chunked\r\n" if self._is_chunked else b""
        if not self.keep_alive:
            framing += b"connection: close\r\n"
        if protocol.cors_origins:
            allowed = cors.allow(protocol.cors_origins, self.headers)
            framing += b"".join(b"%b: %b\r\n" % pair for pair in allowed)
        if protocol.server_state.default_headers is not protocol.headed:
            protocol.renew_head()
        return b"%b%b%b%b\r\n" % (STATUS_LINE[status], protocol.default_head, head, framing)


class HeadwayProtocol(Front):
    """uvicorn's ``http=`` class. Its application must be a ``server.app.App``."""

    default_head = b""
    good_head = b""
    """How an answer with status 200 begins."""
    headed: list[tuple[bytes, bytes]] | None = None
    """What the two heads were made of."""
    _active: HotCycle | None = None

    def renew_head(self) -> None:
        """uvicorn renews its list (the date) once a second."""
        self.headed = self.server_state.default_headers
        self.default_head = b"".join(b"%b: %b\r\n" % header for header in self.headed)
        self.good_head = STATUS_LINE[200] + self.default_head

    # --- Bytes ------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """A whole request whose head is known (``heads``) is taken as it is, where nothing else is
        going on. All others go through the parser, which is then between two requests as before."""
        if not self.is_at_rest:
            super().data_received(data)
            return
        end = data.find(b"\r\n\r\n") + 4
        size = len(data) - end
        digits = b"%d" % size
        at = data.find(MARK, 0, end) + 7  # len(MARK)
        key = data[:at] + data[at + len(digits) : end]
        known = self._heads.get(key)
        gateway = self.gateway
        if known is None or not data.startswith(digits, at) or size > gateway.snapshot.body_limit:
            earlier = self.cycle
            super().data_received(data)
            if self.cycle is not earlier and data.startswith(digits, at):
                self._learn(key, at, digits)
            return
        self.is_at_rest = False
        dialect, argument, before, after = known
        headers = [*before, (b"content-length", digits), *after]
        self.cycle = self._active = cycle = HotCycle(self, headers)  # type: ignore[assignment]
        inbound = ClientRequest(argument, headers, data[end:])
        GatewayCall(gateway, dialect, inbound, cycle, gateway.clock()).begin()

    def _learn(self, key: bytes, at: int, digits: bytes) -> None:
        """Next time this head need not be read again. ``Heads`` sees to it that it is one, and
        that the one request behind it came whole: its length is that of all the rest."""
        cycle: Any = self.cycle
        if type(cycle) is not HotCycle or not cycle.keep_alive or self.expect_100_continue:
            return
        if self.limit_concurrency is not None or self._heads.is_full:
            self.repeats = self.is_at_rest = False
            self._heads.clear()
        else:
            self._heads.learn(key, at, digits, self.url, cycle.headers, cycle.found)

    # --- Parser callbacks -------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        if not self.check_head():
            return
        found = None
        parser = self.parser
        if parser.get_method() == b"POST":
            found = routes.find_raw(self.url)
        if found is None or self._is_crowded():
            self.leave_to_uvicorn()
            return
        limit = self.gateway.snapshot.body_limit
        if self.length > limit:
            raise too_large(limit)
        is_current = self.cycle is None or self.cycle.response_complete
        is_modern = self.version != "1.0"
        keep_alive = is_modern and parser.should_keep_alive()
        cycle = HotCycle(self, self.headers)
        cycle.gather(found, keep_alive, is_modern)
        self.cycle = cycle  # type: ignore[assignment]
        self.close_head()
        if is_current:
            self._make_current(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, None))  # type: ignore[arg-type]

    def on_body(self, body: bytes) -> None:
        cycle: Any = self.cycle
        if type(cycle) is not HotCycle:
            super().on_body(body)
        elif not cycle.response_complete:
            self.stage = BODY
            cycle.parts.append(body)
            cycle.size += len(body)
            limit = self.gateway.snapshot.body_limit
            if cycle.size > limit:
                raise too_large(limit)

    def on_message_complete(self) -> None:
        cycle: Any = self.cycle
        if type(cycle) is not HotCycle or self.is_upgrade:
            super().on_message_complete()
            return
        self.stage = BETWEEN
        if not cycle.response_complete:
            cycle.read_whole()

    def _is_crowded(self) -> bool:
        """uvicorn's own limit, which then gives its own 503."""
        limit = self.limit_concurrency
        return limit is not None and max(len(self.connections), len(self.tasks)) >= limit

    def _make_current(self, cycle: HotCycle) -> None:
        self._active = cycle
        if self.expect_100_continue and not cycle.is_read:  # then it is the latest request
            self.transport.write(CONTINUE)
        cycle.take_turn()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """uvicorn calls this for a request whose turn has come."""
        if type(cycle) is HotCycle:
            self._make_current(cycle)
        else:
            self._active = None
            super()._start_asgi_task(cycle, app)

    # --- Transport callbacks ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """uvloop keeps what is below the mark until its turn is over. A whole answer is one write,
        and need not wait. (Not 0: asyncio's TLS transport takes that as always reached.)"""
        super().connection_made(transport)
        transport.set_write_buffer_limits(1, 0)
        self._heads = Heads()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        active, self._active = self._active, None
        if active is not None and not active.response_complete:
            active.hang_up()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._active is not None and self._active.on_pause is not None:
            self._active.on_pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._active is not None and self._active.on_resume is not None:
            self._active.on_resume()

    def shutdown(self) -> None:
        """uvicorn's, which asks the latest request; an earlier one may still be answered."""
        if self._active is not None and not self._active.response_complete:
            self._active.keep_alive = False
        super().shutdown()
