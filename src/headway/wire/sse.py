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
LF, CR = b"\n\r"
"""As numbers: ``in`` takes bytes for a failed number first, which costs ten times the search."""
BOM = b"\xef\xbb\xbf"
LIMIT = 32 * 1024 * 1024


class SseFramer:
    """Feed it what arrives; it gives the frames that are complete."""

    __slots__ = ("_has_started", "_limit", "_parts", "_size", "_tail", "is_clear")

    def __init__(self, limit: int = LIMIT) -> None:
        self._parts: list[bytes] = []
        """An event's pieces, joined once, when it is complete: so a long one takes linear time."""
        self._size = 0
        self._tail = b""
        """The last bytes of those pieces: a blank line may lie across two."""
        self._has_started = False
        self.is_clear = False
        """The stream has begun, and nothing is held of it."""
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError when more than the limit, in bytes, is held of one event."""
        if not self._has_started and data[:6] == b"data: " and not self._parts:
            self._has_started = self.is_clear = True  # with no byte order mark
        if self.is_clear:
            # One whole event of one line: nearly every chunk of nearly every stream.
            line, _, rest = data.partition(b"\n")
            if rest == b"\n" and line[:6] == b"data: " and CR not in line:
                return [Frame(line[6:], None, data)]
        frames = self._split(data if self._has_started else self._begin(data))
        self.is_clear = self._has_started and not self._parts
        return frames

    def end(self) -> list[Frame]:
        """What is left when the stream has ended."""
        rest = self._take(b"")
        return [_frame(rest, rest)] if rest else []

    def _begin(self, data: bytes) -> bytes:
        data = self._take(data)
        if len(data) < len(BOM) and BOM.startswith(data):
            self._keep(data)
            return b""
        self._has_started = True
        return data.removeprefix(BOM)

    def _keep(self, rest: bytes) -> None:
        self._size += len(rest)
        if self._size > self._limit:
            raise ValueError(f"an event of more than {self._limit} bytes")
        if rest:
            self._parts.append(rest)
            self._tail = (self._tail + rest[-3:])[-3:]

    def _take(self, data: bytes) -> bytes:
        """All that is held, and ``data`` behind it."""
        whole = b"".join([*self._parts, data])
        self._parts, self._size, self._tail = [], 0, b""
        return whole

    def _split(self, data: bytes) -> list[Frame]:
        if self._parts:
            if not _has_blank(self._tail + data):
                self._keep(data)
                return []
            data = self._take(data)
        if CR in data:
            return self._split_mixed(data)
        plain = self._split_plain(data)
        if plain is not None:
            return plain
        blocks = data.split(b"\n\n")
        self._keep(blocks.pop())
        return [_frame(block, block + b"\n\n") for block in blocks]

    def _split_plain(self, data: bytes) -> list[Frame] | None:
        """Where every event is one line of data, as mostly when several arrive at once: then every
        second line is blank, and none has to be looked at any closer."""
        lines = data.split(b"\n")
        rest = lines.pop()
        if any(lines[1::2]):
            return None
        plain = [Frame(one[6:], None, one + b"\n\n") for one in lines[::2] if one[:6] == b"data: "]
        if len(plain) * 2 != len(lines):
            return None
        self._keep(rest)
        return plain

    def _split_mixed(self, data: bytes) -> list[Frame]:
        frames = []
        start = 0
        while found := BLANK.search(data, start):
            frames.append(_frame(data[start : found.start()], data[start : found.end()]))
            start = found.end()
        self._keep(data[start:])
        return frames


def _has_blank(data: bytes) -> bool:
    return data.find(b"\n\n") >= 0 or (CR in data and BLANK.search(data) is not None)


def _frame(block: bytes, raw: bytes) -> Frame:
    if block.startswith(b"data: ") and LF not in block and CR not in block:
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
