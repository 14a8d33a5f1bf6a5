"""Server-sent events, as bytes in and frames out (WHATWG HTML, section 9.2.6).

Rules of this file: a frame keeps its bytes, so that the ``raw`` of all frames joined is the stream;
lines end in LF, CRLF or CR, in any mixture; a block of comments is a frame without data. Two
departures that real servers require: the last event may lack its blank line, a bare line
``error: {...}`` (not an SSE field) is an event named error, and JSON, text or HTML in place of
events, which is usually an error, is the data of a frame.
"""

from __future__ import annotations

import re

from headway.types import Frame

BLANK = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z))(?:\r\n|\n|\r(?!\n|\Z))")
LINE_END = re.compile(rb"\r\n|\n|\r")
TEXT = re.compile(rb"[{\[<\"]|[A-Za-z][\w.'-]*,? +\w|[A-Z]\w*[.!]?\s*\Z")
"""How JSON, HTML and prose begin: with a bracket or a quote, with two words, or with a capital
alone. Names of fields, also of unknown ones, which are ignored, do not."""
LF, CR = b"\n\r"
"""As integers: ``bytes in bytes`` first tries a conversion to an integer, which takes ten times as
long as the search."""
BOM = b"\xef\xbb\xbf"
LIMIT = 32 * 1024 * 1024


class SseFramer:
    """Splits a stream into frames. ``feed`` returns the frames that are complete."""

    __slots__ = ("_has_started", "_limit", "_parts", "_size", "_tail", "is_clear")

    def __init__(self, limit: int = LIMIT) -> None:
        self._parts: list[bytes] = []
        """Pieces of an incomplete event, joined once at its end, which takes linear time."""
        self._size = 0
        self._tail = b""
        """The last bytes of the pieces: a blank line may be split between two of them."""
        self._has_started = False
        self.is_clear = False
        """The stream has started, and no incomplete event is held."""
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError when an incomplete event exceeds the limit, in bytes."""
        if not self._has_started and data[:6] == b"data: " and not self._parts:
            self._has_started = self.is_clear = True  # without a byte order mark
        if self.is_clear:
            # One complete event: most chunks of most streams.
            line, _, rest = data.partition(b"\n")
            if rest == b"\n":
                if line[:6] == b"data: " and CR not in line:
                    return [Frame(line[6:], None, data)]
            elif rest == b"\r\n":
                if line[:6] == b"data: " and line.find(b"\r") == len(line) - 1:
                    return [Frame(line[6:-1], None, data)]
            elif data.find(b"\n\n") == len(data) - 2 > 0 and CR not in data:
                return [_frame(data[:-2], data)]
        frames = self._split(data if self._has_started else self._begin(data))
        self.is_clear = self._has_started and not self._parts
        return frames

    def end(self) -> list[Frame]:
        """The incomplete event that is left when the stream has ended."""
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
        """Remove the held pieces, and return them joined with ``data``."""
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
        """The frames if every event is one line of data, so that every second line is blank, as in
        most chunks of several events; None if not."""
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
    if CR in block:
        return _parse(block, raw)
    if block.startswith(b"data: ") and LF not in block:
        return Frame(block[6:], None, raw)
    name, _, line = block.partition(b"\n")
    if name[:7] == b"event: " and line[:6] == b"data: " and LF not in line:
        return Frame(line[6:], name[7:].decode(errors="replace"), raw)
    return _parse(block, raw)


def _parse(block: bytes, raw: bytes) -> Frame:
    if TEXT.match(block):
        return Frame(block, None, raw)
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
