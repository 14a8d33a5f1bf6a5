"""Helpers of the transport tests: a receiver that records its calls, and a
transport that checks on closing that no descriptor and no task is left."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from headway.errors import UpstreamError
from headway.ports import UpstreamRequest
from headway.transport.client import HttpTransport
from headway.types import Headers, HttpRequest, Timeouts
from headway.wire.url import join
from support.garbage import collect_garbage
from support.processes import descriptors
from support.waiting import PATIENCE_S

Run = Callable[[Coroutine[Any, Any, None]], None]
"""What the fixture ``run`` gives: it runs a test's coroutine on one of the event loops."""

OF_SERVERS = ("ScriptedServer", "_accept_connection2")
"""Tasks of the other side, which runs in the same loop."""

QUICK = Timeouts(connect=5.0, first_byte=5.0, idle=5.0, total=10.0)


class Recorder:
    """A receiver. ``log`` has the names of the calls in order; ``on`` is called with each name."""

    def __init__(self, on: Callable[[str], None] | None = None) -> None:
        self.log: list[str] = []
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.error: UpstreamError | None = None
        self.times: list[float] = []
        self.over = asyncio.Event()
        self._on = on

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def fault(self) -> tuple[str, str | None]:
        assert self.error is not None, f"no error came: {self.log}"
        return type(self.error).__name__, self.error.code

    def _note(self, name: str, now: float) -> None:
        self.log.append(name)
        self.times.append(now)
        if name in ("end", "error"):
            assert not self.over.is_set(), f"a second end: {self.log}"
            self.over.set()
        if self._on is not None:
            self._on(name)

    def on_sent(self, now: float) -> None:
        self._note("sent", now)

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.status = status
        self.headers = dict(headers)
        self._note("response", now)

    def on_chunk(self, data: bytes, now: float) -> None:
        self.chunks.append(data)
        self._note("chunk", now)

    def on_end(self, now: float) -> None:
        self._note("end", now)

    def on_error(self, error: UpstreamError, now: float) -> None:
        self.error = error
        self._note("error", now)


def request(base: str, path: str = "/v1/x", body: bytes = b"{}", **options: Any) -> HttpRequest:
    return HttpRequest(join(base, path), options.pop("headers", ()), body, **options)


async def fetch(
    transport: HttpTransport,
    base: str,
    timeouts: Timeouts = QUICK,
    within: float = PATIENCE_S,
    **options: Any,
) -> Recorder:
    """One request, to its end."""
    receiver = Recorder()
    transport.send(request(base, **options), timeouts, receiver)
    await asyncio.wait_for(receiver.over.wait(), within)
    return receiver


def begin(
    transport: HttpTransport, base: str, timeouts: Timeouts = QUICK, **options: Any
) -> tuple[UpstreamRequest, Recorder]:
    """One request, begun."""
    receiver = Recorder()
    return transport.send(request(base, **options), timeouts, receiver), receiver


async def until(condition: Callable[[], bool], within: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.002)


def open_descriptors() -> int:
    return len(descriptors(os.getpid()))


@asynccontextmanager
async def checked_transport(**options: Any) -> AsyncIterator[HttpTransport]:
    collect_garbage()
    tasks, descriptors = asyncio.all_tasks(), open_descriptors()
    transport = HttpTransport(options.pop("clock", time.monotonic), **options)
    try:
        yield transport
    finally:
        await transport.close()
    assert transport.stats == ()
    left = asyncio.all_tasks() - tasks
    ours = [task for task in left if not any(name in repr(task) for name in OF_SERVERS)]
    assert ours == [], ours
    await until(lambda: open_descriptors() <= descriptors)
