"""Answers side by side: one column for each model, as many as fit the width, the others below.

Pure: lanes in, lines of styled pieces out. While answers stream, a column shows the end of its text
in the height that there is; at the end, the whole of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from headway.cli import number_formats as numbers
from headway.cli.compare_lanes import COLORS, Comparison, Lane
from headway.cli.metrics_line import dollars
from headway.cli.tables import Line, Measure, shorten
from headway.cli.wrapped_text import WrappedText

NARROWEST, WIDEST = 32, 100
"""Of a column."""
SEPARATOR = " · "
LEAST_LINES = 3
"""Of text in a column; where there is less room, a lane is one line."""
STALL, STALL_S = 6.0, 0.1
"""A gap is a stall if it is so many times the median, and so long."""
CALM = 3.0
"""How many times the median is drawn at the top at least: a steady stream is a low line."""


class Grid(Struct, frozen=True):
    """How columns are arranged."""

    per_row: int
    rows: int
    width: int
    """Of one column."""
    separator: str = " │ "


def make_grid(count: int, width: int, *, blocks: bool = True) -> Grid:
    """As few rows as possible, and as even as possible."""
    separator = " │ " if blocks else " | "
    fits = max(1, (width + len(separator)) // (NARROWEST + len(separator)))
    rows = -(-count // fits) or 1
    per_row = -(-count // rows) or 1
    room = width - len(separator) * (per_row - 1)
    return Grid(per_row, rows, min(WIDEST, room // per_row), separator)


class Columns:
    """Draws a comparison again and again while it goes on."""

    def __init__(self, comparison: Comparison, measure: Measure = len, *, blocks: bool) -> None:
        """``blocks``: the terminal has characters to draw with."""
        self._comparison = comparison
        self._measure = measure
        self._blocks = blocks
        self._texts: dict[int, _Text] = {}
        """By the number of the model."""

    def draw(self, width: int, height: int, now: float) -> list[Line]:
        """At most ``height`` lines, the last of them about all lanes."""
        runs = self._comparison.runs
        progress = (describe_progress(self._comparison, now), "dim")
        footer: list[Line] = [[], self._fit(progress, width)]
        height -= len(footer)
        grid = make_grid(len(runs), width, blocks=self._blocks)
        room = (height - (grid.rows - 1)) // grid.rows
        heads = [self._head(number, lanes, grid.width, now) for number, lanes in enumerate(runs)]
        text_room = room - max(map(len, heads), default=0) - 1
        if text_room < LEAST_LINES:
            lines = [self._short(number, lanes, width, now) for number, lanes in enumerate(runs)]
            return [*lines[:height], *footer]
        columns = [
            [*head, [], *self._body(number, lanes[0], grid.width)[-text_room:]]
            for number, (head, lanes) in enumerate(zip(heads, runs, strict=True))
        ]
        return [*self._arrange(columns, grid), *footer]

    def draw_all(self, width: int) -> list[Line]:
        """The whole texts."""
        runs = self._comparison.runs
        grid = make_grid(len(runs), width, blocks=self._blocks)
        columns = [
            [
                *self._head(number, lanes, grid.width, 0.0),
                [],
                *self._body(number, lanes[0], grid.width),
            ]
            for number, lanes in enumerate(runs)
        ]
        return self._arrange(columns, grid)

    # --- One column -------------------------------------------------------------------------------

    def _head(self, number: int, lanes: Sequence[Lane], width: int, now: float) -> list[Line]:
        lane, color = lanes[0], COLORS[number % len(COLORS)]
        name = shorten(lane.name, width, self._measure)
        lines: list[Line] = [
            [(name, f"bold {color}")],
            self._fit(describe_state(lane, width, now), width),
        ]
        if len(lanes) > 1:
            lines.append(self._fit((describe_runs(lanes), "dim"), width))
        rhythm = draw_rhythm(lane.gaps, width, blocks=self._blocks)
        return [*lines, rhythm or [("", "")]]

    def _body(self, number: int, lane: Lane, width: int) -> list[Line]:
        text = self._texts.get(number)
        if text is None or text.width != width:
            text = self._texts[number] = _Text(width, self._measure)
        return text.lines_of(lane)

    def _short(self, number: int, lanes: Sequence[Lane], width: int, now: float) -> Line:
        """A lane in one line: its name, its state, and the end of its text."""
        lane, color = lanes[0], COLORS[number % len(COLORS)]
        name_width = min(28, width // 3)
        name = shorten(lane.name, name_width, self._measure)
        name += " " * (name_width - self._measure(name))
        state_width = min(28, width - name_width - 2)
        state, style = describe_state(lane, state_width, now)
        state = shorten(state, state_width, self._measure)
        state += " " * (state_width - self._measure(state))
        room = width - name_width - state_width - 4
        tail = " ".join("".join(lane.text[-room:]).split())[-room:] if room > 8 else ""
        return [(name, color), ("  ", ""), (state, style), ("  ", ""), (tail, "dim")]

    def _fit(self, piece: tuple[str, str], width: int) -> Line:
        return [(shorten(piece[0], width, self._measure), piece[1])]

    # --- All columns ------------------------------------------------------------------------------

    def _arrange(self, columns: list[list[Line]], grid: Grid) -> list[Line]:
        lines: list[Line] = []
        for start in range(0, len(columns), grid.per_row):
            row = columns[start : start + grid.per_row]
            lines += [[]] if lines else []
            for at in range(max(map(len, row))):
                cells = [column[at] if at < len(column) else [] for column in row]
                lines.append(self._join(cells, grid))
        return lines

    def _join(self, cells: list[Line], grid: Grid) -> Line:
        line: Line = []
        for number, cell in enumerate(cells):
            if number:
                line.append((grid.separator, "dim"))
            line += cell
            if number < len(cells) - 1:
                used = sum(self._measure(text) for text, _ in cell)
                line.append((" " * (grid.width - used), ""))
        return line


class _Text:
    """The text of one lane, wrapped as it grows."""

    def __init__(self, width: int, measure: Measure) -> None:
        self.width = width
        self._measure = measure
        self._reasoning, self._output = WrappedText(width, measure), WrappedText(width, measure)
        self._read = [0, 0]
        """Pieces that are wrapped."""

    def lines_of(self, lane: Lane) -> list[Line]:
        parts = ((lane.reasoning, self._reasoning), (lane.text, self._output))
        for number, (pieces, wrapped) in enumerate(parts):
            end = len(pieces)
            for piece in pieces[self._read[number] : end]:
                wrapped.add(piece)
            self._read[number] = end
        lines: list[Line] = [[(text, "dim italic")] for text in self._reasoning.lines]
        lines += [[]] if lines and self._output.lines else []
        lines += [[(text, "")] for text in self._output.lines]
        if lane.error is not None:
            wrapped = WrappedText(self.width, self._measure)
            wrapped.add(lane.error)
            lines += [[]] if lines else []
            lines += [[(text, "red")] for text in wrapped.lines]
        return lines


def describe_state(lane: Lane, width: int, now: float) -> tuple[str, str]:
    """The line below the name, and its style: as many facts as fit."""
    if lane.state == "failed":
        return "failed", "bold red"
    if lane.done is not None:
        facts = _facts(lane)
        while len(facts) > 1 and len(SEPARATOR.join(facts)) > width:
            facts.pop()
        return SEPARATOR.join(facts), "green"
    elapsed = 0.0 if lane.started is None else max(0.0, now - lane.started)
    if lane.state == "stopped":
        return "stopped", "yellow"
    if lane.state == "waiting":
        return ("waits" if lane.started is None else f"waiting {elapsed:.1f}s"), "dim"
    return f"first {brief_seconds(lane.arrivals[0])}{SEPARATOR}{elapsed:.1f}s", "dim"


def _facts(lane: Lane) -> list[str]:
    """The most important first."""
    assert lane.done is not None
    first, speed = lane.metric("time_to_first_token_s"), lane.metric("tokens_per_second")
    took, cost = lane.metric("latency_s"), lane.done["cost_usd"]
    reason = lane.done["finish_reason"]
    facts = [
        None if reason == "stop" else reason,
        None if first is None else f"first {brief_seconds(first)}",
        None if took is None else brief_seconds(took),
        None if speed is None else f"{speed:.{0 if speed >= 10 else 1}f} tok/s",
        None if cost is None else dollars(cost),
    ]
    return [fact for fact in facts if fact]


def brief_seconds(value: float) -> str:
    """``412ms``, ``3.2s``."""
    return numbers.seconds(value) if value < 0.9995 or value >= 100 else f"{value:.1f}s"


def describe_runs(lanes: Sequence[Lane]) -> str:
    """``run 1 of 5 · 3 done``; when all are, how many of the answers differ."""
    over = [lane for lane in lanes if lane.is_over]
    if len(over) < len(lanes):
        return f"run 1 of {len(lanes)} · {len(over)} done"
    answers = {lane.output for lane in lanes if lane.state == "done"}
    same = "all the same" if len(answers) == 1 else f"{len(answers)} different answers"
    return f"run 1 of {len(lanes)} · {same}" if answers else f"run 1 of {len(lanes)}"


def describe_progress(comparison: Comparison, now: float) -> str:
    lanes = comparison.lanes
    if not lanes:
        return "asking"
    done = sum(lane.is_over for lane in lanes)
    elapsed = max(0.0, now - (lanes[0].started or now))
    return SEPARATOR.join([f"{done} of {len(lanes)} done", f"{elapsed:.1f}s", "Ctrl-C stops"])


def draw_rhythm(gaps: Sequence[float], width: int, *, blocks: bool) -> Line:
    """A character for each of the last gaps between pieces; a stall stands out."""
    latest = gaps[-width:]
    if not latest:
        return []
    usual = median(gaps)
    stall = max(STALL * usual, STALL_S)
    drawn = numbers.sparkline(latest, blocks=blocks, least_top=CALM * usual)
    line: Line = []
    for char, gap in zip(drawn, latest, strict=True):
        style = "bold yellow" if gap >= stall else "dim"
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + char, style)
        else:
            line.append((char, style))
    return line
