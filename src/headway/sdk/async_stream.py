"""A streamed reply, read line by line as it arrives, for asyncio."""

from __future__ import annotations

from collections import deque
from typing import NoReturn

from headway.sdk.async_connections import AsyncResponse
from headway.sdk.errors import ApiError
from headway.sdk.reply import ChatChunk
from headway.sdk.stream import parse_line


class AsyncChatStream:
    """As `ChatStream`: an asynchronous iterator of chunks, and an asynchronous context manager."""

    def __init__(self, response: AsyncResponse) -> None:
        self._response = response
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self._is_stopped = False
        self.last: ChatChunk | None = None
        """The last object, when it has arrived: ``chat_output``, ``usage`` and ``metrics``."""

    def __aiter__(self) -> AsyncChatStream:
        return self

    async def __anext__(self) -> ChatChunk:
        line = await self._next_line()
        if line is None:
            self._end()
        try:
            chunk = parse_line(line)
        except ApiError:
            self._stop()
            raise
        if chunk.is_last:
            self.last = chunk
        return chunk

    async def __aenter__(self) -> AsyncChatStream:
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._stop()

    async def close(self) -> None:
        """Stop. May be called at any time, also after the end."""
        self._stop()

    def _stop(self) -> None:
        self._is_stopped = True
        self._lines.clear()
        self._response.close()

    def _end(self) -> NoReturn:
        if self.last is None and not self._is_stopped:
            self._stop()
            raise ApiError("the stream ended before its last object", type="truncated_stream")
        raise StopAsyncIteration

    async def _next_line(self) -> bytes | None:
        while not self._lines:
            piece = await self._response.read_piece()
            if not piece:
                rest, self._rest = self._rest.strip(), b""
                return rest or None
            *lines, self._rest = (self._rest + piece).split(b"\n")
            self._lines.extend(filter(bytes.strip, lines))
        return self._lines.popleft()
