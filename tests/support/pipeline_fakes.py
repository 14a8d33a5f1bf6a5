"""The pipeline without sockets, threads or time: a test moves the clock, plays the provider, and
reads what the client got. Everything happens in the calls that a test makes: each runs inside an
event loop until all tasks that it started are waiting.

    pipe = Pipe()
    pipe.ask(model="gpt-4o", chat_input="Hi")
    pipe.upstream.respond()
    pipe.clock.now += 0.25
    pipe.upstream.chunk(event({"content": "Hi"}))
    ...
    pipe.sink.body, pipe.records
"""

from __future__ import annotations

import asyncio
import atexit
import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.engine import Engine
from headway.dialects.openai.chat import OpenAIChat
from headway.errors import HeadwayError, UpstreamError
from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook
from headway.pipeline import targets
from headway.pipeline.call import GatewayCall
from headway.pipeline.content_rules import NOTHING_KEPT, ContentRules
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.policy.keys import KeyRing
from headway.ports import ResponseHeaders, ResponseReceiver
from headway.providers.openai import provider as openai
from headway.record import Content, Entry, Record, decode_entry
from headway.routing_state.memory import MemoryRoutingState
from headway.server.response_headers import response_lines, stream_lines
from headway.types import Headers, HttpRequest, Timeouts

EPOCH = 1_700_000_000.0
"""Unix time when the clock shows zero."""
START = 1000.0
KEY = "sk-configured-key"
GATEWAY_ID = "headway-00000000000000aa"
SSE: Headers = [(b"content-type", b"text/event-stream")]
JSON: Headers = [(b"content-type", b"application/json")]
DONE = b"data: [DONE]\n\n"
ENGINE = Engine()
OPENAI = OpenAIChat()


