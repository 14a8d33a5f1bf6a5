"""A scripted OpenAI-compatible provider on a real socket, served by a thread of this process.

A response is a tuple of steps: a chunk (dict), raw body bytes, ``Wait`` seconds, or one of the
faults ``CUT``, ``HANG``, ``EOF``. Every step that sends is an HTTP chunk of its own, written at its
time. What was received, and when each byte left, is in ``Upstream.exchanges``, on the monotonic
clock.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from support.openai_completions import DEPLOYMENT, asks_for_usage, join_chunks
from support.waiting import PATIENCE_S, until


class Wait(NamedTuple):
    """A pause between two steps; pauses add up exactly, they do not drift."""

    seconds: float


class Fault(NamedTuple):
    name: str


CUT = Fault("cut")
"""Close the connection at once, in the middle of the body."""
HANG = Fault("hang")
"""Send nothing more, and keep the connection open until the peer closes it."""
EOF = Fault("eof")
"""End the body properly here, even if the format is incomplete."""

Step = dict[str, Any] | bytes | Wait | Fault


@dataclass(frozen=True)
class Answer:
    """What one request gets. ``before_head``: steps before any byte (waits, faults)."""

    steps: tuple[Step, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream; charset=utf-8"),)
    before_head: tuple[Step, ...] = ()
    cut_every: int | None = None
    """Send the whole body in slices of this many bytes, whatever the events' borders."""
    is_verbatim: bool = False
    """Send the steps as they are, whatever the request asks for."""
    raw: bytes | None = None
    """Instead of all else: these bytes, then the end of the connection."""


