"""Opens connections along a route: TCP or Unix socket, proxy, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from aiohappyeyeballs import start_connection

from headway.errors import UpstreamUnreachable
from headway.transport.connect_errors import connect_error
from headway.transport.connection import Connection
from headway.transport.proxy import Proxy
from headway.transport.route import Route
from headway.transport.tls import TlsContexts
from headway.transport.tls_stream import TlsStream
from headway.transport.tunnel import Tunnel
from headway.wire.url import UNIX

ATTEMPT_TIMEOUT_S = 60.0
"""Timeout of attempts that no request waits for any more: requests have their own connect
timeout."""

ATTEMPT_DELAY_S = 0.25
"""Time between the starts of attempts to connect to the addresses of one host: RFC 8305, section 8,
Connection Attempt Delay."""

Address = tuple[int, int, int, str, Any]
"""One row of ``getaddrinfo``: family, type, protocol, canonical name, socket address."""

KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""Seconds, seconds, probes. A model may think for minutes in silence: a middlebox must not forget
the connection, and a dead peer should be noticed before the idle timeout."""


class Connector:
    """Pools open their connections with ``open``."""

    __slots__ = ("_contexts",)

    def __init__(self) -> None:
        self._contexts = TlsContexts()

    async def open(self, route: Route, connection: Connection) -> None:
        """Connect ``connection`` along ``route``. Raises UpstreamUnreachable."""
        host = connection.host
        if route.error is not None:
            text = f"cannot reach {host}: {route.error}"
            raise UpstreamUnreachable(text, code="proxy_settings")
        try:
            with _unreachable_on_oserror(host):
                async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                    await self._open(route, connection)
        except BaseException:
            if not connection.is_closed:  # fail a request that was sent on it already
                connection.eof_received()
            connection.give_up()
            raise

    async def _open(self, route: Route, connection: Connection) -> None:
        if route.scheme == UNIX:
            loop = asyncio.get_running_loop()
            early = EarlyData()
            await loop.create_unix_connection(lambda: early, route.host)
            early.hand_over(connection)
            return
        if route.proxy is None:
            tls = await self._contexts.get(route.tls) if route.is_tls else None
            await _connect(route.host, route.port, connection, tls)
        elif route.is_forwarded:
            await self._connect_proxy(route, route.proxy, connection)
        else:
            await self._connect_tunnel(route, route.proxy, connection)

    async def _connect_proxy(self, route: Route, proxy: Proxy, protocol: asyncio.Protocol) -> None:
        is_tls = proxy.scheme == "https"
        with _unreachable_on_oserror(f"proxy {proxy.display_url}"):
            tls = await self._contexts.get(route.proxy_tls) if is_tls else None
            await _connect(proxy.host, proxy.port, protocol, tls)

    async def _connect_tunnel(self, route: Route, proxy: Proxy, connection: Connection) -> None:
        tls = await self._contexts.get(route.tls)
        host = f"[{route.host}]" if ":" in route.host else route.host
        tunnel = Tunnel(proxy, f"{host}:{route.port}")
        await self._connect_proxy(route, proxy, tunnel)
        try:
            await tunnel.opened
        except BaseException:
            tunnel.transport.abort()
            raise
        stream = TlsStream(connection, tls, _server_name(route.host))
        tunnel.transport.set_protocol(stream)
        stream.connection_made(tunnel.transport)
        await _handshake(stream)


class EarlyData(asyncio.Protocol):
    """The protocol of a transport until ``create_connection`` returns; keeps what arrives. If the
    connection closed the transport earlier than that, uvloop would close its descriptor twice; and
    both event loops start reading late, even if reading was paused before."""

    __slots__ = ("_data", "_error", "_has_ended", "_transport")

    def __init__(self) -> None:
        self._data = b""
        self._has_ended = False
        self._error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data

    def eof_received(self) -> bool:
        self._has_ended = True
        return True  # keep the transport open until the connection has it

    def connection_lost(self, error: Exception | None) -> None:
        self._error = error or ConnectionResetError("closed while it was being made")

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Give ``protocol`` the transport and what has arrived on it. Raises OSError if it was lost
        in the meantime."""
        if self._error is not None:
            raise self._error
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if self._data and not self._transport.is_closing():
            protocol.data_received(self._data)
        if self._has_ended and not self._transport.is_closing():
            protocol.eof_received()
            self._transport.close()


async def _connect(
    host: str, port: int, protocol: asyncio.Protocol, tls: ssl.SSLContext | None
) -> None:
    sock = await open_socket(host, port)
    early = EarlyData()
    try:
        await asyncio.get_running_loop().create_connection(lambda: early, sock=sock)
    except BaseException:
        sock.close()
        raise
    if tls is None:
        early.hand_over(protocol)
        return
    stream = TlsStream(protocol, tls, _server_name(host))
    early.hand_over(stream)
    await _handshake(stream)


async def _handshake(stream: TlsStream) -> None:
    try:
        await stream.ready
    except BaseException:
        stream.close()
        raise


async def open_socket(host: str, port: int) -> socket.socket:
    """A TCP socket that is connected to the address of ``host`` that accepts first (Happy Eyeballs,
    RFC 8305). uvloop's ``create_connection`` tries one address after the other, each for minutes.
    Raises OSError (socket.gaierror among them)."""
    addresses = await _resolve(host, port)
    try:
        return await start_connection(
            addresses, happy_eyeballs_delay=ATTEMPT_DELAY_S, socket_factory=_make_socket
        )
    except OSError as error:
        # The library's frame refers to the error: without it, no cycle waits for the collector.
        raise error.with_traceback(None) from None


async def _resolve(host: str, port: int) -> Sequence[Address]:
    """An address needs no resolver (asyncio's runs in a thread). The first call may need a
    descriptor, to load a codec: if there is none left, the resolver reports that."""
    kind, flags = socket.SOCK_STREAM, socket.AI_NUMERICHOST
    try:
        return socket.getaddrinfo(host, port, type=kind, flags=flags)[:1]
    except (OSError, UnicodeError):
        return await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)


def _make_socket(address: Address) -> socket.socket:
    """A socket that sends small writes at once and notices a dead peer."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock


def _server_name(host: str) -> str:
    """The form that certificates and SNI use: no root dot, no IPv6 zone."""
    return host.rstrip(".").partition("%")[0]


@contextmanager
def _unreachable_on_oserror(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # ssl.SSLError, socket.gaierror and TimeoutError are OSErrors
        # On Python 3.12 contextlib's frame refers to the error and the error's traceback to that
        # frame: without the traceback, no cycle waits for the garbage collector.
        raise connect_error(error, name) from error.with_traceback(None)
