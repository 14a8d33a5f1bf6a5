"""Tables that fit a width: long cells are shortened first, then the least important columns left
out.

Pure functions from cells to lines of styled pieces; ``terminal`` writes them. Widths are counted in
columns of the terminal, where some characters take two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

GAP, SMALL_GAP = 2, 1
"""Blanks between two columns, and where there is no room for those."""
ELLIPSIS = "…"
LARGE = 10**6
NARROWEST = 8
"""The width of shortened cells where everything that can be left out is."""

Measure = Callable[[str], int]
"""Text -> the columns that it takes."""
Piece = tuple[str, str]
"""A text and its style, as Rich names styles; without one it is empty."""
Line = list[Piece]


class Column(Struct, frozen=True):
    """One column of a table."""

    title: str
    is_right: bool = False
    """Aligned at its right side, as numbers are."""
    style: str = ""
    least: int = 0
    """The width to which its cells may be shortened before other columns are left out; 0: they are
    never shortened."""
    rank: int = 0
    """The column with the highest rank is left out first; 0: it is never left out."""


class Cell(Struct, frozen=True):
    """A cell with a style of its own."""

    text: str
    style: str


Cells = Sequence[str | Cell]


class Table(Struct, frozen=True):
    """Rows below a header, with an optional last row of totals."""

    columns: Sequence[Column]
    rows: Sequence[Cells]
    totals: Cells | None = None


class Layout(Struct, frozen=True):
    """The columns that are listed: their positions, and their widths."""

    columns: Sequence[Column]
    widths: Sequence[tuple[int, int]]
    gap: int = GAP

    def header(self, measure: Measure) -> Line:
        return self.line([Cell(column.title, "bold") for column in self.columns], measure)

    def line(self, cells: Cells, measure: Measure, style: str = "") -> Line:
        """One row. ``style`` is that of cells whose column has none."""
        pieces: Line = []
        for number, (position, width) in enumerate(self.widths):
            column, cell = self.columns[position], cells[position]
            text = shorten(text_of(cell), width, measure)
            blanks = " " * (width - measure(text))
            is_last = number == len(self.widths) - 1
            padded = blanks + text if column.is_right else text if is_last else text + blanks
            own = cell.style if isinstance(cell, Cell) else column.style or style
            pieces += [(" " * self.gap, "")] if number else []
            pieces.append((padded, own))
        return pieces

    @property
    def width(self) -> int:
        return _sum_widths([width for _, width in self.widths], self.gap)


def text_of(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def render(table: Table, width: int, measure: Measure = len) -> list[Line]:
    """The lines of ``table`` within ``width`` columns. Columns without any text are left out."""
    layout = fit(table, width, measure)
    lines = [layout.header(measure)]
    lines += [layout.line(row, measure) for row in table.rows]
    if table.totals is not None:
        lines.append([("─" * layout.width, "dim")])
        lines.append(layout.line(table.totals, measure, "bold"))
    return lines


def fit(table: Table, width: int, measure: Measure = len, *, keeps_empty: bool = False) -> Layout:
    """The columns that fit, with their widths. ``keeps_empty`` is for tables that go on: a column
    that is empty now may not be later."""
    natural = [_natural_width(table, position, measure) for position in range(len(table.columns))]
    listed = [
        position for position, widest in enumerate(natural) if widest is not None or keeps_empty
    ]
    titles = [measure(column.title) for column in table.columns]
    wanted = {position: max(natural[position] or 0, titles[position]) for position in listed}
    by_rank = sorted(wanted, key=lambda position: -table.columns[position].rank)
    droppable = [position for position in by_rank if table.columns[position].rank]
    while True:
        for gap, least in _tries(bool(droppable)):
            widths = _shorten(table.columns, wanted, width, gap, least)
            if _sum_widths(list(widths.values()), gap) <= width:
                return Layout(table.columns, sorted(widths.items()), gap)
        if not droppable:
            return Layout(table.columns, sorted(widths.items()), gap)
        del wanted[droppable.pop(0)]


def _tries(can_drop: bool) -> Iterator[tuple[int, int]]:
    """The gap, and the width to which any flexible column may be shortened: at first none below
    its own limit."""
    yield GAP, LARGE
    if not can_drop:
        yield SMALL_GAP, LARGE
        yield SMALL_GAP, NARROWEST


def shorten(text: str, width: int, measure: Measure = len) -> str:
    """``text``, or as much of its beginning as fits with an ellipsis."""
    if measure(text) <= width:
        return text
    while text and measure(text) >= width:
        text = text[:-1]
    return text + ELLIPSIS if width > 0 else ""


def _natural_width(table: Table, position: int, measure: Measure) -> int | None:
    """The width of the longest cell; None where all are empty."""
    rows = [*table.rows, *([table.totals] if table.totals is not None else [])]
    widest = max((measure(text_of(row[position])) for row in rows), default=0)
    return widest or None


def _shorten(
    columns: Sequence[Column], wanted: dict[int, int], width: int, gap: int, most: int
) -> dict[int, int]:
    """``wanted`` with the widest flexible columns made as narrow as necessary, and allowed: to
    their ``least`` width, or to ``most`` if that is less."""
    widths = dict(wanted)
    excess = _sum_widths(list(widths.values()), gap) - width
    while excess > 0:
        flexible = [
            position
            for position in widths
            if 0 < min(columns[position].least, most) < widths[position]
        ]
        if not flexible:
            break
        widths[max(flexible, key=lambda position: widths[position])] -= 1
        excess -= 1
    return widths


def _sum_widths(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * max(0, len(widths) - 1)
