"""A client of a soak: one connection at a time, kept alive as long as both sides want."""

from __future__ import annotations

import asyncio
from typing import cast

import httptools
from msgspec import Struct

from bench.mix import Kind


class Answer(Struct, frozen=True):
    """``status`` 0: the connection broke first."""

    status: int
    body: bytes


class SoakClient:
    def __init__(self, port: int) -> None:
        self._port = port
        self._line: Line | None = None
        self._requests: dict[str, bytes] = {}

    async def ask(self, kind: Kind) -> Answer:
        request = self._requests.get(kind.name)
        if request is None:
            request = self._requests[kind.name] = kind.request()
        line = self._line
        if line is None or line.is_closed:
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(Line, "127.0.0.1", self._port)
            self._line = line
        return await line.ask(request, kind.leaves)

    def close(self) -> None:
        if self._line is not None:
            self._line.transport.close()


class Line(asyncio.Protocol):
    """A connection; one question at a time."""

    def __init__(self) -> None:
        self.is_closed = False
        self._answer: asyncio.Future[Answer] | None = None

    def ask(self, request: bytes, leaves: bool) -> asyncio.Future[Answer]:
        self._leaves = leaves
        self._body: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        if self._leaves:
            self._finish(self._parser.get_status_code(), keep=False)

    def on_message_complete(self) -> None:
        self._finish(self._parser.get_status_code(), self._parser.should_keep_alive())

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(0, keep=False)

    def _finish(self, status: int, keep: bool) -> None:
        if not keep and not self.is_closed:
            self.is_closed = True
            self.transport.abort()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(Answer(status, b"".join(self._body)))
