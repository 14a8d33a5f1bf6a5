"""A streamed reply, read line by line as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPResponse

from headway.sdk.connections import PendingResponse, as_api_errors
from headway.sdk.errors import ApiError, from_event
from headway.sdk.reply import ChatChunk, parse_chunk

READ_SIZE = 65536


class ChatStream:
    """An iterator of chunks; the last chunk has the whole output and the metrics.

    Use it as a context manager, or call `close`, to stop before the end: that closes the
    connection, and the gateway cancels the call to the provider. Raises ApiError for an error
    inside the stream (``status`` None), a lost connection, or a stream that ends without its last
    object (``truncated_stream``).
    """

    def __init__(self, pending: PendingResponse) -> None:
        self._pending: PendingResponse | None = pending
        self._lines = _lines(pending.response)
        self.last: ChatChunk | None = None
        """The last object, when it has arrived: ``chat_output``, ``usage`` and ``metrics``."""

    def __iter__(self) -> ChatStream:
        return self

    def __next__(self) -> ChatChunk:
        if self._pending is None:
            raise StopIteration
        try:
            line = next(self._lines, None)
            chunk = self._end() if line is None else parse_line(line)
        except BaseException:  # StopIteration too: the stream was released already
            self.close()
            raise
        if chunk.is_last:
            self.last = chunk
        return chunk

    def __enter__(self) -> ChatStream:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop. May be called at any time, also after the end."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.abandon()

    def _end(self) -> ChatChunk:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.finish()
        if self.last is None:
            raise ApiError("the stream ended before its last object", type="truncated_stream")
        raise StopIteration


def parse_line(line: bytes) -> ChatChunk:
    """An object of a stream. Raises ApiError if it is an error."""
    if error := from_event(line):
        raise error
    return parse_chunk(line)


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    """The lines of the body. ``readline`` of a chunked response takes a lost connection for the
    end."""
    rest = b""
    while data := _read_available(response):
        *lines, rest = (rest + data).split(b"\n")
        yield from filter(bytes.strip, lines)
    if rest.strip():
        yield rest


def _read_available(response: HTTPResponse) -> bytes:
    with as_api_errors():
        return response.read1(READ_SIZE)
