"""Proxies: CONNECT for https, the absolute form for http, and their refusals."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from headway.transport.proxy import ProxySettings
from headway.transport.route import OriginSettings
from headway.transport.tls import TlsSettings
from support.for_each import for_each
from support.receiver import Run, begin, checked_transport, fetch
from support.scripted_server import Reply, ScriptedServer, answer

Certificates = Any  # the class is the conftest's

GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@asynccontextmanager
async def tunnelling_proxy(
    port: int, heads: list[bytes], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A proxy that takes every CONNECT to ``port`` of this machine; yields its own port."""
    tasks: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GRANTED)
        for pair in ((reader, onward_writer), (onward_reader, writer)):
            tasks.add(asyncio.create_task(pipe(*pair), name="ScriptedServer's proxy"))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


def test_https_goes_through_a_tunnel_and_is_verified_end_to_end(
    run: Run, certificates: Certificates
) -> None:
    async def main() -> None:
        heads: list[bytes] = []
        async with (
            ScriptedServer(
                [answer(b"1"), answer(b"2")], tls=certificates.server(name="api.test")
            ) as server,
            tunnelling_proxy(server.port, heads) as port,
            checked_transport(
                tls=TlsSettings(ca_file=certificates.ca_file),
                proxies=ProxySettings(https=f"http://user:pass@127.0.0.1:{port}"),
            ) as transport,
        ):
            assert (await fetch(transport, "https://api.test/v1")).body == b"1"
            assert (await fetch(transport, "https://api.test/v1")).body == b"2"
            assert heads == [
                b"CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\n"
                b"proxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"
            ]
            assert server.requests[0].target == "/v1/v1/x"
            assert server.requests[0].header("proxy-authorization") is None

    run(main())


def test_a_tunnel_goes_through_an_https_proxy(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"in")], tls=certificates.server(name="api.test")) as server,
            tunnelling_proxy(server.port, [], certificates.server()) as port,
            checked_transport(
                tls=TlsSettings(ca_file=certificates.ca_file),
                proxies=ProxySettings(all=f"https://127.0.0.1:{port}"),
            ) as transport,
        ):
            assert (await fetch(transport, "https://api.test")).body == b"in"

    run(main())


def test_a_wrong_certificate_name_behind_a_tunnel_is_reported_of_the_origin(
    run: Run, certificates: Certificates
) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()], tls=certificates.server(name="other.test")) as server,
            tunnelling_proxy(server.port, []) as port,
            checked_transport(
                tls=TlsSettings(ca_file=certificates.ca_file),
                proxies=ProxySettings(https=f"http://127.0.0.1:{port}"),
            ) as transport,
        ):
            receiver = await fetch(transport, "https://api.test")
            assert receiver.fault == ("UpstreamUnreachable", "tls_name_mismatch")
            assert "cannot reach api.test" in str(receiver.error)

    run(main())


REFUSALS: dict[str, tuple[Reply, str]] = {
    "407": (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it answered 407 Proxy"),
    "403": (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", "answered 403 Forbidden"),
    "502 without a reason": (b"HTTP/1.0 502\r\n\r\n", "it answered 502"),
    "close": ("close", "it closed the connection"),
    "not HTTP": (b"\x05\x00 socks\r\n\r\n", "its answer is not HTTP"),
    "an answer that never ends": ([b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n" * 3000] * 6, "hang"],
        "own into the tunnel"),
    "bytes after its answer": (GRANTED + b"hello", "bytes of its own into the tunnel"),
}  # fmt: skip


@for_each("name", REFUSALS)
def test_a_proxy_that_refuses_is_named_without_its_password(run: Run, name: str) -> None:
    reply, said = REFUSALS[name]

    async def main() -> None:
        async with ScriptedServer([reply]) as server:
            proxy = f"http://user:secret@127.0.0.1:{server.port}"
            async with checked_transport(proxies=ProxySettings(all=proxy)) as transport:
                receiver = await fetch(transport, "https://api.test")
                assert receiver.fault == ("UpstreamUnreachable", "proxy_refused")
                assert f"proxy http://127.0.0.1:{server.port} refused" in str(receiver.error)
                assert "api.test:443" in str(receiver.error)
                assert said in str(receiver.error)
                assert "secret" not in str(receiver.error)

    run(main())


def test_http_is_sent_to_the_proxy_in_absolute_form(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"1")]) as server:
            proxy = f"http://user:pass@127.0.0.1:{server.port}"
            async with checked_transport(proxies=ProxySettings(http=proxy)) as transport:
                assert (await fetch(transport, "http://api.test:81/v1")).body == b"1"
                assert (await fetch(transport, "http://api.test:81/v1")).body == b"1"
            received = server.requests[0]
            assert received.target == "http://api.test:81/v1/v1/x"
            assert received.header("host") == "api.test:81"
            assert received.header("proxy-authorization") == "Basic dXNlcjpwYXNz"
            assert server.connections == 1

    run(main())


def test_a_407_of_a_forwarding_proxy_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(status=407)]) as server:
            proxy = f"http://127.0.0.1:{server.port}"
            async with checked_transport(proxies=ProxySettings(http=proxy)) as transport:
                receiver = await fetch(transport, "http://api.test")
                assert receiver.fault == ("UpstreamUnreachable", "proxy_refused")
                assert proxy in str(receiver.error)

    run(main())


def test_a_407_without_a_proxy_is_a_response(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(status=407)]) as server, checked_transport() as transport:
            assert (await fetch(transport, server.url)).status == 407

    run(main())


@pytest.mark.parametrize("url", ["http://api.test", "https://api.test"])
def test_a_proxy_that_cannot_be_reached_is_named(run: Run, url: str) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            port = server.port
        proxies = ProxySettings(all=f"http://u:secret@127.0.0.1:{port}")
        async with checked_transport(proxies=proxies) as transport:
            receiver = await fetch(transport, url)
            assert receiver.fault == ("UpstreamUnreachable", "connection_refused")
            assert f"cannot reach proxy http://127.0.0.1:{port}" in str(receiver.error)
            assert "secret" not in str(receiver.error)

    run(main())


def test_a_proxy_scheme_that_is_not_supported_is_reported(run: Run) -> None:
    async def main() -> None:
        proxies = ProxySettings(all="socks5://127.0.0.1:1080")
        async with checked_transport(proxies=proxies) as transport:
            receiver = await fetch(transport, "https://api.test")
            assert receiver.fault == ("UpstreamUnreachable", "proxy_settings")
            assert "'socks5' is not supported" in str(receiver.error)

    run(main())


def test_the_loopback_is_reached_directly_unless_an_origin_has_its_own_proxy(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"direct")]) as server,
            ScriptedServer([answer(b"proxied")]) as other,
        ):
            settings = ProxySettings(all=other.url)
            async with checked_transport(proxies=settings) as transport:
                assert (await fetch(transport, server.url)).body == b"direct"
            own = {server.url: OriginSettings(proxy=other.url)}
            async with checked_transport(proxies=settings, origins=own) as transport:
                assert (await fetch(transport, server.url)).body == b"proxied"

    run(main())


def test_cancelling_while_connecting_leaves_nothing_open(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server:
            proxies = ProxySettings(all=f"http://127.0.0.1:{server.port}")
            async with checked_transport(proxies=proxies) as transport:
                pending, receiver = begin(transport, "https://api.test")
                await server.until(lambda: bool(server.requests))
                pending.cancel()
                await server.left()
                assert receiver.log == []

    run(main())
