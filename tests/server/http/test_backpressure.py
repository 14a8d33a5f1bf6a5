"""Clients that read slowly or not at all: what the provider may send, the memory that takes, and
that nothing is lost.

The provider counts the bytes that the gateway takes from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from contract.conftest import Launch
from support.gateway_process import Gateway
from support.openai_completions import DONE, finish, role, text, usage
from support.openai_upstream import sse_event
from support.raw_client import Stream
from support.waiting import PATIENCE_S, until

PIECE = "x" * 4000
EVENT = sse_event(text(PIECE))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MIB = 1024 * 1024
MANY = 64
"""Clients, with more events for each than all their buffers hold."""
BETWEEN = 12 * MIB
"""What fits between a provider and a client that does not read: four buffers of the kernel, whose
size it chooses (up to 4 to 6 MiB each, tcp(7)), and two of ours."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Fountain:
    """A provider that sends ``count`` events as fast as they are taken, each in a chunk."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0
        """Bytes that the kernel accepted, over all connections."""
        self.gone = 0
        """Connections that ended before all was sent."""
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512)
        )
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + chunk(sse_event(role())))
            for _ in range(self.count):
                writer.write(chunk(EVENT))
                await writer.drain()
                self.taken += len(EVENT)
            ending = sse_event(finish()) + sse_event(usage()) + DONE
            writer.write(chunk(ending) + b"0\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone += 1
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result(PATIENCE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE_S)
        self.loop.close()

    async def end(self) -> None:
        self.server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def fountain() -> Iterator[Fountain]:
    fountain = Fountain(20_000)  # 80 MB
    yield fountain
    fountain.close()


@pytest.fixture
def fed(launch: Launch, mode: str, fountain: Fountain) -> Gateway:
    provider = {"kind": "openai", "base_url": fountain.base_url}
    return launch({"providers": {"openai": provider}}, mode=mode)


def narrow(gateway: Gateway, accept: str = "text/event-stream") -> Stream:
    """A streamed call whose client has little room and does not read yet."""
    stream = Stream(socket.socket(), gateway.seen)
    stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    stream.sock.settimeout(PATIENCE_S)
    stream.sock.connect((gateway.client.host, gateway.client.port))
    body = {"model": "gpt-4o", "chat_input": "Hello", "is_stream": True}
    path = "/api/engine/chat/openai"
    stream.send(gateway.client.encode("POST", path, body, {"accept": accept}))
    return stream


def settled(fountain: Fountain) -> int:
    """What was taken, once no more is."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.5:
        if fountain.taken != last:
            last, since = fountain.taken, time.monotonic()
        time.sleep(0.02)
    return last


def test_a_client_that_stops_reading_pauses_the_provider_and_loses_nothing(
    fed: Gateway, fountain: Fountain
) -> None:
    fountain.count = 5000  # 20 MB
    with narrow(fed) as stream:
        taken = settled(fountain)
        assert 0 < taken < BETWEEN
        stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
        body = stream.read_head().read()
        assert stream.complete
    assert body.count(PIECE.encode()) >= fountain.count
    assert body.endswith(b"data: [DONE]\n\n")
    (record,) = fed.records()
    assert (record["outcome"], record["content_events"]) == ("ok", fountain.count)


def test_a_slow_client_gets_everything_in_order(fed: Gateway, fountain: Fountain) -> None:
    fountain.count = 3000
    with narrow(fed, "application/x-ndjson") as stream:
        stream.read_head()
        for number, piece in enumerate(stream.chunks()):
            if number % 500 == 0:
                time.sleep(0.1)
            last = piece.data
        assert stream.complete
    assert len(json.loads(last)["chat_output"]) == fountain.count * len(PIECE)


def test_a_client_that_leaves_without_reading_is_noticed(fed: Gateway, fountain: Fountain) -> None:
    """Nothing is read from it and nothing can be written to it, and still its end is seen."""
    with narrow(fed):
        settled(fountain)
    until(lambda: fountain.gone == 1)
    until(lambda: fed.records())
    assert fed.records()[0]["outcome"] == "cancelled"


def test_many_clients_that_do_not_read_use_bounded_memory(fed: Gateway, fountain: Fountain) -> None:
    """Each costs what its buffers hold and no more, however long its answer would be. Measured:
    210 KiB each, 430 in ASGI mode; 2.1 MiB before the kernel was told how much to hold."""
    with narrow(fed) as first:
        settled(fountain)
        first.close()
    until(lambda: fountain.gone == 1)
    before = fed.resident_bytes()
    with contextlib.ExitStack() as streams:
        for _ in range(MANY):
            streams.enter_context(narrow(fed))
        taken = settled(fountain)
        grown = fed.resident_bytes() - before
        assert taken < MANY * 4 * MIB
        each = f"{grown // MANY // 1024} KiB a client, {taken // MANY // 1024} taken"
        assert grown < MANY * MIB, each
        assert fed.client.get("/health").status == 200
    until(lambda: fountain.gone == 1 + MANY)
    until(lambda: len(fed.records()) == 1 + MANY)


def test_a_stalled_client_does_not_delay_others(fed: Gateway, fountain: Fountain) -> None:
    fountain.count = 2000
    with narrow(fed) as stalled:
        settled(fountain)
        with fed.stream(accept="text/event-stream") as stream:
            assert stream.read().endswith(b"data: [DONE]\n\n")
        assert stalled.read_head().read().endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("limit", ["1GB", "1MB"])
def test_the_rest_for_a_client_that_left_is_read_within_the_limit(
    launch: Launch, mode: str, fountain: Fountain, limit: str
) -> None:
    fountain.count = 2000  # 8 MB
    ledger = {"drain_on_disconnect": True, "drain_bytes": limit, "drain_usd": 1000}
    provider = {"kind": "openai", "base_url": fountain.base_url}
    gateway = launch({"providers": {"openai": provider}, "ledger": ledger}, mode=mode)
    with narrow(gateway):
        settled(fountain)
    until(lambda: gateway.records())
    (record,) = gateway.records()
    assert (record["outcome"], record["is_drained"]) == ("cancelled", limit == "1GB")
    assert record["response_bytes"] < BETWEEN
    if limit == "1GB":
        assert (record["content_events"], record["tokens_source"]) == (2000, "reported")
    else:
        assert (record["content_events"] < 2000, record["tokens_source"]) == (True, "estimated")
