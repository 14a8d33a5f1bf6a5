"""The measurements of a comparison as a table: a row for each model, the best of each column
marked. Of several runs, the median, and below it the least and the most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import mean, median

from msgspec import Struct

from headway.cli import number_formats as numbers
from headway.cli.compare_lanes import COLORS, Lane
from headway.cli.tables import Cell, Cells, Column, Table

MILLION = 10**6
BEST = "bold green"
FAILED = "red"
MARK = "*"
"""Behind the best value, where there are no colours."""
Runs = Sequence[Lane]
Format = Callable[[float], str]


class Measure(Struct, frozen=True):
    """One column of numbers."""

    title: str
    read: Callable[[Lane], float | None]
    form: Format
    best: Callable[[list[float]], float] | None = None
    """Which of the values of all models is the best; None: none is."""
    sum_up: Callable[[list[float]], float] = median
    has_spread: bool = True


def _metric(name: str) -> Callable[[Lane], float | None]:
    return lambda lane: lane.metric(name)


def _cost(lane: Lane) -> float | None:
    return None if lane.done is None else lane.done["cost_usd"]


def _dollars(value: float) -> str:
    return numbers.amount(Decimal(repr(value)))


def _cost_of_million(value: float) -> str:
    """Whole dollars from a hundred on."""
    usd = value * MILLION
    return f"${usd:,.0f}" if usd >= 100 else numbers.amount(Decimal(f"{usd:.6g}"))


def _count(value: float) -> str:
    return numbers.count(round(value))


MEASURES = (
    Measure("TTFT", _metric("time_to_first_token_s"), numbers.seconds, min),
    Measure("Gap p50", _metric("inter_token_latency_p50_s"), numbers.seconds, min),
    Measure("p95", _metric("inter_token_latency_p95_s"), numbers.seconds, min),
    Measure("Tok/s", _metric("tokens_per_second"), numbers.speed, max),
    Measure("Took", _metric("latency_s"), numbers.seconds, min),
    Measure("In", _metric("input_tokens"), _count, has_spread=False),
    Measure("Out", _metric("output_tokens"), _count),
    Measure("Cost", _cost, _dollars, min),
    Measure("1M calls", _cost, _cost_of_million, min, mean, has_spread=False),
)
COLUMNS = (
    Column("Model", least=12),
    *(Column(each.title, is_right=True) for each in MEASURES),
)


def comparison_table(runs: Sequence[Runs], *, marks: bool = False) -> Table:
    """``marks``: the best values have a mark, not a colour."""
    values = [[_values(measure, lanes) for measure in MEASURES] for lanes in runs]
    best = [_best(measure, [row[at] for row in values]) for at, measure in enumerate(MEASURES)]
    rows: list[Cells] = []
    for number, (lanes, row) in enumerate(zip(runs, values, strict=True)):
        name = Cell(lanes[0].name, COLORS[number % len(COLORS)])
        cells = [
            _cell(measure, found, best[at], marks=marks)
            for at, (measure, found) in enumerate(zip(MEASURES, row, strict=True))
        ]
        rows.append([name, *_marked_tokens(cells, lanes), _outcome(lanes)])
        if any(len(set(found)) > 1 for found in row):
            rows += [_extreme("least", min, row), _extreme("most", max, row)]
    has_runs = any(len(lanes) > 1 for lanes in runs)
    return Table((*COLUMNS, Column("Runs" if has_runs else "")), rows)


def _values(measure: Measure, lanes: Runs) -> list[float]:
    return [value for lane in lanes if (value := measure.read(lane)) is not None]


def _best(measure: Measure, values: list[list[float]]) -> str | None:
    """As it is shown, so that values that look the same are all the best. None where nothing is to
    be compared."""
    summed = [measure.sum_up(found) for found in values if found]
    if measure.best is None or len(summed) < 2:
        return None
    return measure.form(measure.best(summed))


def _cell(measure: Measure, found: list[float], best: str | None, *, marks: bool) -> str | Cell:
    if not found:
        return ""
    text = measure.form(measure.sum_up(found))
    if text != best:
        return f"{text} " if marks else text
    return text + MARK if marks else Cell(text, BEST)


def _marked_tokens(cells: list[str | Cell], lanes: Runs) -> list[str | Cell]:
    """Tokens that were counted here, because the provider reported none, have a ``~``."""
    mark = next((lane.tokens_mark for lane in lanes if lane.tokens_mark), "")
    titles = [measure.title for measure in MEASURES]
    return [
        f"{mark}{cell}" if title in ("In", "Out") and cell else cell
        for title, cell in zip(titles, cells, strict=True)
    ]


def _extreme(name: str, of: Callable[[list[float]], float], row: list[list[float]]) -> Cells:
    cells = [
        measure.form(of(found)) if measure.has_spread and len(set(found)) > 1 else ""
        for measure, found in zip(MEASURES, row, strict=True)
    ]
    return [Cell(name, "dim"), *(Cell(cell, "dim") for cell in cells), ""]


def _outcome(lanes: Runs) -> str | Cell:
    """How many runs answered, where there are several or one did not."""
    answered = sum(lane.state == "done" for lane in lanes)
    if answered == len(lanes):
        return str(answered) if answered > 1 else ""
    states = {lane.state for lane in lanes} - {"done"}
    word = "failed" if "failed" in states else "stopped"
    if len(lanes) == 1:
        return Cell(word, FAILED)
    return Cell(f"{answered} of {len(lanes)}", FAILED)
