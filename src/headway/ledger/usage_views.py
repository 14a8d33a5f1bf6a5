"""Usage as JSON: sums, means and percentiles by group, a total, and the period before.

Percentiles come from merged histograms and are never averaged: within 1% of a value that occurred.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil

import msgspec
from msgspec import Struct

from headway.ledger.json_views import iso_time
from headway.ledger.money import format_usd
from headway.ledger.store import Dimension, Filter, Store, Usage
from headway.metering.histogram import Histogram, value_of

MAX_GROUPS = 5000
"""Rows of one reply."""
NAMES = frozenset(("user", "tag"))
"""Dimensions by which sums do not tell how calls ended."""
Group = tuple[str | None, ...]
"""The values of the dimensions."""
PERCENTS = (50, 95, 99)
_SUMS = (
    "calls", "attempts", "failed", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "cost_usd", "saved_usd", "unpriced", "estimated_usd",
)  # fmt: skip
"""The fields of ``Usage`` that add up."""


class Distribution(Struct, frozen=True):
    """Of one metric, with one value a call. Units as the metric's."""

    count: int
    sum: float
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class UsageRow(Struct, frozen=True, kw_only=True):
    """The calls of one group."""

    group: Mapping[str, str | None]
    """Dimension -> its value."""
    calls: int
    attempts: int
    failed: int
    """Calls that did not end well."""
    errors: int | None
    """Those of them that failed; the rest were cancelled by their clients, or refused before any
    attempt. Null where it is not known: by user and by tag."""
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: float | None
    """Of the attempts with a known cost; None where some have none, and no other cost anything."""
    cost_usd_exact: str | None
    saved_usd: float
    """What the answers from the cache would have cost without it."""
    saved_usd_exact: str
    unpriced: int
    """Attempts that a provider answered well and whose cost is not known."""
    estimated_usd: float
    """The part of the cost that rests on estimated or counted tokens."""
    metrics: Mapping[str, Distribution]
    gaps: Distribution | None
    """The gaps between content events, in seconds."""


class Period(Struct, frozen=True, kw_only=True):
    """Usage in one period."""

    since: str | None
    until: str | None
    data: tuple[UsageRow, ...]
    total: UsageRow
    note: str | None = None
    """Says so where rows are left out."""


class UsageReport(Period, frozen=True, kw_only=True):
    by: tuple[str, ...]
    previous: Period | None = None
    """The period of the same length before, where it was asked for."""


def distribution(histogram: Histogram) -> Distribution:
    """All percentiles in one pass."""
    buckets = sorted(histogram.counts)
    reached = list(accumulate(map(histogram.counts.__getitem__, buckets)))
    if not reached or not reached[-1]:
        return Distribution(0, histogram.total, None, None, None, None)
    count = reached[-1]
    ranks = (ceil(percent * count / 100) for percent in PERCENTS)
    found = [value_of(buckets[bisect_left(reached, rank)]) for rank in ranks]
    return Distribution(count, histogram.total, histogram.total / count, *found)


async def count_errors(
    store: Store, where: Filter, by: Sequence[Dimension]
) -> Mapping[Group, int] | None:
    """The calls of each group that failed; None where only the records of all calls could tell."""
    if NAMES.intersection(by) or where.users or where.tags:
        return None
    if where.outcomes and "error" not in where.outcomes:
        return {}
    failed = msgspec.structs.replace(where, outcomes=("error",))
    rows = await store.usage(failed, by, metrics=())
    return {tuple(row.group.values()): row.calls for row in rows}


def usage_row(usage: Usage, errors: int | None = None) -> UsageRow:
    is_known = bool(usage.cost_usd) or not usage.unpriced
    return UsageRow(
        group=usage.group,
        calls=usage.calls,
        attempts=usage.attempts,
        failed=usage.failed,
        errors=errors,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_usd=float(usage.cost_usd) if is_known else None,
        cost_usd_exact=format_usd(usage.cost_usd) if is_known else None,
        saved_usd=float(usage.saved_usd),
        saved_usd_exact=format_usd(usage.saved_usd),
        unpriced=usage.unpriced,
        estimated_usd=float(usage.estimated_usd),
        metrics={name: distribution(each) for name, each in usage.histograms.items()},
        gaps=None if usage.gaps is None else distribution(usage.gaps),
    )


def merge(rows: Sequence[Usage]) -> Usage:
    """The sum of groups that have no call in common."""
    total = Usage(group={})
    histograms: dict[str, Histogram] = {}
    gaps: Histogram | None = None
    for row in rows:
        for name in _SUMS:
            setattr(total, name, getattr(total, name) + getattr(row, name))
        for name, histogram in row.histograms.items():
            histograms.setdefault(name, Histogram({})).merge(histogram)
        if row.gaps is not None:
            gaps = gaps or Histogram({})
            gaps.merge(row.gaps)
    total.histograms, total.gaps = histograms, gaps
    return total


def period(
    rows: Sequence[Usage],
    disjoint: Sequence[Usage],
    where: Filter,
    errors: Mapping[Group, int] | None = None,
) -> Period:
    """``disjoint`` are groups of the same calls that have none in common, for the total;
    ``errors``: what ``count_errors`` gives."""

    def errors_of(row: Usage) -> int | None:
        return None if errors is None else errors.get(tuple(row.group.values()), 0)

    note = None
    if len(rows) > MAX_GROUPS:
        note = (
            f"The first {MAX_GROUPS} of {len(rows)} rows; `total` has all. Fewer dimensions in "
            "`by`, or a shorter time, give fewer rows."
        )
    return Period(
        since=None if where.since is None else iso_time(where.since),
        until=None if where.until is None else iso_time(where.until),
        data=tuple(usage_row(row, errors_of(row)) for row in rows[:MAX_GROUPS]),
        total=usage_row(merge(disjoint), None if errors is None else sum(errors.values())),
        note=note,
    )
