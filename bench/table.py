"""Figures in columns, for people."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = "-"


def number(value: float | None, digits: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def render(rows: Sequence[Sequence[str]]) -> str:
    """The first row is the head; the first column names, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(_line(row, widths) + "\n" for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
    return "  ".join(cells).rstrip()
