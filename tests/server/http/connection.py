"""``HttpProtocol`` with a fake transport, a fake event loop and a fake pipeline."""

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


class FakeTransport:
    """Keeps what is written to it."""

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
        """There is no buffer."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class FakeLoop:
    """The methods of an event loop that a connection calls."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)

    def call_later(self, delay: float, call: Callable[[], None]) -> None: ...

    def run(self) -> None:
        while self.soon:
            self.soon.pop(0)()


class FakeCall:
    """In place of a ``GatewayCall``: answers at once if its body says "now", else in ``answer``."""

    def __init__(
        self, gateway: Any, dialect: Dialect, request: ClientRequest, sink: Sink, started: float
    ) -> None:
        self.dialect, self.request, self.sink = dialect, request, sink
        self.all: list[FakeCall] = gateway.calls

    def begin(self) -> None:
        self.all.append(self)
        if b"now" in self.request.body:
            self.answer()

    @property
    def is_open(self) -> bool:
        return not self.sink.response_complete  # type: ignore[attr-defined]

    def answer(self) -> None:
        body = self.request.body
        if b"stream" in body:
            self.sink.send_headers(200, ResponseHeaders("id"))
            self.sink.write(body)
            self.sink.end()
        else:
            status = 404 if b"bad" in body else 200
            self.sink.send_response(status, ResponseHeaders("id"), body)


class EmptyCache(RequestHeadCache):
    """Learns nothing, so every request goes through the parser."""

    def learn(self, *args: Any) -> None: ...


class Connection:
    def __init__(self, head_cache: RequestHeadCache, loop: Any = None) -> None:
        self.transport, self.loop = FakeTransport(), FakeLoop() if loop is None else loop
        self.calls: list[FakeCall] = []
        gateway = SimpleNamespace(
            snapshot=SimpleNamespace(body_limit=LIMIT),
            calls=self.calls,
            clock=lambda: 1.0,
            new_id=lambda: "id",
        )
        host = ConnectionHost(application(gateway), ServerState(), {}, self.loop)
        host.set_headers([(b"date", b"today")])
        self.protocol = HttpProtocol(host, routes.find_raw)
        self.protocol._head_cache = head_cache
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type]

    def read(self, data: bytes) -> None:
        if not self.transport.closing:
            self.protocol.data_received(data)

    def answer(self) -> None:
        """Answer the first call that is open."""
        for call in self.calls:
            if call.is_open:
                call.answer()
                break

    def tick(self) -> None:
        self.protocol.tick(0.5, keep_alive=1.5, read_timeout=1.0)

    def observable_state(self) -> tuple[Any, ...]:
        """What the client, the server and the pipeline can observe."""
        requests = [
            (each.dialect.name, each.request.argument, list(each.request.headers))
            for each in self.calls
        ]
        return (
            b"".join(self.transport.out),
            self.transport.closing,
            self.transport.paused,
            requests,
            [each.request.body for each in self.calls],
            self.protocol.stage,
            self.protocol.flow.read_paused,
            len(self.protocol.waiting),
        )


def application(gateway: Any) -> Any:
    """In place of ``server.app.App``."""

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    app.gateway = gateway  # type: ignore[attr-defined]
    app.config = SimpleNamespace(  # type: ignore[attr-defined]
        server=SimpleNamespace(cors_origins=("https://page.example",))
    )
    return app


@contextmanager
def fake_calls() -> Iterator[None]:
    original = request_cycle.GatewayCall
    request_cycle.GatewayCall = FakeCall  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        request_cycle.GatewayCall = original  # type: ignore[misc]
