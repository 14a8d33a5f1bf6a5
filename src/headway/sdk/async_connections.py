"""A pool of HTTP connections to one gateway, on asyncio's streams.

A connection carries one request at a time. It returns to the pool when the reply has been read
completely; otherwise it is closed, which makes the gateway cancel the call.
"""

from __future__ import annotations

import asyncio
import io
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, parse_headers
from ssl import create_default_context

from headway.sdk.connections import CONNECT_TIMEOUT_S, MAX_IDLE, as_api_errors
from headway.sdk.endpoint import Endpoint
from headway.sdk.errors import ApiError, Unreachable, reason

READ_SIZE = 65536
HEAD_LIMIT = 65536
"""Bytes of a response's status line and headers, and of a chunk's size line."""
Streams = tuple[StreamReader, StreamWriter]


class AsyncResponse:
    """A response that is being read. Read it to its end, or call `close`."""

    def __init__(self, streams: Streams, idle: deque[Streams], timeout_s: float) -> None:
        self._streams = streams
        self._reader = streams[0]
        self._idle = idle
        self._timeout_s = timeout_s
        self._is_chunked = False
        self._remaining: int | None = None
        """Bytes of the body, by Content-Length; None until the connection is closed."""
        self._is_kept = True
        self._is_over = False

    async def read_head(self) -> None:
        """Read the status and the headers. Raises ApiError."""
        with _as_api_errors():
            head = await self._wait(self._reader.readuntil(b"\r\n\r\n"))
            line, _, fields = head.partition(b"\r\n")
            version, status, *_ = line.split(b" ", 2)
            self.status = int(status)
            self.headers = parse_headers(io.BytesIO(fields))
            length = self.headers.get("content-length")
            self._remaining = None if length is None else int(length)
        self._is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        is_closing = self.headers.get("connection", "").lower() == "close"
        has_end = self._is_chunked or self._remaining is not None
        self._is_kept = version == b"HTTP/1.1" and has_end and not is_closing

    async def read(self) -> bytes:
        """Read the whole body."""
        pieces = []
        while piece := await self.read_piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def read_piece(self) -> bytes:
        """What has arrived of the body; empty at its end. Raises ApiError if it is truncated."""
        if self._is_over:
            return b""
        try:
            with _as_api_errors():
                piece = await self._wait(self._next_piece())
        except BaseException:
            self.close()
            raise
        if not piece:
            self._release()
        return piece

    def close(self) -> None:
        """Close the connection, unless the whole body was read."""
        if not self._is_over:
            self._is_over = True
            self._streams[1].close()

    def _release(self) -> None:
        if self._is_kept and len(self._idle) < MAX_IDLE:
            self._is_over = True
            self._idle.append(self._streams)
        else:
            self.close()

    async def _next_piece(self) -> bytes:
        if self._is_chunked:
            return await self._read_chunk()
        if self._remaining is None:
            return await self._reader.read(READ_SIZE)
        if self._remaining == 0:
            return b""
        piece = await self._reader.read(min(self._remaining, READ_SIZE))
        if not piece:
            raise EOFError
        self._remaining -= len(piece)
        return piece

    async def _read_chunk(self) -> bytes:
        """One chunk (RFC 9112, 7.1); empty at the end, after the trailer section."""
        line = await self._reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if size:
            return (await self._reader.readexactly(size + 2))[:-2]
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b""

    async def _wait(self, reading: Awaitable[bytes]) -> bytes:
        async with asyncio.timeout(self._timeout_s):
            return await reading


class AsyncConnectionPool:
    """Connections of one event loop. Raises ValueError for an invalid URL or key."""

    def __init__(self, url: str, api_key: str | None, timeout_s: float) -> None:
        self._endpoint = Endpoint(url, api_key)
        self.url = self._endpoint.url
        self._timeout_s = timeout_s
        self._idle: deque[Streams] = deque()

    async def open(self, method: str, path: str, body: bytes | None, accept: str) -> AsyncResponse:
        """Send a request and read the status and headers of its response."""
        streams = self._take() or await self._connect()
        response = AsyncResponse(streams, self._idle, self._timeout_s)
        try:
            with _as_api_errors():
                streams[1].write(self._endpoint.encode(method, path, body, accept))
                await streams[1].drain()
            await response.read_head()
        except BaseException:
            response.close()
            raise
        return response

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            writer = self._idle.pop()[1]
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _take(self) -> Streams | None:
        """An idle connection that the server has not closed: a POST must not be sent twice
        (RFC 9110, 9.2.2)."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not (reader.at_eof() or writer.is_closing()):
                return reader, writer
            writer.close()
        return None

    async def _connect(self) -> Streams:
        endpoint = self._endpoint
        context = create_default_context() if endpoint.is_tls else None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await asyncio.open_connection(
                    endpoint.host, endpoint.port, ssl=context, limit=HEAD_LIMIT
                )
        except (OSError, UnicodeError) as error:  # UnicodeError: an invalid IDNA host name
            raise Unreachable(self.url, reason(error)) from error


@contextmanager
def _as_api_errors() -> Iterator[None]:
    try:
        with as_api_errors():
            yield
    except EOFError as error:
        raise ApiError(
            f"the connection to the gateway failed: {reason(error)}", type="connection_error"
        ) from error
    except (ValueError, HTTPException, asyncio.LimitOverrunError) as error:
        raise ApiError(
            f"the response is not that of a Headway gateway: {error}", type="protocol_error"
        ) from error
