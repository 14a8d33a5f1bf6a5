"""One request, its whole answer: against real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from headway.errors import UpstreamDisconnected, UpstreamGarbled, UpstreamTimeout
from headway.transport.client import HttpTransport
from headway.transport.fetch import fetch
from headway.types import HttpRequest, Timeouts
from headway.wire.url import join
from support.scripted_server import Reply, ScriptedServer, answer, chunked

Check = Callable[[ScriptedServer, HttpTransport], Awaitable[None]]


def with_server(run: Any, replies: list[Reply], check: Check) -> None:
    async def scene() -> None:
        transport = HttpTransport(time.monotonic)
        try:
            async with ScriptedServer(replies) as server:
                await check(server, transport)
        finally:
            await transport.close()

    run(scene())


def get(server: ScriptedServer) -> HttpRequest:
    return HttpRequest(join(server.url, "/x"), (("metadata-flavor", "Google"),), b"", "GET")


def test_the_complete_response_has_its_status_and_headers(run: Any) -> None:
    async def check(server: ScriptedServer, transport: HttpTransport) -> None:
        status, headers, body = await fetch(transport, get(server), Timeouts())
        assert (status, body) == (418, b"onetwo")
        assert (b"x-a", b"b") in headers
        assert server.requests[0].method == "GET"
        assert server.requests[0].header("metadata-flavor") == "Google"

    with_server(run, [chunked(b"one", b"two", status=418, headers=[("X-A", "b")])], check)


def test_the_connection_serves_the_next_fetch_too(run: Any) -> None:
    async def check(server: ScriptedServer, transport: HttpTransport) -> None:
        for _ in range(3):
            assert (await fetch(transport, get(server), Timeouts())).body == b"{}"
        assert (len(server.requests), server.connections) == (3, 1)

    with_server(run, [answer(b"{}")], check)


def test_network_errors_are_raised(run: Any) -> None:
    async def check(server: ScriptedServer, transport: HttpTransport) -> None:
        with pytest.raises(UpstreamDisconnected):
            await fetch(transport, get(server), Timeouts())
        with pytest.raises(UpstreamTimeout):
            await fetch(transport, get(server), Timeouts(first_byte=0.05))

    with_server(
        run, [[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "close"], "hang"], check
    )


def test_a_body_over_the_limit_is_refused_and_its_connection_closed(run: Any) -> None:
    async def check(server: ScriptedServer, transport: HttpTransport) -> None:
        with pytest.raises(UpstreamGarbled, match="more than 5 bytes"):
            await fetch(transport, get(server), Timeouts(), limit=5)
        await server.left(1)
        assert (await fetch(transport, get(server), Timeouts(), limit=6)).body == b"123456"

    with_server(run, [[chunked(b"123456")[:-5], "hang"], answer(b"123456")], check)


def test_bytes_past_the_limit_in_one_response_are_one_error(run: Any) -> None:
    async def check(server: ScriptedServer, transport: HttpTransport) -> None:
        with pytest.raises(UpstreamGarbled):
            await fetch(transport, get(server), Timeouts(), limit=1)

    with_server(run, [chunked(b"aa", b"bb", b"cc")], check)


def test_cancelling_closes_the_connection(run: Any) -> None:
    async def check(server: ScriptedServer, transport: HttpTransport) -> None:
        task = asyncio.create_task(fetch(transport, get(server), Timeouts()))
        await server.until(lambda: bool(server.requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left(1)

    with_server(run, ["hang"], check)
