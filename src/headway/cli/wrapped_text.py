"""Text that grows, as lines of a width, broken between words. What is there is not wrapped again
when more comes."""

from __future__ import annotations

from headway.cli.tables import Measure

TAB = "    "
LOOKAHEAD = 4
"""Characters that can stand in one column of a line, with the marks that they combine with."""


class WrappedText:
    def __init__(self, width: int, measure: Measure = len) -> None:
        self.width = width
        self._measure = measure
        self._lines: list[str] = []
        self._last = ""

    @property
    def lines(self) -> list[str]:
        return [*self._lines, self._last] if self._last else self._lines

    def add(self, text: str) -> None:
        first, *following = text.replace("\r", "").replace("\t", TAB).split("\n")
        self._extend(first)
        for each in following:
            self._lines.append(self._last.rstrip())
            self._last = ""
            self._extend(each)

    def _extend(self, text: str) -> None:
        rest = self._last + text
        while self._measure(rest[: self.width * LOOKAHEAD]) > self.width:
            end = self._end_of_line(rest)
            self._lines.append(rest[:end].rstrip())
            rest = rest[end:].lstrip(" ")
        self._last = rest

    def _end_of_line(self, text: str) -> int:
        """At the last blank that fits, or where it must be inside of a word."""
        fits = min(len(text), self.width * LOOKAHEAD)
        while fits > 1 and self._measure(text[:fits]) > self.width:
            fits -= 1
        blank = text.rfind(" ", 0, fits + 1)
        return blank if blank > 0 and text[:blank].strip() else fits