@dataclass
class Exchange:
    """One request as it arrived, and the state of its response."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    arrived: float
    sent: list[tuple[float, Step]] = field(default_factory=list)
    finished: bool = False
    closed_at: float | None = None
    """When the peer closed the connection, if it did."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str | None:
        """The bearer token."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


class Upstream:
    """The provider. ``play`` says what the next requests get; the last answer repeats."""

    def __init__(self, default: Answer) -> None:
        self.default = default
        self.exchanges: list[Exchange] = []
        self.connections: set[_Connection] = set()
        self._answers: list[Answer] = []
        self._by_model: dict[str, Answer] = {}
        self._by_key: dict[str | None, Answer] = {}
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=512)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream")
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]

    def play(self, *answers: Answer) -> None:
        self._answers = list(answers)

    def play_by_model(self, answers: Mapping[str, Answer]) -> None:
        """Requests for these models get these answers, in any order."""
        self._by_model = dict(answers)

    def play_by_key(self, answers: Mapping[str | None, Answer]) -> None:
        """Requests with these provider keys get these answers."""
        self._by_key = dict(answers)

    def reset(self) -> None:
        """Forget what was played and received."""
        self._answers = []
        self._by_model, self._by_key = {}, {}
        self.exchanges = []

    def take(self, exchange: Exchange) -> Answer:
        if self._by_key and (for_key := self._by_key.get(exchange.key)):
            return for_key
        if self._by_model and (named := self._by_model.get(exchange.json.get("model"))):
            return named
        if not self._answers:
            return self.default
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def await_request(self, number: int = 1, timeout: float = PATIENCE_S) -> Exchange:
        """The request with this number, counted from one, as soon as it is here."""
        until(lambda: len(self.exchanges) >= number, timeout)
        return self.exchanges[number - 1]

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = [c.task for c in self.connections if c.task is not None]
        for connection in list(self.connections):
            connection.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.buffer = b""
        self.exchange: Exchange | None = None
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.upstream.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.upstream.connections.discard(self)
        if self.exchange is not None and not self.exchange.finished:
            self.exchange.closed_at = time.monotonic()
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        exchange, self.buffer = parse_request(self.buffer)
        if exchange is not None:
            self.exchange = exchange
            self.upstream.exchanges.append(exchange)
            answer = self.upstream.take(exchange)
            self.task = asyncio.get_running_loop().create_task(self.answer(exchange, answer))

    async def answer(self, exchange: Exchange, answer: Answer) -> None:
        if answer.raw is not None:
            self.transport.write(answer.raw)
            self.transport.close()
            return
        player = _Player(self.transport, exchange)
        if not await player.play(answer.before_head):
            return
        steps, headers = shape(answer, exchange)
        self.transport.write(head(answer.status, headers))
        if await player.play(steps):
            exchange.finished = True
            self.transport.write(b"0\r\n\r\n")


class _Player:
    """Plays steps on one connection, on one schedule."""

    def __init__(self, transport: asyncio.Transport, exchange: Exchange) -> None:
        self.transport = transport
        self.exchange = exchange
        self.due = asyncio.get_running_loop().time()
        self.deployment = deployment_of(exchange)

    async def play(self, steps: Iterable[Step]) -> bool:
        """True if the body is to be ended properly."""
        for step in steps:
            if step == EOF:
                return True
            if step == CUT:
                self.transport.abort()
                return False
            if step == HANG:
                await asyncio.Event().wait()
            await self.send(step)
        return True

    async def send(self, step: Step) -> None:
        if isinstance(step, Wait):
            self.due += step.seconds
            await asyncio.sleep(max(0.0, self.due - asyncio.get_running_loop().time()))
            return
        data = step if isinstance(step, bytes) else sse_event(step)  # type: ignore[arg-type]
        data = data.replace(DEPLOYMENT.encode(), self.deployment)
        self.exchange.sent.append((time.monotonic(), step))
        self.transport.write(b"%x\r\n%s\r\n" % (len(data), data))


def deployment_of(exchange: Exchange) -> bytes:
    """The name of the model in the response: a snapshot of the default one, or the one asked for,
    as an honest provider answers."""
    asked = exchange.json.get("model") if exchange.body[:1] == b"{" else None
    return (asked if asked and asked not in DEPLOYMENT else DEPLOYMENT).encode()


def parse_request(buffer: bytes) -> tuple[Exchange | None, bytes]:
    """One whole request off the front of the buffer, or None, and what is left."""
    top, found, rest = buffer.partition(b"\r\n\r\n")
    if not found:
        return None, buffer
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    if len(rest) < length:
        return None, buffer
    method, path, _ = first.split(" ")
    return Exchange(method, path, headers, rest[:length], time.monotonic()), rest[length:]


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", "transfer-encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def sse_event(chunk: dict[str, Any]) -> bytes:
    return (
        b"data: " + json.dumps(chunk, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"
    )


def shape(answer: Answer, exchange: Exchange) -> tuple[tuple[Step, ...], Iterable[tuple[str, str]]]:
    """The steps as this request asked for them: streamed or whole, with usage only on demand."""
    if answer.status != 200 or exchange.method != "POST" or answer.is_verbatim:
        return answer.steps, answer.headers
    asked = exchange.json
    if not asked.get("stream"):
        return whole(answer.steps), (("content-type", "application/json"),)
    steps = answer.steps
    if not asks_for_usage(asked):
        steps = tuple(s for s in steps if not (isinstance(s, dict) and s.get("choices") == []))
    if answer.cut_every is not None:
        steps = sliced(steps, answer.cut_every)
    return steps, answer.headers


def whole(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same answer as one JSON body; its waits come first, its faults last."""
    waits = [s for s in steps if isinstance(s, Wait)]
    faults = [s for s in steps if isinstance(s, Fault) and s != EOF]
    chunks = [s for s in steps if isinstance(s, dict)]
    return (*waits, json.dumps(join_chunks(chunks)).encode(), *faults)


def sliced(steps: tuple[Step, ...], size: int) -> tuple[Step, ...]:
    data = b"".join(s if isinstance(s, bytes) else sse_event(s) for s in steps)  # type: ignore[arg-type]
    return tuple(data[i : i + size] for i in range(0, len(data), size))
