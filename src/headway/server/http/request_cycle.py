"""One request on a pipeline route and its response, as bytes on the client's socket."""

from __future__ import annotations

from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from typing import TYPE_CHECKING, Protocol

from headway.dialects.base import ClientRequest
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import Gateway
from headway.ports import ResponseHeaders
from headway.server.asgi import too_large
from headway.server.http import cors
from headway.server.http.access_log import AccessEntry
from headway.server.http.flow_control import ClientFlowControl
from headway.server.http.request_head_cache import Route
from headway.server.http.response_head import header_lines, status_line
from headway.server.http.uvicorn_adapter import ConnectionHost
from headway.server.response_headers import response_lines, stream_lines
from headway.types import Headers, HeadFacts

if TYPE_CHECKING:
    import asyncio

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(Protocol):
    """The interface of a connection for its requests."""

    cors_origins: tuple[str, ...]
    flow: ClientFlowControl
    gateway: Gateway
    host: ConnectionHost
    url: bytes
    transport: asyncio.Transport

    def on_response_complete(self) -> None:
        """The last byte of the response is written, or the connection is closing after it."""


def _discard(data: bytes) -> None:
    """Instead of ``transport.write`` when the client has left."""


class RequestCycle:
    """Gathers the request's body, hands it to the pipeline, and is the ``ports.Sink`` of the
    response. ``uvicorn_adapter.AsgiCycle`` has the same methods for all other routes."""

    # What most requests never change is kept on the class.
    disconnected = False
    keep_alive = True
    on_gone: Callable[[], None] | None = None
    on_pause: Callable[[], None] | None = None
    on_resume: Callable[[], None] | None = None
    response_complete = False
    response_started = False
    _expects_continue = False
    _is_chunked = True
    _is_read = False
    """The body is complete."""
    _is_started = False
    """All earlier responses are complete."""
    _size = 0
    """Bytes of the body so far."""

    def __init__(self, connection: Connection, headers: Headers) -> None:
        self._connection = connection
        self._send: Callable[[bytes], None] = connection.transport.write
        self.headers = headers

    # --- The request ------------------------------------------------------------------------------

    def expect_body(
        self, route: Route, expects_continue: bool, *, keep_alive: bool, is_chunked: bool
    ) -> None:
        """The body comes in parts, or the request has to wait for its turn. ``is_chunked`` says
        whether a response of unknown length is sent in chunks (HTTP/1.1) or ended by closing."""
        self.route = route
        self._expects_continue = expects_continue
        self.keep_alive = keep_alive
        self._is_chunked = is_chunked
        self._parts: list[bytes] = []

    def start(self) -> None:
        """All earlier responses of the connection are complete."""
        self._is_started = True
        if self._is_read:
            self._begin()
        elif self._expects_continue:
            self._connection.transport.write(CONTINUE)

    def feed(self, body: bytes) -> None:
        """One part of the body. Raises BodyTooLarge."""
        self._parts.append(body)
        self._size += len(body)
        limit = self._connection.gateway.snapshot.body_limit
        if self._size > limit:
            raise too_large(limit)

    def feed_end(self) -> None:
        self._is_read = True
        if self._is_started:
            self._begin()

    def _begin(self) -> None:
        parts, self._parts = self._parts, []
        self.begin(self.route, parts[0] if len(parts) == 1 else b"".join(parts))

    def begin(self, route: Route, body: bytes, facts: HeadFacts | None = None) -> None:
        """Hand the whole request to the pipeline; with the ``facts`` of a known head."""
        dialect, argument, query = route
        gateway = self._connection.gateway
        request = ClientRequest(argument, self.headers, body, query, facts)
        GatewayCall(gateway, dialect, request, self, gateway.clock()).begin()

    # --- The response -----------------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        return self._connection.flow.write_paused

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        if self.disconnected:
            return
        self.response_started = True
        head = response_lines(headers)
        connection = self._connection
        if status != 200 or not self.keep_alive or connection.cors_origins:
            self._send(self._head(status, head, len(body)) + body)
            self._complete()
            return
        ok_head = connection.host.ok_head
        self._send(b"%b%bcontent-length: %d\r\n\r\n%b" % (ok_head, head, len(body), body))
        self.response_complete = True
        connection.on_response_complete()

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        if self.disconnected:
            return
        self.response_started = True
        # Pieces of a stream that are written in one turn of the event loop leave together.
        self._connection.transport.set_write_buffer_limits()
        self.keep_alive = self.keep_alive and self._is_chunked
        self._send(self._head(status, stream_lines(headers), None))

    def write(self, data: bytes) -> None:
        if data:
            send = self._send  # a local is called faster than a method that is an attribute
            send(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def end(self, data: bytes = b"") -> None:
        if self.disconnected:
            return
        if self._is_chunked:
            last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
            self._send(last)
        elif data:
            self._send(data)
        self._complete()

    def abort(self) -> None:
        if self.disconnected:
            return
        transport = self._connection.transport
        if self._is_chunked:
            transport.close()  # without the last chunk
            return
        # The end of the connection would be that of the body: it is reset instead.
        reset = pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, reset)
        transport.abort()

    def disconnect(self) -> None:
        """The client left, or the request is refused: nothing more is sent."""
        self.disconnected = True
        self._send = _discard
        if self.on_gone is not None:
            self.on_gone()

    def pause_writing(self) -> None:
        """The client is slower than the response."""
        if self.on_pause is not None:
            self.on_pause()

    def resume_writing(self) -> None:
        if self.on_resume is not None:
            self.on_resume()

    def _complete(self) -> None:
        self.response_complete = True
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.on_response_complete()

    def _head(self, status: int, head: bytes, length: int | None) -> bytes:
        connection = self._connection
        if length is not None:
            framing = b"content-length: %d\r\n" % length
        else:
            framing = b"transfer-encoding: chunked\r\n" if self._is_chunked else b""
        if not self.keep_alive:
            framing += b"connection: close\r\n"
        if connection.cors_origins:
            framing += header_lines(cors.allow(connection.cors_origins, self.headers))
        return b"%b%b%b%b\r\n" % (status_line(status), connection.host.header_lines, head, framing)


class LoggedRequestCycle(RequestCycle):
    """A ``RequestCycle`` with a line in the access log, when the response is complete or the client
    has left."""

    def __init__(self, connection: Connection, headers: Headers) -> None:
        super().__init__(connection, headers)
        self._entry = AccessEntry("POST", connection.url, connection.gateway.clock())

    def begin(self, route: Route, body: bytes, facts: HeadFacts | None = None) -> None:
        dialect, argument, query = route
        gateway = self._connection.gateway
        request = ClientRequest(argument, self.headers, body, query, facts)
        call = GatewayCall(gateway, dialect, request, self, gateway.clock())
        call.begin()
        self._entry.request_id = call.request_id

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        if not self.disconnected:
            self._entry.status, self._entry.size = status, len(body)
            self._entry.request_id = headers.request_id
        super().send_response(status, headers, body)
        if not self.disconnected:
            self._log()

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        if not self.disconnected:
            self._entry.status = status
        super().send_headers(status, headers)

    def write(self, data: bytes) -> None:
        self._entry.size += len(data)
        super().write(data)

    def end(self, data: bytes = b"") -> None:
        self._entry.size += len(data)
        super().end(data)
        if not self.disconnected:
            self._log()

    def disconnect(self) -> None:
        if not self.disconnected and not self.response_complete:
            self._log()
        super().disconnect()

    def _log(self) -> None:
        access_log = self._connection.host.access_log
        if access_log is not None:
            access_log(self._entry)
