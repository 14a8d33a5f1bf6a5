"""Newline-delimited JSON: a frame is a line. Blank lines are skipped; the last line may lack its
line break."""

from __future__ import annotations

from headway.types import Frame

LIMIT = 32 * 1024 * 1024


class NdjsonFramer:
    """Splits a stream into lines. ``feed`` returns the lines that are complete."""

    __slots__ = ("_limit", "_parts", "_size")

    def __init__(self, limit: int = LIMIT) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError when a line exceeds the limit, in bytes."""
        lines = data.split(b"\n")
        if len(lines) == 1:
            self._keep(data)
            return []
        lines[0] = b"".join([*self._parts, lines[0]])
        self._parts, self._size = [], 0
        self._keep(lines.pop())
        return [_frame(line) for line in lines if line.strip()]

    def end(self) -> list[Frame]:
        rest = b"".join(self._parts)
        self._parts, self._size = [], 0
        return [Frame(rest.strip(), None, rest)] if rest.strip() else []

    def _keep(self, rest: bytes) -> None:
        self._size += len(rest)
        if self._size > self._limit:
            raise ValueError(f"a line of more than {self._limit} bytes")
        if rest:
            self._parts.append(rest)


def _frame(line: bytes) -> Frame:
    return Frame(line.strip(), None, line + b"\n")
