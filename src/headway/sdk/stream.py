"""A streamed answer, read line by line as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPResponse

from headway.sdk.connections import Exchange, translated
from headway.sdk.errors import ApiError, from_event
from headway.sdk.reply import ChatChunk, parse_chunk

READ_SIZE = 65536


class ChatStream:
    """Iterate over it for the chunks; the last carries the whole output and the metrics.

    Leaving before the end closes the connection, and with it the call to the provider: use it as a
    context manager, or call `close`. Raises ApiError for an error inside the stream
    (``status`` None), a connection that breaks off, or a stream that ends without its last object
    (``truncated_stream``).
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange: Exchange | None = exchange
        self._lines = _lines(exchange.response)
        self.last: ChatChunk | None = None
        """The last object, once it arrived: whole ``chat_output``, ``usage``, ``metrics``."""

    def __iter__(self) -> ChatStream:
        return self

    def __next__(self) -> ChatChunk:
        if self._exchange is None:
            raise StopIteration
        try:
            line = next(self._lines, None)
            chunk = self._end() if line is None else _parse(line)
        except BaseException:  # StopIteration among them, after which this does nothing
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
        """Stop. Safe to call at any time, also after the end."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()

    def _end(self) -> ChatChunk:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.finish()
        if self.last is None:
            raise ApiError("the stream ended before its last object", type="truncated_stream")
        raise StopIteration


def _parse(line: bytes) -> ChatChunk:
    if error := from_event(line):
        raise error
    return parse_chunk(line)


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    """Not by ``readline``: on a chunked answer it takes a cut connection for the end."""
    rest = b""
    while data := _arrived(response):
        *lines, rest = (rest + data).split(b"\n")
        yield from filter(bytes.strip, lines)
    if rest.strip():
        yield rest


def _arrived(response: HTTPResponse) -> bytes:
    with translated():
        return response.read1(READ_SIZE)
