"""Headway as a raw ASGI application: it runs under any ASGI server, and in tests.

The hot routes go straight to the pipeline, the small ones to the catalogue; whatever is left is the
documentation, which is imported when it is first asked for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from headway.dialects.base import JSON, ClientRequest, Dialect, encode_error
from headway.errors import BodyTooLarge, HeadwayError, NotAllowed, NotFound
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import Gateway
from headway.policy.keys import authorize
from headway.ports import ResponseHeaders
from headway.server import routes
from headway.server.api import info_routes
from headway.server.response_headers import response_lines, stream_lines
from headway.types import Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

HIGH_WATER = 64 * 1024
"""Bytes that may wait for a slow client before the provider is told to pause."""
LOW_WATER = 16 * 1024


class Disconnected(Exception):  # noqa: N818 - an event, no fault
    """The client left while its request was being read."""


class AsgiSink:
    """A ``ports.Sink`` whose pieces ``drain`` sends: a bounded buffer between push and pull."""

    def __init__(self) -> None:
        self.is_paused = False
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self._messages: deque[MutableMapping[str, Any]] = deque()
        self._size = 0
        self._is_over = False
        self._wake = asyncio.Event()

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        lines = b"%bcontent-length: %d\r\n" % (response_lines(headers), len(body))
        self._start(status, lines)
        self.end(body)

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        self._start(status, stream_lines(headers))

    def _start(self, status: int, lines: bytes) -> None:
        headers = [tuple(line.split(b": ", 1)) for line in lines.split(b"\r\n")[:-1]]
        self._put({"type": "http.response.start", "status": status, "headers": headers})

    def write(self, data: bytes) -> None:
        self._put({"type": "http.response.body", "body": data, "more_body": True})
        self._size += len(data)
        if self._size > HIGH_WATER and not self.is_paused:
            self.is_paused = True
            if self.on_pause is not None:
                self.on_pause()

    def end(self, data: bytes = b"") -> None:
        self._put({"type": "http.response.body", "body": data, "more_body": False})
        self._is_over = True

    def _put(self, message: MutableMapping[str, Any]) -> None:
        self._messages.append(message)
        self._wake.set()

    async def drain(self, send: Send) -> None:
        """Sends what is written until the answer is over."""
        while True:
            while self._messages:
                message = self._messages.popleft()
                await send(message)
                if "body" in message:
                    self._sent(len(message["body"]))
            if self._is_over:
                return
            self._wake.clear()
            await self._wake.wait()

    def _sent(self, size: int) -> None:
        self._size -= size
        if self.is_paused and self._size <= LOW_WATER:
            self.is_paused = False
            if self.on_resume is not None:
                self.on_resume()

    def gone(self) -> None:
        """The client left."""
        self._is_over = True
        self._messages.clear()
        self._wake.set()
        if self.on_gone is not None:
            self.on_gone()


async def respond(gateway: Gateway, scope: Scope, receive: Receive, send: Send, cold: Asgi) -> None:
    """One request."""
    try:
        found = routes.find(scope["path"])
        if found is not None:
            await _chat(gateway, found, scope, receive, send)
        elif scope["path"] in info_routes.ROUTES:
            await _catalogue(gateway, scope, send)
        else:
            authorize(scope["headers"], gateway.snapshot.keys)
            await cold(scope, receive, send)
    except Disconnected:
        return
    except HeadwayError as error:
        await _refuse(gateway, error, send)


async def _chat(
    gateway: Gateway,
    found: tuple[Dialect, str],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    _allow(scope, "POST")
    authorize(scope["headers"], gateway.snapshot.keys)  # before anything is read of a stranger
    dialect, argument = found
    body = await _read(receive, gateway.snapshot.body_limit, scope["headers"])
    sink = AsgiSink()
    inbound = ClientRequest(argument, scope["headers"], body)
    GatewayCall(gateway, dialect, inbound, sink, gateway.clock()).begin()
    watcher = asyncio.ensure_future(_watch(receive, sink))
    try:
        await sink.drain(send)
    except OSError:  # how newer servers say that the client left (ASGI 2.4, HTTP, "Disconnected")
        sink.gone()
    except BaseException:
        sink.gone()
        raise
    finally:
        watcher.cancel()


async def _watch(receive: Receive, sink: AsgiSink) -> None:
    """``send`` does not raise when a client has left: only ``receive`` tells."""
    while (await receive())["type"] != "http.disconnect":
        pass
    sink.gone()


async def _read(receive: Receive, limit: int, headers: Headers) -> bytes:
    if any(n == b"content-length" and v.isdigit() and int(v) > limit for n, v in headers):
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _catalogue(gateway: Gateway, scope: Scope, send: Send) -> None:
    _allow(scope, "GET", "HEAD")
    path = scope["path"]
    if path not in info_routes.OPEN:
        authorize(scope["headers"], gateway.snapshot.keys)
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    found = await info_routes.answer(gateway, path, query)
    await _whole(send, 200, [(b"content-type", JSON)], found)


def _allow(scope: Scope, *methods: str) -> None:
    if scope["method"] not in methods:
        error = NotAllowed(f"This route takes {' or '.join(methods)}, not {scope['method']}.")
        error.methods = methods
        raise error


async def _refuse(gateway: Gateway, error: HeadwayError, send: Send) -> None:
    request_id = gateway.new_id()
    headers = [(b"content-type", JSON), (b"x-request-id", request_id.encode())]
    if isinstance(error, NotAllowed):
        headers.append((b"allow", ", ".join(error.methods).encode()))
    await _whole(send, error.status, headers, encode_error(error, None, request_id))


async def _whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    start = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {limit} bytes; server.body_limit sets how much is taken."
    )


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFound(f"There is no route {scope['path']}; GET /docs lists them all.")
