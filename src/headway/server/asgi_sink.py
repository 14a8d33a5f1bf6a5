"""A response as ASGI messages: the buffer between the pipeline, which pushes, and ``send``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from headway.ports import ResponseHeaders
from headway.server.asgi_types import BREAK_OFF, Message, Send
from headway.server.response_headers import response_lines, stream_lines
from headway.types import Headers

HIGH_WATER = 64 * 1024
"""Bytes that may wait for a slow client before the provider is paused."""
LOW_WATER = 16 * 1024


class ResponseBrokenOff(Exception):  # noqa: N818 - what it tells the server is no error of ours
    """A server closes the connection of a response that an application does not end, and has no
    other way to be told."""


class AsgiSink:
    """A ``ports.RawSink``. ``drain`` sends what the pipeline writes. A response that must not
    look complete is broken off where the server can do that; otherwise ``drain`` raises
    ResponseBrokenOff."""

    def __init__(self, *, can_break_off: bool = False) -> None:
        self._can_break_off = can_break_off
        self._is_broken = False
        self.is_paused = False
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self._messages: deque[Message] = deque()
        self._size = 0
        """Bytes of the waiting pieces."""
        self._is_over = False
        self._wake = asyncio.Event()

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        lines = b"%bcontent-length: %d\r\n" % (response_lines(headers), len(body))
        self._start(status, lines)
        self.end(body)

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        self._start(status, stream_lines(headers))

    def send_head(self, status: int, headers: Headers) -> None:
        self._put({"type": "http.response.start", "status": status, "headers": list(headers)})

    def abort(self) -> None:
        self._is_broken = self._is_over = True
        self._wake.set()

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

    def _put(self, message: Message) -> None:
        self._messages.append(message)
        self._wake.set()

    async def drain(self, send: Send) -> None:
        """Send the messages until the response is complete."""
        while True:
            while self._messages:
                message = self._messages.popleft()
                await send(message)
                if "body" in message:
                    self._on_sent(len(message["body"]))
            if self._is_broken:
                await self._break_off(send)
            if self._is_over:
                return
            self._wake.clear()
            await self._wake.wait()

    async def _break_off(self, send: Send) -> None:
        if not self._can_break_off:
            raise ResponseBrokenOff("the provider's response broke off: see the gateway's log")
        await send({"type": BREAK_OFF})

    def _on_sent(self, size: int) -> None:
        self._size -= size
        if self.is_paused and self._size <= LOW_WATER:
            self.is_paused = False
            if self.on_resume is not None:
                self.on_resume()

    def disconnect(self) -> None:
        """The client disconnected."""
        self._is_over = True
        self._messages.clear()
        self._wake.set()
        if self.on_gone is not None:
            self.on_gone()
