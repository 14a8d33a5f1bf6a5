"""The client's end of a WebSocket that is passed through to a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from headway.errors import Forbidden
from headway.pipeline.failure_log import log_failure
from headway.pipeline.gateway import Gateway
from headway.pipeline.native_socket import NativeSocketCall
from headway.policy.request_headers import find_request_id
from headway.ports import ResponseHeaders
from headway.server.api import native_routes
from headway.server.api.native_routes import NativeAddress
from headway.server.http import cors
from headway.server.http.access_log import AccessEntry
from headway.server.http.response_head import header_lines, status_line
from headway.server.http.uvicorn_adapter import ConnectionHost
from headway.server.response_headers import response_lines
from headway.types import Headers

HELD_LIMIT = 256 * 1024
"""Bytes that a client may send before the provider has answered; beyond it reading pauses."""
SWITCH = b"connection: Upgrade\r\nupgrade: websocket\r\n"


class Handshake(Protocol):
    """The connection on which a handshake was read, an ``HttpProtocol``."""

    cors_origins: tuple[str, ...]
    gateway: Gateway
    headers: list[tuple[bytes, bytes]]
    host: ConnectionHost
    transport: asyncio.Transport
    url: bytes


class WebSocketTunnel(asyncio.Protocol):
    """A ``ports.SocketSink``, and from the handshake on the protocol of the client's connection:
    what the client sends goes to ``on_data``. Any answer but a switch of protocols ends it."""

    def __init__(self, handshake: Handshake) -> None:
        self.is_paused = False
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.on_data: Callable[[bytes], None] | None = None
        self._gateway = handshake.gateway
        self._host = handshake.host
        self._headers = handshake.headers
        self._allowed = cors.allow(handshake.cors_origins, handshake.headers)
        self._transport = handshake.transport
        self._entry = AccessEntry("GET", handshake.url, handshake.gateway.clock())
        self._held = b""
        self._is_over = False

    def begin(self, address: NativeAddress, rest: bytes) -> None:
        """Take the connection over. ``rest`` came behind the handshake."""
        transport, gateway = self._transport, self._gateway
        transport.set_protocol(self)
        transport.set_write_buffer_limits()
        self._host.connections.add(self)
        if rest:
            self.data_received(rest)
        is_tls = transport.get_extra_info("ssl_object") is not None
        request = native_routes.new_request(
            address, "GET", self._headers, b"", "https" if is_tls else "http"
        )
        if any(name == b"origin" for name, _ in self._headers) and not self._allowed:
            self._refuse_origin()
            return
        call = NativeSocketCall(gateway, request, self, gateway.clock(), native_routes.error_format)
        self._entry.request_id = call.request_id
        call.begin()

    def _refuse_origin(self) -> None:
        """Browsers let every page open a WebSocket to every server (RFC 6455, section 10.2): a page
        could use a gateway that has no keys."""
        error = Forbidden("server.cors_origins does not allow this page to call the gateway.")
        request_id = find_request_id(self._headers) or self._gateway.new_id()
        log_failure("request failed", error, request_id=request_id, path=self._entry.path)
        body = native_routes.PLAIN.encode_error(error, None, request_id)
        self.send_response(error.status, ResponseHeaders(request_id), body)

    # --- Called by the event loop -----------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.on_data is not None:
            self.on_data(data)
            return
        self._held += data
        if len(self._held) > HELD_LIMIT:
            self.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.connections.discard(self)
        self.on_data = None
        if self._host.access_log is not None:
            self._host.access_log(self._entry)
        if not self._is_over and self.on_gone is not None:
            self.on_gone()

    def pause_writing(self) -> None:
        self.is_paused = True
        if self.on_pause is not None:
            self.on_pause()

    def resume_writing(self) -> None:
        self.is_paused = False
        if self.on_resume is not None:
            self.on_resume()

    # --- Called by the server, as for an ``HttpProtocol`` -----------------------------------------

    def shutdown(self) -> None:
        """A session may go on until the calls in progress are aborted."""

    def tick(self, seconds: float, keep_alive: float, read_timeout: float) -> None:
        """The timeouts of the provider's side end a session."""

    # --- Called by the pipeline -------------------------------------------------------------------

    def accept(self, headers: Headers) -> None:
        self._entry.status = 101
        head = status_line(101) + self._host.header_lines + SWITCH + header_lines(headers)
        self._transport.write(head + b"\r\n")
        held, self._held = self._held, b""
        if held and self.on_data is not None:
            self.resume_reading()
            self.on_data(held)

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        length = b"content-length: %d\r\n" % len(body)
        self._send_head(status, response_lines(headers) + length)
        self.write(body)
        self.end()

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        raise TypeError("a handshake has no streamed reply")

    def send_head(self, status: int, headers: Headers) -> None:
        self._send_head(status, header_lines(headers))

    def write(self, data: bytes) -> None:
        self._entry.size += len(data)
        self._transport.write(data)

    def end(self, data: bytes = b"") -> None:
        """Close the connection, when everything is written."""
        self.write(data)
        self._is_over = True
        self._transport.close()

    def abort(self) -> None:
        """A WebSocket without a close frame, and a body shorter than its length, are not whole."""
        self._is_over = True
        self._transport.close()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def _send_head(self, status: int, lines: bytes) -> None:
        self._entry.status = status
        head = status_line(status) + self._host.header_lines + lines + header_lines(self._allowed)
        self._transport.write(head + b"connection: close\r\n\r\n")