def event(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    """One server-sent event with one choice; without a delta and a finish, with none."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    choices = [] if delta is None and finish is None else [choice]
    head = {"id": "c-1", "object": "chat.completion.chunk", "model": "gpt-4o-2024-08-06"}
    chunk = {**head, "created": 7, "choices": choices, **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def text(piece: str) -> bytes:
    return event({"content": piece})


ROLE = event({"role": "assistant", "content": ""})
STOP = event(finish="stop")
USAGE = event(usage={"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32})
HELLO = ROLE + text("Hello") + text("!") + STOP + USAGE + DONE
WHOLE = json.dumps(
    {
        "id": "c-1",
        "object": "chat.completion",
        "created": 7,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello!"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32},
    }
).encode()


T = TypeVar("T")
LOOP = asyncio.new_event_loop()
atexit.register(LOOP.close)


def in_loop(act: Callable[[], T]) -> T:
    """Run ``act()`` inside the event loop, and then its tasks until all of them wait. In a test
    that runs its own loop, just call ``act()``."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return LOOP.run_until_complete(_act_and_settle(act))
    return act()


async def _act_and_settle(act: Callable[[], T]) -> T:
    result = act()
    for _ in range(20):
        if len(asyncio.all_tasks()) == 1:
            break
        await asyncio.sleep(0)
    return result


class Gate(Generic[T]):
    """A value to await until the test sets it."""

    def __init__(self) -> None:
        self._future: asyncio.Future[T] = LOOP.create_future()

    def set(self, value: T) -> None:
        in_loop(lambda: self._future.set_result(value))

    async def wait(self) -> T:
        return await asyncio.shield(self._future)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class FakeUpstreamRequest:
    """One request to the provider: what was sent, what was called, and the provider's response."""

    def __init__(self, request: HttpRequest, receiver: ResponseReceiver, clock: Clock) -> None:
        self.request = request
        self.receiver = receiver
        self.clock = clock
        self.history: list[str] = []

    # Called by the pipeline.

    def cancel(self) -> None:
        self.history.append("cancel")

    def finish(self) -> None:
        self.history.append("finish")

    def pause(self) -> None:
        self.history.append("pause")

    def resume(self) -> None:
        self.history.append("resume")

    # Called by the test, as the provider.

    def respond(self, headers: Headers = SSE, status: int = 200) -> None:
        in_loop(lambda: self.receiver.on_response(status, headers, self.clock()))

    def chunk(self, *data: bytes) -> None:
        for each in data:
            in_loop(partial(self.receiver.on_chunk, each, self.clock()))

    def end(self) -> None:
        in_loop(lambda: self.receiver.on_end(self.clock()))

    def fail(self, error: UpstreamError) -> None:
        in_loop(lambda: self.receiver.on_error(error, self.clock()))

    def stream(self, *data: bytes) -> None:
        """A whole streamed answer."""
        self.respond()
        self.chunk(*data)

    def whole(self, body: bytes, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
        self.respond([*JSON, *headers], status)
        self.chunk(body)
        self.end()

    @property
    def is_over(self) -> bool:
        return "cancel" in self.history or "finish" in self.history


class FakeTransport:
    """Keeps the requests; the test plays the provider."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.upstream_requests: list[FakeUpstreamRequest] = []
        self.timeouts: list[Timeouts] = []
        self.is_connected = True
        """Otherwise the test says when a request is sent."""

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> FakeUpstreamRequest:
        upstream = FakeUpstreamRequest(request, receiver, self.clock)
        self.upstream_requests.append(upstream)
        self.timeouts.append(timeouts)
        if self.is_connected:
            receiver.on_sent(self.clock())
        return upstream

    async def close(self) -> None:
        """Nothing to close."""


class ListSink:
    """What the client got, in order: (kind of write, status or None, header lines, bytes)."""

    def __init__(self) -> None:
        self.is_paused = False
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.got: list[tuple[str, int | None, bytes, bytes]] = []

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        self.got.append(("whole", status, response_lines(headers), body))

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        self.got.append(("start", status, stream_lines(headers), b""))

    def write(self, data: bytes) -> None:
        self.got.append(("write", None, b"", data))

    def end(self, data: bytes = b"") -> None:
        self.got.append(("end", None, b"", data))

    def abort(self) -> None:
        self.got.append(("abort", None, b"", b""))

    def leave(self) -> None:
        if self.on_gone is not None:
            in_loop(self.on_gone)

    @property
    def kinds(self) -> list[str]:
        return [what for what, *_ in self.got]

    @property
    def pieces(self) -> list[bytes]:
        return [data for what, _, _, data in self.got if what in ("write", "end")]

    @property
    def status(self) -> int | None:
        return self.got[0][1] if self.got else None

    @property
    def headers(self) -> dict[bytes, bytes]:
        lines = self.got[0][2].split(b"\r\n")
        assert lines.pop() == b""  # each line ends with CRLF
        return {name: value for name, _, value in (line.partition(b": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return b"".join(data for *_, data in self.got)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        """The objects of a stream of lines."""
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def is_over(self) -> bool:
        return bool(self.got) and self.got[-1][0] in ("whole", "end", "abort")


class ListSpool:
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, line: bytes) -> None:
        self.lines.append(line)


class Pipe:
    """A gateway with one provider, ``openai``, and the call that a test makes. ``upstream``
    replaces fields of that provider; ``static`` gives it a fixed target, as the composition
    does."""

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (),
        priced: bool = True,
        static: bool = False,
        content: ContentRules = NOTHING_KEPT,
        **upstream: Any,
    ) -> None:
        self.clock = Clock()
        self.transport = FakeTransport(self.clock)
        self.spool = ListSpool()
        self.sink = ListSink()
        self.sleeps: list[float] = []
        self.sleeping: Gate[None] | None = None
        """If there is one, a sleep lasts until it is set."""
        self.counted: list[tuple[str, bytes, str]] = []
        self.counting: Gate[None] | None = None
        self.counts: tuple[int | None, int | None] = (3, 4)
        self.ids = iter(range(1, 1000))
        self.rng = 0.5
        known = Upstream(
            name="openai",
            provider=openai.PROVIDER,
            base_url="https://api.openai.com/v1",
            api_key=KEY,
            key_name="OPENAI_API_KEY",
            needs_key=True,
            transport=self.transport,
            public_transport=self.transport,
        )
        known = replace(known, **upstream)
        if static:
            known = replace(known, target=targets.fixed(known))
        self.gateway = Gateway(
            Snapshot(
                upstreams={"openai": known},
                keys=KeyRing.from_keys(keys),
                prices=prices(priced),
                body_limit=1000,
                json_limit=200_000,
                content=content,
            ),
            gateway_id=GATEWAY_ID,
            spool=self.spool,
            clock=self.clock,
            unix_time=lambda: EPOCH + self.clock.now,
            new_id=lambda: f"id-{next(self.ids)}",
            rng=lambda: self.rng,
            count=self._count,
            sleep=self._sleep,
            routing_state=MemoryRoutingState(),
        )
        self.call: GatewayCall

    def ask(self, *headers: tuple[bytes, bytes], dialect: Dialect = ENGINE, **fields: Any) -> None:
        """A call of the engine route; ``fields`` replace or add fields of the body."""
        asked = {"model": "gpt-4o", "chat_input": "Hi", **fields}
        self.send(ClientRequest("openai", headers, json.dumps(asked).encode()), dialect)

    def ask_openai(self, *headers: tuple[bytes, bytes], **fields: Any) -> None:
        messages = [{"role": "user", "content": "Hi"}]
        asked = {"model": "openai/gpt-4o", "messages": messages, **fields}
        self.send(ClientRequest("", headers, json.dumps(asked).encode()), OPENAI)

    def send(self, inbound: ClientRequest, dialect: Dialect = ENGINE) -> None:
        self.call = GatewayCall(self.gateway, dialect, inbound, self.sink, self.clock())
        in_loop(self.call.begin)

    def abort(self, error: HeadwayError) -> None:
        in_loop(lambda: self.call.abort(error))

    @property
    def upstream_requests(self) -> list[FakeUpstreamRequest]:
        return self.transport.upstream_requests

    @property
    def upstream(self) -> FakeUpstreamRequest:
        """The last one."""
        return self.upstream_requests[-1]

    @property
    def records(self) -> list[Record]:
        return [entry for entry in self.entries if isinstance(entry, Record)]

    @property
    def contents(self) -> list[Content]:
        return [entry for entry in self.entries if isinstance(entry, Content)]

    @property
    def entries(self) -> list[Entry]:
        return [decode_entry(line) for line in self.spool.lines]

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        if self.sleeping is not None:
            await self.sleeping.wait()

    async def _count(
        self, model: str, messages: bytes, produced: str
    ) -> tuple[int | None, int | None]:
        self.counted.append((model, messages, produced))
        if self.counting is not None:
            await self.counting.wait()
        return self.counts


NO_PRICES = b'{"source":"none","version":"0","date":"2026-01-01","providers":{}}'


def prices(priced: bool) -> PriceBook:
    """At most one price: a dollar in, two out, per million tokens."""
    price = ConfiguredPrice(input=Decimal(1), output=Decimal(2))
    return PriceBook.load(NO_PRICES, {"openai": {"gpt-4o": price}} if priced else {})
