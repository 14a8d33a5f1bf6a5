"""What all databases say of usage in the same way: the names of times, the order of rows, and which
metrics there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from headway.ledger.store import HISTOGRAM_METRICS, Usage

MINUTE_US, HOUR_US = 60 * 10**6, 3600 * 10**6
STEPS_US = {"minute": MINUTE_US, "five_minutes": 5 * MINUTE_US}
"""What is as long as a dimension of time, where that is no hour or longer."""


def check_metrics(metrics: Sequence[str]) -> None:
    """Raises ValueError for one that there is no histogram of."""
    for metric in metrics:
        if metric not in HISTOGRAM_METRICS:
            known = ", ".join(HISTOGRAM_METRICS)
            raise ValueError(f"there is no histogram of {metric!r}; there are {known}")


def step_of(dimension: str) -> int:
    """Microseconds within which all times have the same name."""
    return STEPS_US.get(dimension, HOUR_US)


def name_minute(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // MINUTE_US * 60, UTC):%Y-%m-%dT%H:%M:00Z}"


def name_five_minutes(time_us: int) -> str:
    return name_minute(time_us // (5 * MINUTE_US) * 5 * MINUTE_US)


def name_hour(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // HOUR_US * 3600, UTC):%Y-%m-%dT%H:00:00Z}"


def name_day(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // HOUR_US * 3600, UTC):%Y-%m-%d}"


def name_month(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // HOUR_US * 3600, UTC):%Y-%m}"


NAME_TIME = {
    "minute": name_minute,
    "five_minutes": name_five_minutes,
    "hour": name_hour,
    "day": name_day,
    "month": name_month,
}
"""Dimension of time -> what names the time of a record, in UTC."""


def sort_usage(rows: list[Usage]) -> list[Usage]:
    """By time, then by cost, the highest first, then by name."""
    rows.sort(key=_order)
    return rows


def _order(usage: Usage) -> tuple[Any, ...]:
    times = [usage.group[name] or "" for name in NAME_TIME if name in usage.group]
    names = [value or "" for value in usage.group.values()]
    return times, -usage.cost_usd, -usage.calls, names
