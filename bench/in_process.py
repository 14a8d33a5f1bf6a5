"""Run Headway's data plane in one process, with fake transports: bytes of requests are passed to
its protocol, and bytes of a provider to its connection, by function calls.

The one real socket is dialled and dropped at the first request, and its connection is given a fake
transport in its place; so all code between the two ends is Headway's own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from bench import canned, canned_streams
from bench.gateways import CHAT, CLIENT_KEY, KEPT, ROUTE, Rig, configure
from headway.config import load
from headway.providers import FACTS
from headway.server.app import App
from headway.server.http.protocol import HttpProtocol
from headway.server.http.uvicorn_adapter import ConnectionHost, ServerState
from headway.server.routes import find_raw

Play = Callable[[Sequence[bytes]], None]
ENGINE = "/api/engine/chat/plain"
PROVIDERS = {"anthropic": "anthropic", "gemini": "gemini", "responses": "openai_responses"}
"""Name -> kind, of those that ``bench.gateways`` does not configure."""
PROVIDER = "  %s: {kind: %s, base_url: 'http://127.0.0.1:%d', api_key: sk-x}"
PATIENCE_S = 10.0
JSON = b"application/json"
DATE = (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")
HEAD = (
    b"HTTP/1.1 200 OK\r\nserver: nginx\r\ncontent-type: %b\r\ncontent-length: %d\r\n"
    b"connection: keep-alive\r\n\r\n"
)


class Case(Struct, frozen=True):
    """``request`` is sent whole; the provider's answer comes in ``pieces``, one read each.
    ``longer`` is a stream of more events: what it costs in addition is the cost of an event.
    ``first`` is the answer to the first request, where that differs."""

    name: str
    request: bytes
    pieces: Sequence[bytes]
    longer: Sequence[bytes] = ()
    first: Sequence[bytes] = ()


class FakeTransport(asyncio.Transport):
    """Discards all data but the last."""

    def __init__(self, protocol: Any, sock: socket.socket | None = None) -> None:
        super().__init__()
        self.last: Any = b""
        self.protocol = protocol
        self._sock = sock
        self._is_closing = False
        protocol.connection_made(self)

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.last = data

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            if self._sock is not None:
                self._sock.close()
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


class Loop(asyncio.SelectorEventLoop):
    """Creates fake transports for connections, and keeps a reference to each."""

    def __init__(self) -> None:
        super().__init__()
        self.connected: asyncio.Future[Any] = self.create_future()

    async def create_connection(  # type: ignore[override]  # the one way that it is called here
        self, factory: Any, *_: Any, sock: Any = None, **__: Any
    ) -> Any:
        transport = FakeTransport(factory(), sock)
        made = self.create_future()
        self.call_soon(made.set_result, None)
        await made
        self.connected.set_result(transport)
        return transport, transport.protocol


def cases() -> list[Case]:
    """The first stream is that to which the events of all others are compared: OpenAI's, as it
    sends it. ``stream`` is the same without padding, as servers compatible with OpenAI send it."""
    whole = canned.whole_answer()
    relay = _request(CHAT, canned.chat(f"plain/{canned.MODEL}"))
    joined = _request(ENGINE, canned.engine())
    answer = [HEAD % (JSON, len(whole)) + whole]
    return [
        Case("relay", relay, answer),
        Case("route", _request(CHAT, canned.chat(ROUTE)), answer),
        Case("cached", _request(CHAT, canned.chat(KEPT)), [], first=answer),
        _stream("openai", _chat("plain", canned.MODEL), canned_streams.openai),
        _stream("stream", _chat("plain", canned.MODEL), canned.events),
        _stream("ndjson", _request(ENGINE, canned.engine(stream=True)), canned.events),
        Case("engine", joined, [b"".join(_paced(canned.events(canned.TOKENS)))]),
        _stream("anthropic", _messages("anthropic"), canned_streams.anthropic),
        _stream("gemini", _generate("gemini"), canned_streams.gemini),
        _stream("responses", _responses("responses"), canned_streams.responses),
        _stream("anthropic-over-openai", _messages("plain"), canned.events),
        _stream("openai-over-anthropic", _chat("anthropic"), canned_streams.anthropic),
    ]


def _stream(name: str, request: bytes, events: Callable[[list[str]], list[bytes]]) -> Case:
    return Case(name, request, _paced(events(canned.TOKENS)), _paced(events(canned.LONG)))


def _paced(events: Sequence[bytes]) -> list[bytes]:
    return [HEAD % (b"text/event-stream", sum(map(len, events))), *events]


def _chat(provider: str, model: str = "") -> bytes:
    model = model or canned_streams.MODELS[provider]
    return _request(CHAT, canned.chat(f"{provider}/{model}", stream=True))


def _messages(provider: str) -> bytes:
    model = canned_streams.MODELS.get(provider, canned.MODEL)
    messages = [{"role": "user", "content": "Hello! Who are you?"}]
    body = {"model": f"{provider}/{model}", "max_tokens": 2048, "messages": messages}
    return _request("/v1/messages", canned.dump({**body, "stream": True}))


def _generate(provider: str) -> bytes:
    model = f"{provider}/{canned_streams.MODELS[provider]}"
    contents = [{"role": "user", "parts": [{"text": "Hello! Who are you?"}]}]
    path = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
    return _request(path, canned.dump({"contents": contents}))


def _responses(provider: str) -> bytes:
    model = f"{provider}/{canned_streams.MODELS[provider]}"
    body = {"model": model, "input": "Hello! Who are you?", "stream": True, "store": False}
    return _request("/v1/responses", canned.dump(body))


def _request(path: str, body: bytes) -> bytes:
    headers = {"host": "127.0.0.1:8000", "content-type": "application/json", **CLIENT_KEY}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def measure(case: Case, use: Callable[[Play], None]) -> None:
    """Calls ``use`` with a function that plays the case once, from request to answer, with the
    pieces that it is given."""
    loop = Loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        try:
            loop.run_until_complete(_measure(case, Path(folder), door, loop, use))
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _measure(
    case: Case,
    folder: Path,
    door: socket.socket,
    loop: Loop,
    use: Callable[[Play], None],
) -> None:
    port = door.getsockname()[1]
    further = [PROVIDER % (name, kind, port) for name, kind in PROVIDERS.items()]
    config = load(configure(Rig(folder, port, port), more=further), os.environ, FACTS)
    app = App(config, runs_shipper=False)
    await app.start()
    try:
        client, transport = _accept(app)
        client.data_received(case.request)
        provider = await _connection(loop, case, transport)
        for piece in case.first or case.pieces:
            provider.data_received(piece)
        if b"200 OK" not in transport.last and not transport.last.endswith(b"0\r\n\r\n"):
            raise RuntimeError(f"{case.name} was answered with {transport.last!r}")

        def play(pieces: Sequence[bytes]) -> None:
            client.data_received(case.request)
            for piece in pieces:
                provider.data_received(piece)

        use(play)
    finally:
        await app.close()


async def _connection(loop: Loop, case: Case, transport: FakeTransport) -> Any:
    """The connection that the request went to, when it is in use."""
    try:
        upstream = await asyncio.wait_for(loop.connected, PATIENCE_S)
    except TimeoutError:
        told = transport.last
        raise RuntimeError(f"{case.name} went to no provider; the client got {told!r}") from None
    await asyncio.sleep(
        0.01
    )  # the connector gives the transport to the connection, and that to the pool
    return upstream.protocol


def _accept(app: App) -> tuple[Any, FakeTransport]:
    """A client's connection, as the server would make one."""
    host = ConnectionHost(app, ServerState(), {}, asyncio.get_running_loop())
    host.set_headers([DATE])
    protocol = HttpProtocol(host, find_raw)
    return protocol, FakeTransport(protocol)
