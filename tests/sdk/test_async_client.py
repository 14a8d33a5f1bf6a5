"""The client for asyncio sends what the other sends, and gives back the same values and errors."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cli.fake_gateway import METRICS, OUTPUT, PIECES, FakeGateway, chunk, error, last, sample
from headway import ApiError, AsyncClient, Client
from headway.sdk import Unreachable
from support.waiting import PATIENCE_S

Use = Callable[[AsyncClient], Awaitable[Any]]


def call(gateway: FakeGateway, use: Use, **options: Any) -> Any:
    async def run() -> Any:
        async with AsyncClient(gateway.url, **options) as client:
            return await use(client)

    return asyncio.run(run())


def test_it_sends_what_the_client_sends(gateway: FakeGateway) -> None:
    options: dict[str, Any] = {"provider_key": "sk-1", "retries": 2, "strict": True}
    with Client(gateway.url, api_key="hw-1") as client:
        expected = client.chat("p/m", "Hi", {"seed": 1}, **options)
    reply = call(gateway, lambda one: one.chat("p/m", "Hi", {"seed": 1}, **options), api_key="hw-1")
    assert reply == expected
    assert reply.raw.decode() == sample("p", {"model": "m", "chat_input": "Hi"})
    first, second = gateway.requests
    assert (second.method, second.path, second.body) == (first.method, first.path, first.body)
    ignored = ("host", "accept-encoding")
    assert {k: v for k, v in second.headers.items() if k not in ignored} == {
        k: v for k, v in first.headers.items() if k not in ignored
    }


def test_models_providers_and_health_are_values(gateway: FakeGateway, client: Client) -> None:
    async def use(one: AsyncClient) -> Any:
        return (
            await one.models(),
            await one.models("local", live=True),
            await one.providers(),
            await one.provider_details(show_all=True),
            await one.health(),
        )

    assert call(gateway, use) == (
        client.models(),
        client.models("local", live=True),
        client.providers(),
        client.provider_details(show_all=True),
        client.health(),
    )


def test_a_connection_is_used_again(gateway: FakeGateway) -> None:
    async def use(one: AsyncClient) -> None:
        await one.health()
        async with await one.chat("p/m", "Hi", stream=True) as stream:
            assert len([each async for each in stream]) == len(PIECES) + 2
        await one.health()

    call(gateway, use)
    assert len({request.port for request in gateway.requests}) == 1


def test_calls_run_side_by_side(gateway: FakeGateway) -> None:
    both = threading.Barrier(2)
    gateway.before_reply = lambda: both.wait(PATIENCE_S) and None

    async def use(one: AsyncClient) -> Any:
        return await asyncio.gather(one.chat("p/m", "Hi"), one.chat("p/m", "Hi"))

    assert len(call(gateway, use)) == 2


def test_chunks_arrive_one_by_one_and_the_last_has_all(gateway: FakeGateway) -> None:
    async def use(one: AsyncClient) -> Any:
        stream = await one.chat("openai/m", "Hi", stream=True)
        return [each async for each in stream], stream.last

    chunks, at_the_end = call(gateway, use)
    assert [each.text for each in chunks] == ["", *PIECES, ""]
    assert at_the_end is chunks[-1]
    assert (at_the_end.chat_output, at_the_end.metrics.cost_usd) == (OUTPUT, METRICS["cost_usd"])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_may_be_cut_and_joined_anywhere(size: int, gateway: FakeGateway) -> None:
    objects = (chunk("né"), last("né"))
    raw = b"\n".join(json.dumps(each, ensure_ascii=False).encode() for each in objects)
    gateway.stream = [raw[at : at + size] for at in range(0, len(raw), size)]

    async def use(one: AsyncClient) -> Any:
        return [each.text async for each in await one.chat("p/m", "Hi", stream=True)]

    assert call(gateway, use) == ["né", ""]


@pytest.mark.parametrize("leave", ["close", "block", "cancel"])
def test_leaving_a_stream_closes_the_connection(leave: str, gateway: FakeGateway) -> None:
    is_left = threading.Event()
    gateway.stream = [
        chunk("a"),
        lambda: is_left.wait(PATIENCE_S) and None,
        *[chunk("x" * 60000)] * 500,
    ]

    async def use(one: AsyncClient) -> None:
        stream = await one.chat("p/m", "Hi", stream=True)
        assert (await anext(stream)).text == "a"
        if leave == "close":
            await stream.close()
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        elif leave == "block":
            async with stream:
                pass
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.01)
        is_left.set()
        assert await asyncio.to_thread(gateway.gone.wait, 5)

    call(gateway, use)


def error_of(gateway: FakeGateway, use: Use, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(gateway, use, **options)
    return caught.value


def test_an_error_reply_is_the_same_error(gateway: FakeGateway) -> None:
    gateway.refuse(429, error("slow down", type="rate_limit_error"), retry_after="2")
    raised = error_of(gateway, lambda one: one.chat("p/m", "Hi"))
    assert (raised.status, raised.type, raised.retry_after_s) == (429, "rate_limit_error", 2.0)


def test_an_error_inside_a_stream_ends_it(gateway: FakeGateway) -> None:
    gateway.stream = [chunk("par"), error("cut", type="truncated_stream")]

    async def use(one: AsyncClient) -> None:
        stream = await one.chat("p/m", "Hi", stream=True)
        assert (await anext(stream)).text == "par"
        try:
            await anext(stream)
        finally:
            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    assert error_of(gateway, use).type == "truncated_stream"


@pytest.mark.parametrize(
    ("is_complete", "type_"), [(True, "truncated_stream"), (False, "connection_error")]
)
def test_a_stream_without_its_last_object_is_an_error(
    is_complete: bool, type_: str, gateway: FakeGateway
) -> None:
    gateway.stream = [chunk("a")]
    gateway.ends_well = is_complete

    async def use(one: AsyncClient) -> None:
        async for _ in await one.chat("p/m", "Hi", stream=True):
            pass

    assert error_of(gateway, use).type == type_


@pytest.mark.parametrize(
    ("body", "options", "type_"),
    [(b"<html>", {}, "protocol_error"), (b"{}", {"timeout_s": 0.05}, "timeout_error")],
)
def test_other_bodies_and_silence_are_errors(
    body: bytes, options: Any, type_: str, gateway: FakeGateway
) -> None:
    length = "50" if options else str(len(body))
    gateway.refuse(200, body, content_length=length)
    assert error_of(gateway, lambda one: one.chat("p/m", "Hi"), **options).type == type_


def test_a_truncated_reply_is_a_connection_error(gateway: FakeGateway) -> None:
    gateway.refuse(200, b"{}", content_length="50")
    gateway.keeps = False
    raised = error_of(gateway, lambda one: one.models())
    assert (raised.type, "truncated" in raised.message) == ("connection_error", True)


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 two\r\n\r\n", b"HTTP/1.1 200"])
def test_a_server_that_does_not_speak_http_is_an_error(answer: bytes) -> None:
    async def run() -> None:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ApiError, match="gateway"):
                await AsyncClient(f"127.0.0.1:{port}").health()

    asyncio.run(run())


def test_a_reply_that_ends_with_its_connection_is_read() -> None:
    async def run() -> None:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"status": "healthy"}')
            writer.close()

        async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with AsyncClient(f"127.0.0.1:{port}") as client:
                assert [(await client.health()).status for _ in range(2)] == ["healthy"] * 2

    asyncio.run(run())


def test_an_address_where_nothing_listens_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        asyncio.run(AsyncClient("127.0.0.1:1").health())


def test_the_client_does_not_import_asyncio() -> None:
    code = (
        "import sys; from headway import Client, ApiError; import headway.sdk\n"
        "assert 'asyncio' not in sys.modules\n"
        "from headway import AsyncClient; from headway.sdk import AsyncChatStream\n"
        "print(AsyncClient('127.0.0.1:1'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "AsyncClient('http://127.0.0.1:1')\n"
