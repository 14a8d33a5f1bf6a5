"""One connection of our protocol without a socket, an event loop or a pipeline behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from uvicorn.server import ServerState

from headway.dialects.base import ClientRequest, Dialect
from headway.ports import ResponseHeaders, Sink
from headway.server import routes
from headway.server.http import request_cycle
from headway.server.http.protocol import HttpProtocol
from headway.server.http.request_head_cache import RequestHeadCache
from headway.server.http.uvicorn_adapter import ConnectionHost

LIMIT = 1500
"""Bytes of a body."""


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.closing = False
        self.paused = False

    def write(self, data: bytes) -> None:
        if not self.closing:
            self.out.append(data)

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.out.append(b"<eof>")

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Everything is taken at once."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Turns:
    """As much of an event loop as a connection needs."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)

    def call_later(self, delay: float, call: Callable[[], None]) -> None: ...

    def run(self) -> None:
        while self.soon:
            self.soon.pop(0)()


class Asked:
    """Stands for an exchange: says what it was asked, and answers when told to."""

    def __init__(
        self, gateway: Any, dialect: Dialect, inbound: ClientRequest, sink: Sink, started: float
    ) -> None:
        self.dialect, self.inbound, self.sink = dialect, inbound, sink
        self.all: list[Asked] = gateway.asked

    def begin(self) -> None:
        self.all.append(self)
        if b"now" in self.inbound.body:
            self.answer()

    @property
    def is_open(self) -> bool:
        return not self.sink.response_complete  # type: ignore[attr-defined]

    def answer(self) -> None:
        body = self.inbound.body
        if b"stream" in body:
            self.sink.send_headers(200, ResponseHeaders("id"))
            self.sink.write(body)
            self.sink.end()
        else:
            status = 404 if b"bad" in body else 200
            self.sink.send_response(status, ResponseHeaders("id"), body)


class EmptyCache(RequestHeadCache):
    """Learns nothing."""

    def learn(self, *args: Any) -> None: ...


class Connection:
    def __init__(self, head_cache: RequestHeadCache, loop: Any = None) -> None:
        self.wire, self.turns = Wire(), Turns() if loop is None else loop
        self.asked: list[Asked] = []
        gateway = SimpleNamespace(
            snapshot=SimpleNamespace(body_limit=LIMIT),
            asked=self.asked,
            clock=lambda: 1.0,
            new_id=lambda: "id",
        )
        host = ConnectionHost(application(gateway), ServerState(), {}, self.turns)
        host.set_headers([(b"date", b"today")])
        self.protocol = HttpProtocol(host, routes.find_raw)
        self.protocol._head_cache = head_cache
        self.protocol.connection_made(self.wire)  # type: ignore[arg-type]

    def read(self, data: bytes) -> None:
        if not self.wire.closing:
            self.protocol.data_received(data)

    def answer(self) -> None:
        for asked in self.asked:
            if asked.is_open:
                asked.answer()
                break

    def tick(self) -> None:
        self.protocol.tick(0.5, keep_alive=1.5, read_timeout=1.0)

    def seen(self) -> tuple[Any, ...]:
        """All that others can see of it."""
        inbounds = [
            (each.dialect.name, each.inbound.argument, list(each.inbound.headers))
            for each in self.asked
        ]
        return (
            b"".join(self.wire.out),
            self.wire.closing,
            self.wire.paused,
            inbounds,
            [each.inbound.body for each in self.asked],
            self.protocol.stage,
            self.protocol.flow.read_paused,
            len(self.protocol.waiting),
        )


def application(gateway: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    app.gateway = gateway  # type: ignore[attr-defined]
    app.config = SimpleNamespace(  # type: ignore[attr-defined]
        server=SimpleNamespace(cors_origins=("https://page.example",))
    )
    return app


@contextmanager
def asking() -> Iterator[None]:
    original = request_cycle.GatewayCall
    request_cycle.GatewayCall = Asked  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        request_cycle.GatewayCall = original  # type: ignore[misc]
