"""Histograms whose sum is the histogram of the sum: counts in buckets that grow by 2%.

The bucket of a value is the number of factors of ``GROWTH`` from ``SMALLEST`` to it, so a
percentile read from the counts is within 1% of a value that occurred (DDSketch, VLDB 2019, section
2: relative accuracy alpha = (gamma - 1) / (gamma + 1)).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import ceil, log

from msgspec import Struct

GROWTH = 1.02
SMALLEST = 1e-9
ZERO = -1
"""The bucket of values that are not above ``SMALLEST``."""
_PER_LOG = 1 / log(GROWTH)
_MIDDLE = 2 * GROWTH / (GROWTH + 1)
BucketCounts = tuple[tuple[int, int], ...]
"""Pairs of a bucket and the number of values in it."""
_BUCKETS = 1640
"""Those up to 36 hours, if values are seconds."""
_LIMITS = [SMALLEST * GROWTH**bucket for bucket in range(_BUCKETS)]
"""The largest value of each bucket."""


def bucket_of(value: float) -> int:
    """The bucket's number, from 0; ``ZERO`` for what is too small to tell from nothing."""
    return ceil(log(value / SMALLEST) * _PER_LOG) if value > SMALLEST else ZERO


def value_of(bucket: int) -> float:
    """The value that stands for a bucket: within 1% of all in it."""
    return 0.0 if bucket == ZERO else SMALLEST * GROWTH ** (bucket - 1) * _MIDDLE


def count_ascending(values: Sequence[float]) -> BucketCounts:
    """The histogram of ascending values. It takes a time for each bucket that has some, and not
    for each value; the calculated limits of the buckets may differ from those of ``bucket_of`` in
    their last digit."""
    found, start, end = [], 0, len(values)
    while start < end:
        bucket = bisect_left(_LIMITS, values[start]) or ZERO
        if bucket == _BUCKETS:
            bucket, stop = bucket_of(values[start]), start + 1
        else:
            stop = bisect_right(values, _LIMITS[max(bucket, 0)], start)
        found.append((bucket, stop - start))
        start = stop
    return tuple(found)


class Histogram(Struct):
    """The distribution of one metric: how many values are in each bucket, and their exact sum."""

    counts: dict[int, int]
    total: float = 0.0
    """The sum of the values."""

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """None without values."""
        count = self.count
        return self.total / count if count else None

    def add(self, value: float) -> None:
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total += value

    def merge(self, other: Histogram) -> None:
        self.merge_counts(other.counts.items())
        self.total += other.total

    def merge_counts(self, counts: Iterable[tuple[int, int]]) -> None:
        """Add pairs of bucket and count; the sum of the values stays as it is."""
        own = self.counts
        for bucket, count in counts:
            own[bucket] = own.get(bucket, 0) + count

    def percentile(self, percent: float) -> float | None:
        """The value at rank ceil(percent / 100 * n); None without values."""
        rank = ceil(percent * self.count / 100)
        for bucket in sorted(self.counts):
            rank -= self.counts[bucket]
            if rank <= 0:
                return value_of(bucket)
        return None
