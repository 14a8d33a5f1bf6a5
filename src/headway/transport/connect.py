"""Opens connections along a route: TCP or Unix socket, proxy, TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from headway.errors import UpstreamUnreachable
from headway.transport.connection import Connection
from headway.transport.dial import dial
from headway.transport.faults import unreachable
from headway.transport.proxy import Proxy
from headway.transport.route import Route
from headway.transport.standin import adopt, keep_pause
from headway.transport.tls import TlsContexts
from headway.transport.tunnel import Tunnel
from headway.wire.url import UNIX

PATIENCE_S = 60.0
"""For an attempt that nobody waits for any more; those who wait have their own timeout."""


class Connector:
    """``open`` is what a pool opens its connections with."""

    __slots__ = ("_contexts",)

    def __init__(self) -> None:
        self._contexts = TlsContexts()

    async def open(self, route: Route, connection: Connection) -> None:
        """Raises UpstreamUnreachable."""
        host = connection.host
        if route.fault is not None:
            text = f"cannot reach {host}: {route.fault}"
            raise UpstreamUnreachable(text, code="proxy_settings")
        try:
            with _blaming(host):
                async with asyncio.timeout(PATIENCE_S):
                    await self._open(route, connection)
        except BaseException:
            if not connection.is_closed:  # it was made, and who has it must hear of its end
                connection.eof_received()
            connection.abandon()
            raise

    async def _open(self, route: Route, connection: Connection) -> None:
        if route.scheme == UNIX:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: connection, route.host)
            keep_pause(connection)
            return
        tls = await self._contexts.get(route.tls) if route.has_tls_socket else None
        if route.proxy is None:
            await _connect(route.host, route.port, connection, tls)
        elif route.is_forwarded:
            await _connect_proxy(route.proxy, connection, tls)
        else:
            await _connect_through(route, route.proxy, connection, tls)


async def _connect(
    host: str, port: int, protocol: asyncio.Protocol, tls: ssl.SSLContext | None
) -> None:
    held = await dial(host, port)
    if tls is None and isinstance(protocol, Connection):
        adopt(protocol, held)
        return
    name = _server_name(host) if tls else None
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(lambda: protocol, sock=held, ssl=tls, server_hostname=name)
    except BaseException:
        held.close()
        raise


async def _connect_proxy(
    proxy: Proxy, protocol: asyncio.Protocol, tls: ssl.SSLContext | None
) -> None:
    with _blaming(f"proxy {proxy.shown}"):
        hop = tls if proxy.scheme == "https" else None
        await _connect(proxy.host, proxy.port, protocol, hop)


async def _connect_through(
    route: Route, proxy: Proxy, connection: Connection, tls: ssl.SSLContext | None
) -> None:
    host = f"[{route.host}]" if ":" in route.host else route.host
    tunnel = Tunnel(proxy, f"{host}:{route.port}")
    await _connect_proxy(proxy, tunnel, tls)
    try:
        await tunnel.opened
        secured = await asyncio.get_running_loop().start_tls(
            tunnel.transport,
            connection,
            tls,  # type: ignore[arg-type]  # a tunnel is for https, which has a context
            server_hostname=_server_name(route.host),
        )
    except BaseException:
        tunnel.transport.abort()
        raise
    if secured is None:
        raise ConnectionResetError("closed during the TLS handshake")
    connection.connection_made(secured)


def _server_name(host: str) -> str:
    """As certificates and SNI have it: no root dot, no zone."""
    return host.rstrip(".").partition("%")[0]


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # ssl.SSLError, socket.gaierror and TimeoutError are OSErrors
        raise unreachable(error, name) from error
