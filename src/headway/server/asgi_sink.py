"""A response as ASGI messages: the buffer between the pipeline, which pushes, and ``send``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from headway.ports import ResponseHeaders
from headway.server.asgi_types import Message, Send
from headway.server.response_headers import response_lines, stream_lines

HIGH_WATER = 64 * 1024
"""Bytes that may wait for a slow client before the provider is paused."""
LOW_WATER = 16 * 1024


class AsgiSink:
    """A ``ports.Sink``. ``drain`` sends what the pipeline writes."""

    def __init__(self) -> None:
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
            if self._is_over:
                return
            self._wake.clear()
            await self._wake.wait()

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
