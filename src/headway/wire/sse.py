"""Server-sent events, as bytes in and frames out (WHATWG HTML, section 9.2.6).

Rules of this file: a frame keeps its own bytes, so that joining the raw of all frames gives back
the stream; lines end in LF, CRLF or CR, mixed as they like; a block of comments is a frame without
data. Two departures that real servers force: a last event without its blank line counts, and a bare
line ``error: {...}`` (no SSE field) is an event named error.
"""

from __future__ import annotations

import re

from headway.types import Frame

BLANK = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z))(?:\r\n|\n|\r(?!\n|\Z))")
LINE_END = re.compile(rb"\r\n|\n|\r")
BOM = b"\xef\xbb\xbf"
LIMIT = 32 * 1024 * 1024


class SseFramer:
    """Feed it what arrives; it gives the frames that are complete."""

    __slots__ = ("_begun", "_buffer", "_limit", "_searched")

    def __init__(self, limit: int = LIMIT) -> None:
        self._buffer = b""
        self._searched = 0
        self._begun = False
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError when one event is longer than the limit, in bytes."""
        if not self._begun:
            data = self._begin(data)
        if self._buffer:
            data = self._buffer + data
        if b"\r" in data:
            return self._feed_mixed(data)
        blocks = data.split(b"\n\n") if self._searched == 0 else self._split_from(data)
        self._keep(blocks.pop())
        return [_frame(block, block + b"\n\n") for block in blocks]

    def end(self) -> list[Frame]:
        """What is left when the stream has ended."""
        rest, self._buffer = self._buffer, b""
        self._searched = 0
        return [_frame(rest, rest)] if rest.strip() else []

    def _begin(self, data: bytes) -> bytes:
        data = self._buffer + data
        self._buffer = b""
        if data[:3] != BOM[: len(data[:3])] or len(data) >= 3:
            self._begun = True
            return data.removeprefix(BOM)
        self._buffer = data
        return b""

    def _keep(self, rest: bytes) -> None:
        if len(rest) > self._limit:
            raise ValueError(f"an event of more than {self._limit} bytes")
        self._buffer = rest
        self._searched = max(0, len(rest) - 3)

    def _split_from(self, data: bytes) -> list[bytes]:
        """The same split, without searching again what was searched for earlier chunks."""
        first = data.find(b"\n\n", self._searched)
        if first < 0:
            return [data]
        return [data[:first], *data[first + 2 :].split(b"\n\n")]

    def _feed_mixed(self, data: bytes) -> list[Frame]:
        frames = []
        start = 0
        search = self._searched
        while found := BLANK.search(data, search):
            frames.append(_frame(data[start : found.start()], data[start : found.end()]))
            start = search = found.end()
        self._keep(data[start:])
        return frames


def _frame(block: bytes, raw: bytes) -> Frame:
    if block.startswith(b"data: ") and b"\n" not in block and b"\r" not in block:
        return Frame(block[6:], None, raw)
    return _parse(block, raw)


def _parse(block: bytes, raw: bytes) -> Frame:
    if block[:1] in (b"{", b"["):
        return Frame(block, None, raw)  # plain JSON where events were due: an error, mostly
    data: list[bytes] = []
    event: str | None = None
    for line in LINE_END.split(block):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode(errors="replace")
        elif name == b"error":
            event = "error"
            data.append(value)
    return Frame(b"\n".join(data), event, raw)
