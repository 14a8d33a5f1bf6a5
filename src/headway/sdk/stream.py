"""A streamed answer, read line by line as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from http.client import HTTPConnection, HTTPResponse
from types import TracebackType

from headway.sdk.connections import translated
from headway.sdk.errors import ApiError, from_event
from headway.sdk.reply import ChatChunk, parse_chunk


class ChatStream:
    """Iterate over it for the chunks; the last carries the whole output and the metrics.

    Leaving before the end closes the connection, and with it the call to the provider: use it as a
    context manager, or call `close`. Raises ApiError for an error inside the stream
    (``status`` None), a stream that breaks off, or one that ends without its last object
    (``truncated_stream``).
    """

    def __init__(
        self,
        connection: HTTPConnection,
        response: HTTPResponse,
        give_back: Callable[[HTTPConnection, HTTPResponse], None],
    ) -> None:
        self._connection = connection
        self._response = response
        self._give_back = give_back
        self._chunks = self._read()
        self.last: ChatChunk | None = None
        """The last object, once it arrived: whole ``chat_output``, ``usage``, ``metrics``."""

    def __iter__(self) -> Iterator[ChatChunk]:
        return self._chunks

    def __next__(self) -> ChatChunk:
        return next(self._chunks)

    def __enter__(self) -> ChatStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop. Safe to call at any time, also after the end."""
        self._chunks.close()
        if not self._response.isclosed():  # the iteration had not begun
            self._give_back(self._connection, self._response)

    def _read(self) -> Generator[ChatChunk, None, None]:
        try:
            while line := self._line():
                if line.isspace():
                    continue
                if error := from_event(line):
                    raise error
                chunk = parse_chunk(line)
                if chunk.is_last:
                    self.last = chunk
                yield chunk
            if self.last is None:
                raise ApiError("the stream ended before its last object", type="truncated_stream")
        finally:
            self._give_back(self._connection, self._response)

    def _line(self) -> bytes:
        with translated():
            return self._response.readline()
