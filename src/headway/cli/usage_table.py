"""Sums over calls as a table, with a sparkline of each group over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from headway.cli import number_formats as numbers
from headway.cli.tables import Cell, Cells, Column, Table
from headway.ledger.store import TIME_DIMENSIONS, Dimension, Filter, Usage
from headway.metering.histogram import Histogram

METRICS = ("latency_s", "time_to_first_token_s", "tokens_per_second")
MAX_POINTS = 16
"""Characters of a sparkline."""
HOURLY_S, DAILY_S = 2 * 86400, 62 * 86400
"""The longest periods that are drawn by hour, and by day."""
BAR = 12
"""Columns of a bar of costs, where the groups are times."""
WIDE = ("model", "deployment", "session", "user", "tag", "route")
"""Dimensions whose values may be long."""
EMPTY = Cell("(none)", "dim")
"""A group of calls without a value."""


class Trend(Struct, frozen=True):
    """What a sparkline is drawn of: hours, days or months."""

    unit: Literal["hour", "day", "month"]
    times: Sequence[str]
    """The values of the dimension, in order, also of times without calls."""

    @property
    def title(self) -> str:
        """What one character stands for."""
        size = -(-len(self.times) // MAX_POINTS)
        return f"By {self.unit}" if size == 1 else f"By {size} {self.unit}s"

    def draw(self, values: Sequence[float], *, blocks: bool) -> str:
        """A sparkline of the values at ``times``: of their sums, where they are too many."""
        size = -(-len(values) // MAX_POINTS) or 1
        first = len(values) % size  # the last character is a whole one, the first may not be
        starts = [*([0] if first else []), *range(first, len(values), size)]
        ends = [*starts[1:], len(values)]
        sums = [sum(values[start:end]) for start, end in zip(starts, ends, strict=True)]
        return numbers.sparkline(sums, blocks=blocks)


def times_first(by: Sequence[Dimension]) -> Sequence[Dimension]:
    """The dimensions in the order in which the groups are sorted."""
    return sorted(by, key=lambda name: name not in TIME_DIMENSIONS)


def choose_trend(by: Sequence[Dimension], where: Filter, now: float) -> Trend | None:
    """None where the groups are times, where the period has no beginning, or is too short."""
    if where.since is None or any(name in TIME_DIMENSIONS for name in by):
        return None
    until = now if where.until is None else min(where.until, now)
    length = until - where.since
    unit: Literal["hour", "day", "month"] = "month"
    if length <= HOURLY_S:
        unit = "hour"
    elif length <= DAILY_S:
        unit = "day"
    times = list_times(unit, where.since, until)
    return Trend(unit, times) if len(times) > 2 else None


def list_times(unit: str, since: float, until: float) -> list[str]:
    """Every hour, day or month from ``since`` to ``until`` as usage names it, in UTC."""
    time = datetime.fromtimestamp(max(since, 0), UTC).replace(minute=0, second=0, microsecond=0)
    end = datetime.fromtimestamp(until, UTC)
    found = []
    while time <= end:
        found.append(time.isoformat())
        if unit == "hour":
            time += timedelta(hours=1)
        elif unit == "day":
            time = time.replace(hour=0) + timedelta(days=1)
        else:
            time = (time.replace(hour=0, day=1) + timedelta(days=32)).replace(day=1)
    lengths = {"hour": 13, "day": 10, "month": 7}
    return list(dict.fromkeys(each[: lengths[unit]] for each in found))


def usage_table(
    by: Sequence[Dimension],
    groups: Sequence[Usage],
    overall: Usage,
    trend: Trend | None,
    points: Sequence[Usage],
    *,
    blocks: bool,
) -> Table:
    """``points`` are the groups of ``groups`` at the times of ``trend``."""
    series = {} if trend is None else _series(by, trend, points)
    is_by_time = any(name in TIME_DIMENSIONS for name in by)
    highest = max((float(group.cost_usd) for group in groups), default=0.0)
    rows: list[Cells] = []
    for group in filter(_has_something, groups):
        drawn = ""
        if trend is not None:
            values = series.get(_key(by, group)) or [0.0] * len(trend.times)
            drawn = trend.draw(values, blocks=blocks)
        elif is_by_time and blocks and highest and group.cost_usd:
            drawn = numbers.bar(0, float(group.cost_usd) / highest, BAR, blocks=blocks)
        rows.append((*_group_cells(by, group), *_cells(group, overall), Cell(drawn, "cyan")))
    columns = [
        *map(_group_column, by),
        *(COLUMNS_WITH_SAVINGS if overall.saved_usd else COLUMNS),
        Column("" if trend is None else trend.title, rank=1),
    ]
    listed = ("total", *("" for _ in by[1:])) if by else ()
    total_line = "" if trend is None else trend.draw(_sum(series, trend), blocks=blocks)
    totals = (*listed, *_cells(overall, overall), Cell(total_line, "bold cyan"))
    return Table(columns, rows, totals if len(rows) > 1 or not by else None)


def _has_something(group: Usage) -> bool:
    """Whether a row says anything: entries of sessions that clients added are no calls."""
    return bool(group.calls or group.cost_usd or group.input_tokens or group.output_tokens)


COLUMNS = (
    Column("Calls", is_right=True),
    Column("Failed", is_right=True, rank=4, style="red"),
    Column("In", is_right=True),
    Column("Cached", is_right=True, rank=6),
    Column("Out", is_right=True),
    Column("Cost", is_right=True),
    Column("Share", is_right=True, rank=2),
    Column("TTFT p50 / p95", is_right=True, rank=5),
    Column("Latency p50 / p95", is_right=True, rank=3),
    Column("Tok/s", is_right=True, rank=7),
)


COLUMNS_WITH_SAVINGS = (*COLUMNS[:6], Column("Saved", is_right=True, rank=2), *COLUMNS[6:])


def _cells(group: Usage, overall: Usage) -> Cells:
    first, latency = (group.histograms.get(name) for name in METRICS[1::-1])
    return (
        numbers.count(group.calls),
        numbers.count(group.failed) if group.failed else "",
        numbers.count(group.input_tokens),
        numbers.count(group.cache_read_tokens) if group.cache_read_tokens else "",
        numbers.count(group.output_tokens),
        _cost(group),
        *(
            [numbers.amount(group.saved_usd) if group.saved_usd else ""]
            if overall.saved_usd
            else ()
        ),
        numbers.percent(group.cost_usd, overall.cost_usd) if group.cost_usd else "",
        _percentiles(first),
        _percentiles(latency),
        numbers.speed(_percentile(group.histograms.get("tokens_per_second"), 50)),
    )


def footnotes(where: Filter, overall: Usage, now: float) -> list[str]:
    """What the table does not say: the period, and what the sums do not contain."""
    lines = []
    if where.since is not None:
        until = "now" if where.until is None else numbers.full_time(where.until)[:16]
        lines.append(f"from {numbers.full_time(where.since)[:16]} to {until}")
    if overall.unpriced:
        lines.append(
            f"+ {overall.unpriced:,} answers without a known price: not in the cost; `prices` in "
            "the configuration sets one"
        )
    if overall.estimated_usd:
        lines.append(
            f"{numbers.amount(overall.estimated_usd)} of it rests on tokens that were counted here"
        )
    return lines


def _cost(group: Usage) -> str | Cell:
    """With a plus where there are answers without a known price."""
    if not group.unpriced:
        return numbers.amount(group.cost_usd)
    return f"{numbers.amount(group.cost_usd)}+" if group.cost_usd else Cell("unknown", "dim")


def _percentiles(histogram: Histogram | None) -> str:
    median, high = _percentile(histogram, 50), _percentile(histogram, 95)
    return "" if median is None else f"{numbers.seconds(median)} / {numbers.seconds(high):>6}"


def _percentile(histogram: Histogram | None, percent: float) -> float | None:
    return None if histogram is None else histogram.percentile(percent)


def _group_column(name: Dimension) -> Column:
    return Column(name.title(), style="cyan", least=12 if name in WIDE else 0)


def _group_cells(by: Sequence[Dimension], group: Usage) -> Cells:
    return [group.group.get(name) or EMPTY for name in by]


def _key(by: Sequence[Dimension], group: Usage) -> tuple[str | None, ...]:
    return tuple(group.group.get(name) for name in by)


def _series(
    by: Sequence[Dimension], trend: Trend, points: Sequence[Usage]
) -> Mapping[tuple[str | None, ...], list[float]]:
    """Costs over time by group; calls where nothing has a cost."""
    uses_cost = any(point.cost_usd for point in points)
    position = {time: number for number, time in enumerate(trend.times)}
    series: dict[tuple[str | None, ...], list[float]] = {}
    for point in points:
        values = series.setdefault(_key(by, point), [0.0] * len(trend.times))
        number = position.get(str(point.group.get(trend.unit))[: len(trend.times[0])])
        if number is not None:
            values[number] += float(point.cost_usd) if uses_cost else float(point.calls)
    return series


def _sum(series: Mapping[tuple[str | None, ...], list[float]], trend: Trend) -> list[float]:
    return [sum(values[number] for values in series.values()) for number in range(len(trend.times))]
